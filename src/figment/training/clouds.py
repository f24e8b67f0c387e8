"""What a training of points leaves beside its numbers: clouds, and how many modes they reach."""

from __future__ import annotations

import numpy as np
import torch

from figment.data.points import MIXTURES
from figment.sampling.cloud import COUNT, SIDE, Cloud, places, span
from figment.sampling.generator import Generator
from figment.sampling.pictures import Pictures
from figment.training.trainer import Trainer


def cloud(trainer: Trainer, points: Pictures) -> Cloud:
    """Return points with what the discriminator thinks of the plane about them."""
    asked = torch.from_numpy(places(span(points.mixture))).to(trainer.device)
    with torch.inference_mode():
        logits = trainer.recipe.judged(trainer.nets, asked)
    if logits is None:
        return Cloud(points.array, np.zeros((0, 0), np.float32))
    return Cloud(points.array, logits.float().reshape(SIDE, SIDE).cpu().numpy())


def modes_reached(trainer: Trainer) -> dict[str, float]:
    """Return the columns of the log that count modes, {} where none are known.

    A mode is reached by one sample of ``COUNT`` within three standard deviations of its centre, as in
    published tables (``figment.metrics.modes``); of high quality are all samples so near to a mode.
    """
    mixture = MIXTURES.get(trainer.feed.dataset.name) if trainer.recipe.kind == "points" else None
    if mixture is None:
        return {}
    generator = Generator(trainer.recipe, trainer.averaged_generator())
    counts = mixture.counts(generator.sample(COUNT, batch=COUNT).array)
    return {
        "modes/reached": int((counts > 0).sum()),
        "modes/all": len(counts),
        "modes/high_quality": round(float(counts.sum()) / COUNT, 6),
    }
