"""``figment sample``: pictures of a run by seed, into a grid, a folder, a zip or an array."""

from __future__ import annotations

import math
from pathlib import Path

import torch

from figment import mesh
from figment.data.printing import counted
from figment.errors import UserError
from figment.files import replacing
from figment.progress import progress_bar
from figment.sampling.drawn import BATCH, Row, drawn
from figment.sampling.generator import Generator
from figment.sampling.pictures import LARGEST_GRID, PICTURE_ENDINGS, Pictures, save_each

LARGEST_ARRAY = 4 << 30
"""Bytes of an array of samples, which is made in memory."""
MOST = 10_000_000
"""Samples of one command, outside shards."""
SINGLE = 10_000
"""Pictures that a folder gets as single files unless it is told otherwise; more become shards."""
ONE_FILE = (*PICTURE_ENDINGS, ".npy", ".npz", ".zip")


def form_of(out: Path | None, form: str | None, shards: int | None, count: int | None) -> str:
    """Return what a folder gets: "png", a file a picture; or shards, "wds" or "parquet".

    Raises UserError where shards are asked for that cannot be.
    """
    alone = out is None or out.suffix.lower() in ONE_FILE
    if alone and (form is not None or shards is not None):
        raise UserError("--format and --shards are of a folder: give --out DIR")
    if form == "png" and shards is not None:
        raise UserError("--shards are files of many pictures: choose --format wds or parquet")
    large = not alone and (shards is not None or (count or 0) > SINGLE)
    return form or ("wds" if large else "png")


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
        raise UserError(f"count must be at most {MOST:,} outside shards: add --format wds")
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
    row = Row(range(seed, seed + count), label, truncation)
    if one_file or out.suffix:
        if mesh.is_first():
            _write_one(generator, row, out, one_file, progress)
    else:
        _write_folder(generator, row, out, progress)
        mesh.barrier()
    of = "" if label is None else f" of {label}"
    seeds = f"seed {seed}" if count == 1 else f"seeds {seed} to {seed + count - 1}"
    return f"{out}: {counted(count, 'sample')}{of}, {seeds}"


def _write_one(generator: Generator, row: Row, out: Path, in_memory: bool, progress: bool) -> None:
    """Write a grid or an array, which is made in memory, or a zip, picture by picture."""
    how = {"label": row.label, "truncation": row.truncation, "batch": BATCH}
    parts = generator.batches(row.seeds, **how)
    total = -(-len(row.seeds) // BATCH)
    shown = progress and total >= 4
    through = progress_bar(parts, total=total, unit=" batches", desc="sampling", shown=shown)
    if in_memory:
        Pictures(torch.cat(list(through)).numpy()).save(out)
    else:
        save_each((part.numpy() for part in through), out, seed=row.seeds.start)


def _write_folder(generator: Generator, row: Row, out: Path, progress: bool) -> None:
    """Write a file a picture; of several processes each writes its share."""
    own = row.part(mesh.size(), mesh.rank())
    shown = progress and mesh.is_first() and len(own) >= 4 * BATCH
    samples = drawn(generator, row, own)
    for sample in progress_bar(
        samples, total=len(own), unit=" pictures", desc="sampling", shown=shown
    ):
        with replacing(out / f"{sample.seed:06d}.png") as temporary:
            temporary.write_bytes(sample.png)
