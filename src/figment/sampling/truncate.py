"""``figment truncate``: the same latents cut off ever further, a row each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from figment.errors import UserError
from figment.sampling.captions import beside_rows
from figment.sampling.generator import FAR, Generator
from figment.sampling.pictures import PICTURE_ENDINGS, check_grid, save_image, tile

STUDY = (0.01, 1.5, None)
"""The Flowers study's thresholds of latents: near copies, a compromise, none."""
IN_STYLES = (0.01, 0.5, None)
"""Shares of the way from the mean style: near copies, a compromise, none. Above 1 it exaggerates."""


def truncate(
    generator: Generator,
    out: Path,
    *,
    values: Sequence[float | None] = (),
    count: int = 10,
    seed: int = 0,
    label: str | None = None,
) -> str:
    """Write the picture and return a sentence that says where.

    Each row draws the seeds from ``seed`` on with its latents cut off at one value, or with styles left
    that share of the way from their mean (None: not at all), and says which. Without values ``STUDY`` or
    ``IN_STYLES``. Raises UserError.
    """
    if out.suffix.lower() not in PICTURE_ENDINGS:
        raise UserError(f"{out}: give --out FILE.png")
    if generator.recipe.kind == "points":
        raise UserError("points have no pictures to put in rows: give a run of pictures")
    values = values or (IN_STYLES if generator.recipe.styled else STUDY)
    check_grid(count * len(values), out)
    rows = [
        generator.sample(count, seed=seed, label=label, truncation=value).array for value in values
    ]
    by = "to" if generator.recipe.styled else "at"
    names = ["no truncation" if value is None else f"truncated {by} {value:g}" for value in values]
    save_image(beside_rows(tile(np.concatenate(rows), count), names), out, page=True)
    return f"{out}: {count} latents, {len(rows)} rows: {', '.join(names)}"


def threshold(word: str) -> float | None:
    """Return what a word among ``--values`` says: a number above 0, or none. Raises UserError."""
    if word.lower() == "none":
        return None
    try:
        value = float(word)
    except ValueError:
        value = 0.0
    if not 0 < value <= FAR:
        raise UserError(f"a value is a number above 0 or none, at most {FAR:g}, not {word}")
    return value
