"""``figment evolve``: the same latents and classes through a training, as a strip or a film."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from figment.data import evenly_spaced
from figment.data.printing import counted
from figment.errors import UserError
from figment.progress import progress_bar
from figment.sampling.captions import beside_rows
from figment.sampling.film import FILM_ENDINGS, check_film, save_film
from figment.sampling.generator import Generator
from figment.sampling.pictures import PICTURE_ENDINGS, check_grid, save_image, tile
from figment.sampling.walk import enlarged

FPS = 4
"""Moments a second of a film."""
ROWS = 10
"""Moments that a strip shows, at most."""
Moment = tuple[int, Callable[[], Generator]]
"""Images seen, and what opens the generator of that time."""


def evolve(
    moments: Sequence[Moment],
    out: Path,
    *,
    count: int = 10,
    seed: int = 0,
    label: str | None = None,
    fps: int | None = None,
    progress: bool = True,
) -> str:
    """Write the picture or the film of a run's snapshots and return a sentence that says where.

    A picture has a row for each of at most ``ROWS`` moments, early ones closer together as they are
    saved, and says after how many images; a film shows every moment, the last one longer. Columns are
    the seeds from ``seed`` on. ``fps`` is of a film, FPS if it is not said. Raises UserError.
    """
    film = out.suffix.lower() in FILM_ENDINGS
    if film:
        check_film(out)
    elif out.suffix.lower() not in PICTURE_ENDINGS:
        raise UserError(f"{out}: give --out FILE.png, FILE.gif, FILE.webp or FILE.mp4")
    elif fps is not None:
        raise UserError(f"{out} is no film: leave --fps out, or give --out FILE.gif or FILE.mp4")
    if not moments:
        raise UserError("this run has no snapshots yet: train it longer")
    chosen = moments if film else _some(moments)
    check_grid(count * len(chosen), out)
    if chosen[0][1]().recipe.kind == "points":
        raise UserError("points have no pictures: samples/ in the run shows them through time")
    rows, names = [], []
    shown = progress and len(chosen) >= 4
    for images, open_generator in progress_bar(
        chosen, unit=" snapshots", desc="drawing", shown=shown
    ):
        rows.append(open_generator().sample(count, seed=seed, label=label).array)
        names.append(f"{images:,} images")
    if film:
        frames = _frames(rows, names)
        fps = FPS if fps is None else fps
        save_film([*frames, *frames[-1:] * 2 * fps], out, fps=fps)
    else:
        save_image(beside_rows(tile(np.concatenate(rows), count), names), out, page=True)
    drawn = f"{out}: {counted(count, 'latent')} at {counted(len(rows), 'moment')}"
    return f"{drawn}, from {names[0]} to {names[-1]}" if len(rows) > 1 else f"{drawn}, {names[0]}"


def _some(moments: Sequence[Moment]) -> list[Moment]:
    """Return at most ``ROWS`` of the moments, the first and the last among them, evenly by number."""
    return [moments[place] for place in evenly_spaced(np.arange(len(moments)), ROWS)]


def _frames(rows: Sequence[np.ndarray], names: Sequence[str]) -> list[Image.Image]:
    """A frame for each moment: its grid, and beside it when that was."""
    frames = [
        beside_rows(enlarged(tile(row)), [name]) for row, name in zip(rows, names, strict=True)
    ]
    width = max(frame.width for frame in frames)
    return [_widened(frame, width) for frame in frames]


def _widened(frame: Image.Image, width: int) -> Image.Image:
    """The frame with white on its left, so that all are as wide."""
    page = Image.new("RGB", (width, frame.height), (255, 255, 255))
    page.paste(frame, (width - frame.width, 0))
    return page
