"""The training pictures that those of a site are most like: carried only on request (``--neighbours``)."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import torch
from PIL import Image

from figment.errors import UserError
from figment.export.subject import Subject
from figment.judging.copying import yardstick
from figment.judging.sides import Side
from figment.metrics.copies import Gallery, threshold
from figment.run import Run
from figment.sampling.pictures import to_image

SEEDS = 256
"""Seeds, from 0 on, whose nearest training pictures a site knows."""
THUMBNAIL = 48
"""Pixels a side of a training picture that a site carries, at most."""


def neighbours(subject: Subject, *, trust: bool = False) -> dict[str, Any]:
    """Return "nearest" of model.json: by seed the most like training picture, and whether that is a copy.

    Likeness and what is a copy are those of ``figment evaluate`` (``figment.metrics.copies``). Raises
    UserError where the run or its data are not there.
    """
    if subject.run is None:
        raise UserError(
            f"{subject.weights} comes without its run, which knows the training pictures: leave "
            "--neighbours out, or export the run"
        )
    dataset, rows = Run(subject.run, trust=trust).training_data()
    nothing = torch.zeros(len(rows), 1)
    reals = Side(dataset.rows, rows, nothing, torch.zeros(len(rows), dtype=torch.long))
    gallery = Gallery(dataset.rows, rows)
    limit = threshold(yardstick(gallery, reals, None))
    drawn = subject.generator.sample(SEEDS).array
    likeness, places, _ = gallery.matches(drawn)
    shown = {place: number for number, place in enumerate(dict.fromkeys(places.tolist()))}
    return {
        "seeds": {
            str(seed): {
                "copy": bool(likeness[seed] >= limit),
                "likeness": round(float(likeness[seed]), 3),
                "picture": shown[int(places[seed])],
            }
            for seed in range(SEEDS)
        },
        "pictures": [_thumbnail(dataset.rows[rows[place]]) for place in shown],
    }


def carried(nearest: dict[str, Any]) -> str:
    """Return, as a sentence, what of the training data comes with ``nearest``."""
    return (
        f"thumbnails of {len(nearest['pictures']):,} training pictures, {THUMBNAIL} px, the nearest to the "
        f"pictures of seeds 0 to {SEEDS - 1}"
    )


def _thumbnail(pixels: np.ndarray) -> str:
    """Return a training picture [C, R, R] as an address that holds it."""
    image = to_image(np.asarray(pixels)).convert("RGB")
    image.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    data = io.BytesIO()
    image.save(data, "WEBP", quality=80)
    return f"data:image/webp;base64,{base64.b64encode(data.getvalue()).decode()}"
