"""Directions in which latents change pictures most: the sliders of the page.

Pictures are predicted from latents by a linear map, fitted to samples; its singular vectors are the
directions. For normal latents that map is the mean of the generator's slope over all of them (Stein 1981,
lemma 2), so what counts is what a step changes everywhere alike. Nothing of the network is looked at, so
it works for any. What a direction does is not named: light, colour or background are seen at a glance.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor

from figment.progress import progress_bar

if TYPE_CHECKING:
    from figment.sampling.generator import Generator

COUNT = 6
SAMPLES = 1024
SIDE = 16
"""Pixels a side of the pictures that are predicted: light and shape count, not grain."""
RANGE = 3.0
"""How far a slider goes either way: latents are normal, so few lie further out."""
MEASURED = 32
"""Latents on which a direction's change is measured."""
BATCH = 64


def directions(generator: Generator, *, progress: bool = True) -> list[dict[str, Any]]:
    """Return up to six unit vectors [L] with what each changes, the strongest first.

    None of points, nor of latents as large as a picture: no few of their numbers matter more than others,
    and to find that out takes as many thousand samples.

    "change" is the mean absolute difference, of 255, between pictures at both ends of the range. A
    function of the generator alone.
    """
    recipe = generator.recipe
    if recipe.kind == "points" or recipe.latent >= math.prod(recipe.shape):
        return []
    count = max(SAMPLES, 4 * recipe.latent)
    parts = range(0, count, BATCH)
    drawn = []
    for start in progress_bar(parts, unit=" batches", desc="directions", shown=progress):
        drawn.append(_small(generator, range(start, min(start + BATCH, count))))
    latents, labels = recipe.latents(range(count)), recipe.labels_for(range(count), CPU)
    found = _strongest(latents, labels, torch.cat(drawn))
    changes = [change(generator, vector) for vector in found]
    order = sorted(range(len(found)), key=lambda number: -changes[number])
    return [
        {
            "name": str(place),
            "vector": [round(number, 6) for number in found[one].tolist()],
            "range": RANGE,
            "change": round(changes[one], 2),
        }
        for place, one in enumerate(order, start=1)
    ]


def change(generator: Generator, vector: Tensor) -> float:
    """Return the mean absolute difference, of 255, that a unit vector [L] makes from -3 to 3."""
    latents = generator.recipe.latents(range(MEASURED))
    labels = generator.recipe.labels_for(range(MEASURED), CPU)
    ends = [generator.draw(latents + side * RANGE * vector, labels).float() for side in (-1, 1)]
    return float((ends[1] - ends[0]).abs().mean())


def _small(generator: Generator, seeds: range) -> Tensor:
    """Return the seeds' pictures, made small, as rows [N, P] of bytes in float32."""
    latents, labels = generator.recipe.latents(seeds), generator.recipe.labels_for(seeds, CPU)
    pictures = generator.draw(latents, labels).float()
    return F.adaptive_avg_pool2d(pictures, min(SIDE, pictures.shape[-1])).flatten(1)


def _strongest(latents: Tensor, labels: Tensor | None, pictures: Tensor) -> Tensor:
    """Return the unit vectors [K, L] that change the linear prediction of pictures [N, P] most.

    Each class has a mean of its own, which is no matter of a latent.
    """
    count = 1 if labels is None else int(labels.max()) + 1
    kinds = torch.zeros(len(latents), dtype=torch.long) if labels is None else labels
    known = torch.cat([latents, F.one_hot(kinds, count).float()], dim=1).double()
    fitted = torch.linalg.lstsq(known, pictures.double(), driver="gelsd").solution
    slopes = fitted[: latents.shape[1]]  # [L, P]
    vectors = torch.linalg.svd(slopes, full_matrices=False).U.T[:COUNT]
    largest = vectors.gather(1, vectors.abs().argmax(1, keepdim=True))
    return (vectors * largest.sign()).float()  # which of both ways is up is fixed, too


CPU = torch.device("cpu")
