"""What is seen of a training of points: the discriminator's landscape, and how many modes are reached."""

from __future__ import annotations

import numpy as np
import torch

from figment.data.points import MIXTURES
from figment.sampling.cloud import COUNT, SIDE, places, span
from figment.sampling.generator import Generator
from figment.sampling.pictures import Pictures
from figment.training.trainer import Trainer


def landscape(trainer: Trainer, drawn: Pictures) -> np.ndarray | None:
    """Return what the discriminator thinks of the plane about points [SIDE, SIDE], None of pictures.

    None too where it does not judge single points.
    """
    if drawn.array.ndim > 2:
        return None
    asked = torch.from_numpy(places(span(drawn.mixture))).to(trainer.device)
    with torch.inference_mode():
        logits = trainer.recipe.judged(trainer.nets, asked)
    return None if logits is None else logits.float().reshape(SIDE, SIDE).cpu().numpy()


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
