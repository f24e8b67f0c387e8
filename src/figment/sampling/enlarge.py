"""``figment sample --per-class``: a data set made larger, as a folder with a manifest."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from torch import Tensor

from figment.data.names import file_names
from figment.errors import UserError
from figment.files import cannot_write, replacing
from figment.metrics.features import extract
from figment.metrics.memorisation import nearest
from figment.progress import progress_bar
from figment.sampling.generator import Generator
from figment.sampling.pictures import save_image, to_image

if TYPE_CHECKING:
    from figment.metrics.features import Extractor

BATCH = 64
MOST = 1_000_000
"""Pictures of a class."""
COPY = 0.01
"""A sample is called a copy where it is nearer to a training picture than this share of training pictures
are to each other."""
PATIENCE = 20
"""Seeds that are tried for every picture that is wanted, before copies are all there is."""
COLUMNS = ("file", "class", "seed", "truncation", "nearest", "copy")


class Known(NamedTuple):
    """The training pictures, as samples are compared with them."""

    extractor: Extractor
    features: Tensor
    """[N, D]"""
    usual: Tensor
    """[N] each one's distance to the nearest other, ascending."""

    def of(self, pictures: Tensor) -> list[float]:
        """Return each picture's distance to the nearest training picture, over their median distance."""
        found = extract(self.extractor, [pictures]).values
        return (nearest(found, self.features)[0][:, 0] / self.usual.median()).tolist()

    def threshold(self) -> float:
        """Return the distance, over the median one, under which a picture is called a copy."""
        return float(self.usual[int(COPY * len(self.usual))] / self.usual.median())


class Made(NamedTuple):
    """A picture for the enlarged set."""

    pixels: np.ndarray
    seed: int
    nearest: float
    copy: bool


def known(extractor: Extractor, pictures: np.ndarray, rows: np.ndarray) -> Known:
    """Return what samples are compared with: these rows of uint8 pictures [N, C, R, R]."""
    batches = (pictures[rows[start : start + BATCH]] for start in range(0, len(rows), BATCH))
    features = extract(extractor, batches, total=len(rows), progress=True).values
    usual = nearest(features, features, exclude_self=True)[0][:, 0].sort().values
    return Known(extractor, features, usual.clamp(min=1e-12))


def enlarge(
    generator: Generator,
    out: Path,
    reals: Known,
    *,
    per_class: int,
    label: str | None = None,
    seed: int = 0,
    truncation: float | None = None,
    copies: bool = True,
) -> str:
    """Write ``per_class`` pictures of each class and ``manifest.csv``; return a sentence that says where.

    A folder a class (only that of ``label`` with it), or one of them all where there are no classes; every
    reader of image folders takes it. The manifest names each file's class, seed, truncation, distance to
    the nearest training picture (1: as far as training pictures are from each other at the median)
    and whether it is a copy by it. Without ``copies`` further seeds take their places. Raises UserError
    where they cannot, or where ``out`` is not a new or empty folder.
    """
    if not 0 < per_class <= MOST:
        raise UserError(f"per_class must be above 0 and at most {MOST:,}, not {per_class}")
    if generator.recipe.kind == "points":
        raise UserError("points are no pictures: `figment sample RUN --out FILE.npy` writes them")
    if out.suffix or (out.exists() and (not out.is_dir() or any(out.iterdir()))):
        raise UserError(f"{out}: give --out a new folder")
    # A wrong name, seed or truncation is refused before anything is written.
    generator.batches(range(seed, seed + 1), label=label, truncation=truncation)
    names: Sequence[str | None] = (label,) if label else generator.classes or (None,)
    folders = dict(zip(generator.classes, file_names(generator.classes), strict=True))
    lines: list[tuple[object, ...]] = []
    seen = 0
    bar = progress_bar(total=per_class * len(names), unit=" pictures", desc="enlarging")
    try:
        try:
            for name in names:
                folder = out / folders[name] if name else out
                folder.mkdir(parents=True, exist_ok=True)
                made = _made(generator, name, reals, seed, truncation)
                for one in _wanted(made, per_class, copies=copies, name=name):
                    file = folder / f"{one.seed:06d}.png"
                    save_image(to_image(one.pixels), file, page=False)
                    lines.append(_line(file.relative_to(out), name, truncation, one))
                    bar.update()
                seen += one.seed - seed + 1
        finally:  # of what is there, where copies were all there was, too
            _write_manifest(out / "manifest.csv", lines)
    except OSError as error:
        raise UserError(cannot_write(out, error)) from error
    finally:
        bar.close()
    share = sum(line[-1] == 1 for line in lines) / len(lines)
    said = f"{share:.1%} of them copies" if copies else f"{seen - len(lines):,} copies left out"
    return f"{out}: {len(lines):,} pictures, {said}, manifest.csv"


def _wanted(made: Iterator[Made], number: int, *, copies: bool, name: str | None) -> Iterator[Made]:
    """So many of the pictures, without the copies among them unless they are wanted too."""
    tried = islice(made, number * PATIENCE)
    kept = 0
    for one in tried:
        if copies or not one.copy:
            yield one
            kept += 1
        if kept == number:
            return
    raise UserError(
        f"only {kept} of {number * PATIENCE} samples{f' of {name}' if name else ''} are no copies: "
        "the generator repeats its training pictures, see `figment doctor`"
    )


def _made(
    generator: Generator,
    name: str | None,
    reals: Known,
    seed: int,
    truncation: float | None,
) -> Iterator[Made]:
    """Pictures of a class, seed after seed without an end."""
    limit = reals.threshold()
    for start in count(seed, BATCH):
        seeds = range(start, start + BATCH)
        (drawn,) = generator.batches(seeds, label=name, truncation=truncation, batch=BATCH)
        for pixels, own, distance in zip(drawn, seeds, reals.of(drawn), strict=True):
            yield Made(pixels.numpy(), own, distance, distance < limit)


def _line(file: Path, name: str | None, truncation: float | None, one: Made) -> tuple[object, ...]:
    """A line of the manifest, see ``COLUMNS``."""
    cut = "" if truncation is None else truncation
    return file.as_posix(), name or "", one.seed, cut, f"{one.nearest:.4f}", int(one.copy)


def _write_manifest(path: Path, lines: list[tuple[object, ...]]) -> None:
    with replacing(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(lines)
