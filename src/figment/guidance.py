"""A guided latent space: latents from a mode a class, a frozen classifier in the generator's loss.

The Study (2019) names it after an article by Kashikar that could not be found again, in one sentence: a
classifier, properly trained on the data set, is used in the loss and in the generation of data. What is
done here is figment's own reading of it:

    z ~ N(r e_k, I) for a picture of class k;   q the classifier, its weights frozen
    L_G + λ1 · CE(q(G(z)), k) + λ2 · KL(mean of q(G(z)) over the batch || uniform)
"""

from __future__ import annotations

import itertools
import math
import sys
import time
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from figment import mesh
from figment.data import Order
from figment.randomness import seed_of
from figment.units import duration

if TYPE_CHECKING:
    from figment.recipe import Recipe
    from figment.training.trainer import Trainer

RADIUS = 4.0
"""Distance r of a mode's middle from the origin.

Two modes lie r√2 apart, so a latent is taken for one of another given mode with probability
1 - Φ(r/√2) = .0023: the class can be read off it, and the modes still touch, so that walks between
them cross no void. 100 numbers of deviation 1 are 10 long; with r = 4 they are 10.8.
"""
SIDE = 32
"""Pixels a side of what the classifier looks at; larger pictures are averaged down."""
BATCH = 64
LEARNED = 0.05
"""The classifier has learned enough when its loss over 50 batches is below this."""

_taught: dict[tuple, dict[str, Tensor]] = {}
"""The last lesson. Planning plays first rounds too; what they teach need not be learned again."""


def at_modes(latents: Tensor, labels: Tensor) -> Tensor:
    """Return standard normal latents [N, L] moved to their class's mode, r e_k for labels k [N] < L.

    Weights [N, K] of classes in the place of labels are a place between their modes.
    """
    if labels.ndim == 1:
        labels = F.one_hot(labels, latents.shape[1])
    return latents + RADIUS * F.pad(labels, (0, latents.shape[1] - labels.shape[1])).to(latents)


class Guide(nn.Module):
    """The classifier q: images [N, C, R, R] in [-1, 1] -> class logits [N, K], float32.

    Frozen from birth: ``teach`` gives it its weights. It has no batch norm and no dropout, so it is the
    same function in every mode.
    """

    accuracy: Tensor
    """Share of the pictures kept from it whose class it tells; of those it saw where none were kept."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        wide = (channels, 32, 64, 128)
        blocks = [
            layer
            for before, after in itertools.pairwise(wide)
            for layer in (nn.Conv2d(before, after, 3, 2, 1), nn.GroupNorm(8, after), nn.ReLU())
        ]
        self.layers = nn.Sequential(*blocks, nn.AdaptiveMaxPool2d(2), nn.Flatten())
        self.verdict = nn.Linear(4 * wide[-1], classes)
        self.register_buffer("accuracy", torch.zeros(()))
        self.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-1] > SIDE:
            x = F.adaptive_avg_pool2d(x, SIDE)
        return self.verdict(self.layers(x)).float()


def terms(
    recipe: Recipe, guide: nn.Module, fakes: Tensor, labels: Tensor
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return what guidance adds to the generator's loss on fakes of these classes, and what to log.

    ``score/guided`` is the share of fakes that the guide takes for what they were to be.
    """
    verdicts = guide(fakes)
    minimise: dict[str, Tensor] = {}
    if recipe.guidance > 0:
        minimise["guidance"] = recipe.guidance * F.cross_entropy(verdicts, labels)
    if recipe.guidance_balance > 0:
        minimise["guidance_balance"] = recipe.guidance_balance * imbalance(verdicts)
    right = verdicts.detach().argmax(1) == labels
    return minimise, {"score/guided": right.float().mean()}


def imbalance(verdicts: Tensor) -> Tensor:
    """KL(mean verdict || uniform), a scalar in [0, log K], for the class logits [N, K] of a batch.

    The mean is over the rows of all processes. Its gradient reaches this process's rows as if it were
    their mean alone: averaged over the processes, as gradients are, that is the gradient of the whole.
    """
    own = verdicts.softmax(1).mean(0)  # [K]
    whole = own.detach().clone()
    mesh.average([whole])
    mean = own + (whole - own.detach())
    return torch.special.xlogy(mean, mean).sum() + math.log(len(mean))


def teach(recipe: Recipe, nets: nn.ModuleDict, trainer: Trainer) -> None:
    """Give the guide the weights of a classifier trained on the training pictures and their labels.

    At most ``guide_images`` pictures, fewer where it has learned enough before. A function of the data
    and the seed; the first process learns, all get the same.
    """
    key = (trainer.dataset.fingerprint, recipe.seed, recipe.held_out, recipe.guide_images)
    key += (recipe.mirror, str(trainer.device))
    if key not in _taught:
        learned = learn(recipe, trainer).cpu().state_dict() if mesh.is_first() else None
        _taught.clear()
        _taught[key] = cast(dict[str, Tensor], mesh.first(learned))
    nets["guide"].load_state_dict(_taught[key])


def learn(recipe: Recipe, trainer: Trainer) -> Guide:
    """Return a trained guide, and say how well it knows the classes. AdamW, its rate falling to 0."""
    begun, seed = time.perf_counter(), seed_of("guide", recipe.seed)
    with torch.random.fork_rng(devices=[]):
        torch.random.default_generator.manual_seed(seed)
        guide = Guide(recipe.channels, recipe.classes).to(trainer.device)
    noise = torch.Generator(trainer.device).manual_seed(seed)
    order, batch = Order(len(trainer.rows), recipe.seed), min(BATCH, len(trainer.rows))
    optimizer = torch.optim.AdamW(guide.requires_grad_(True).parameters(), lr=1e-3)
    losses: list[float] = []
    for start in range(0, recipe.guide_images, batch):
        optimizer.param_groups[0]["lr"] = 1e-3 * (1 - start / recipe.guide_images)
        images, labels = trainer.fetch(trainer.rows[order.indices(start, batch)])
        with torch.enable_grad():
            loss = F.cross_entropy(guide(_varied(images, noise, recipe.mirror)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if len(losses) % 50 == 0 and np.mean(losses[-50:]) < LEARNED:
            break
    guide.requires_grad_(False)
    kept = trainer.held_out if len(trainer.held_out) else trainer.rows
    guide.accuracy.fill_(_accuracy(guide, trainer, kept))
    whose = "kept from it" if len(trainer.held_out) else "it learned from"
    print(
        f"guide: a classifier tells the class of {guide.accuracy:.1%} of {len(kept):,} pictures "
        f"{whose}; it took {duration(time.perf_counter() - begun)}",
        file=sys.stderr,
    )
    return guide


def _varied(images: Tensor, noise: torch.Generator, mirror: bool) -> Tensor:
    """Return a batch shifted by up to an eighth, perhaps mirrored, with noise: no pixel tells the class."""
    side, device = images.shape[-1], images.device
    reach = side // 8
    x, y = torch.randint(2 * reach + 1, (2,), generator=noise, device=device).tolist()
    images = F.pad(images, [reach] * 4, "reflect")[:, :, y : y + side, x : x + side]
    if mirror and torch.rand((), generator=noise, device=device) < 0.5:
        images = images.flip(3)
    return images + 0.1 * torch.randn(images.shape, generator=noise, device=device)


@torch.no_grad()
def _accuracy(guide: Guide, trainer: Trainer, rows: np.ndarray) -> float:
    """Share of these pictures whose class the guide tells."""
    right = 0
    for start in range(0, len(rows), 4 * BATCH):
        images, labels = trainer.fetch(rows[start : start + 4 * BATCH])
        right += int((guide(images).argmax(1) == labels).sum())
    return right / len(rows)
