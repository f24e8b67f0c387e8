"""The two sides of a comparison: pictures, and what the features see in them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from figment import mesh
from figment.data import Dataset, evenly_spaced
from figment.data.cache import folder_for, key_of, write_card
from figment.data.repeats import distinct, portraits
from figment.metrics.features import Extractor, Features, extract
from figment.sampling.generator import Generator

BATCH = 64
MOST_COMPARED = 15_000
"""Pictures of a side that are compared each with each."""
MOST_PICTURES = 2_000
"""Pictures of a side that a score looks at as pictures, not as features."""


@dataclass(frozen=True)
class Side:
    """Pictures or points, and what is measured on them."""

    images: np.ndarray
    """uint8 [N, C, R, R], which may be a file's map, or points [N, 2] float32."""
    rows: np.ndarray
    """Which rows of ``images`` these are [M] int64."""
    features: Tensor
    """[M, D] float32; of points the coordinates."""
    labels: Tensor
    """Classes [M] int64, all 0 where there are none."""
    logits: Tensor | None = None
    """Class scores [M, K] of the feature network, where it has them."""

    def __len__(self) -> int:
        return len(self.features)

    def of(self, chosen: Tensor) -> Side:
        """Return a part: ``chosen`` are numbers [K] or a mask [M]."""
        logits = None if self.logits is None else self.logits[chosen]
        return Side(
            self.images,
            self.rows[chosen.numpy()],
            self.features[chosen],
            self.labels[chosen],
            logits,
        )

    def at_most(self, count: int | None) -> Side:
        """Return so many of it, evenly spread; all where there are no more, or ``count`` is None."""
        if count is None or len(self) <= count:
            return self
        return self.of(torch.linspace(0, len(self) - 1, count, dtype=torch.float64).round().long())

    @cached_property
    def distinct(self) -> Side:
        """The part in which no picture repeats an earlier one, saved again or mirrored.

        Of more than ``MOST_COMPARED``, and of points, no row repeats the features of an earlier one.
        """
        if self.images.ndim == 4 and len(self) <= MOST_COMPARED:
            return self.of(torch.from_numpy(distinct(portraits(self.images, self.rows))))
        _, first = np.unique(self.features.numpy(), axis=0, return_index=True)
        return self.of(torch.from_numpy(np.sort(first)))

    def pictures(self, most: int = MOST_PICTURES) -> np.ndarray:
        """Return pictures [K, C, R, R], at most so many, evenly spread."""
        return np.ascontiguousarray(self.images[evenly_spaced(self.rows, most)])


def real_side(
    dataset: Dataset, rows: np.ndarray, extractor: Extractor | None, *, progress: bool = False
) -> Side:
    """Return the chosen rows of a data set with their features, which are kept in the cache.

    ``extractor`` None: the rows are points, and their own features.
    """
    labels = torch.from_numpy(dataset.labels[rows])
    if extractor is None:
        points = np.asarray(dataset.rows[rows], np.float32)
        return Side(dataset.rows, rows, torch.from_numpy(points), labels)
    of_rows = hashlib.sha256(rows.tobytes()).hexdigest()
    key = key_of("features", fingerprint(extractor), dataset.fingerprint, of_rows)

    def build(folder: Path) -> None:
        batches = (dataset.rows[rows[i : i + BATCH]] for i in range(0, len(rows), BATCH))
        found = extract(extractor, batches, total=len(rows), progress=progress)
        for name, tensor in zip(Features._fields, found, strict=True):
            if tensor is not None:
                np.save(folder / f"{name}.npy", tensor.numpy())
        write_card(folder, {"features": extractor.protocol, "data": dataset.name})

    folder = folder_for(key, build, needed=8 * len(rows) * extractor.width)
    found = [
        torch.from_numpy(np.load(path)) if (path := folder / f"{name}.npy").exists() else None
        for name in Features._fields
    ]
    assert found[0] is not None
    return Side(dataset.rows, rows, found[0], labels, found[1])


def fingerprint(extractor: Extractor) -> str:
    """Return what tells a feature network from others of its name: its protocol and what it sees.

    Its features of two fixed pictures, to two digits of the largest: other weights, or other code, give
    others, and so does another machine hardly ever.
    """
    ramp = torch.arange(64, dtype=torch.uint8).mul(3).expand(3, 64, 64)
    seen = extractor(torch.stack([ramp, ramp.transpose(1, 2).flip(0)])).values
    digits = (seen / seen.abs().max().clamp(min=1e-12) * 100).round().to(torch.int8).numpy()
    return f"{extractor.protocol} {hashlib.sha256(digits.tobytes()).hexdigest()}"


def sample_side(
    generator: Generator,
    count: int,
    extractor: Extractor | None,
    *,
    seed: int = 0,
    truncation: float | None = None,
    progress: bool = False,
) -> Side:
    """Return the samples of seeds ``seed`` to ``seed + count - 1`` with their features.

    Under torchrun every process draws its share of them, and all get the whole.
    """
    mine = np.array_split(np.arange(seed, seed + count), mesh.size())[mesh.rank()].tolist()
    drawn: list[Tensor] = []

    def keep(batches: Iterator[Tensor]) -> Iterator[Tensor]:
        for batch in batches:
            drawn.append(batch)
            yield batch

    batches = keep(generator.batches(mine, truncation=truncation, batch=BATCH))
    if extractor is None:
        found = Features(torch.cat(list(batches)), None)
    else:
        shows = progress and mesh.is_first()
        found = extract(extractor, batches, total=len(mine), progress=shows)
    images = mesh.gather(torch.cat(drawn)).numpy()
    given = generator.recipe.labels_for(range(seed, seed + count), torch.device("cpu"))
    labels = torch.zeros(count, dtype=torch.int64) if given is None else given
    logits = None if found.logits is None else mesh.gather(found.logits)
    return Side(images, np.arange(count), mesh.gather(found.values), labels, logits)
