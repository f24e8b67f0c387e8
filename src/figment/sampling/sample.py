"""``figment sample``: pictures of a run by seed, into a grid, a folder, a zip or an array."""

from __future__ import annotations

import math
from pathlib import Path

import torch

from figment.errors import UserError
from figment.progress import progress_bar
from figment.sampling.generator import Generator
from figment.sampling.pictures import LARGEST_GRID, PICTURE_ENDINGS, Pictures, save_each

LARGEST_ARRAY = 4 << 30
"""Bytes of an array of samples, which is made in memory."""
MOST = 10_000_000
"""Samples of one command."""
BATCH = 64


def files_of(out: Path, count: int, seed: int) -> list[Path]:
    """Return what samples would be written to; of the pictures in a folder those that are there."""
    if out.suffix or not out.is_dir():
        return [out]
    wanted = range(seed, seed + count)
    pictures = (path for path in out.iterdir() if path.suffix == ".png")
    return [
        p for p in pictures if p.stem.isdecimal() and p.stem.isascii() and int(p.stem) in wanted
    ]


def write_samples(
    generator: Generator,
    out: Path,
    *,
    count: int,
    seed: int = 0,
    label: str | None = None,
    truncation: float | None = None,
    progress: bool = True,
) -> str:
    """Write the pictures of seeds ``seed`` to ``seed + count - 1``; return a sentence that says where.

    ``label`` names the class of them all; without it the classes come in turn. Single pictures are
    written as they are made, so any number fits in memory.
    """
    if count < 1:
        raise UserError(f"count must be above 0, not {count}")
    if not 0 <= seed < 2**63 - MOST:
        raise UserError(f"seed must be 0 or more and below {2**63 - MOST}, not {seed}")
    if count > MOST:
        raise UserError(f"count must be at most {MOST:,}: draw the rest with another --seed")
    one_file = out.suffix.lower() in (*PICTURE_ENDINGS, ".npy", ".npz")
    if one_file and out.suffix.lower() in PICTURE_ENDINGS and count > LARGEST_GRID:
        raise UserError(
            f"a grid of {count:,} pictures is too large: give --out a folder or FILE.zip"
        )
    if one_file and count * math.prod(generator.recipe.shape) > LARGEST_ARRAY:
        raise UserError(
            f"an array of {count:,} samples is too large for memory: give --out a folder or FILE.zip"
        )
    if generator.recipe.kind == "points" and not one_file:
        raise UserError("points have no single pictures: give --out FILE.png or FILE.npy")
    seeds = range(seed, seed + count)
    parts = generator.batches(seeds, label=label, truncation=truncation, batch=BATCH)
    total = -(-count // BATCH)
    shown = progress and total >= 4
    through = progress_bar(parts, total=total, unit=" batches", desc="sampling", shown=shown)
    if one_file:
        Pictures(torch.cat(list(through)).numpy()).save(out)
    else:
        save_each((part.numpy() for part in through), out, seed=seed)
    of = "" if label is None else f" of {label}"
    return f"{out}: {count:,} samples{of}, seeds {seed} to {seed + count - 1}"
