"""Real examples ready to be gathered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from figment.data.noticed import Noticed


@dataclass(frozen=True)
class Dataset:
    """Real examples ready to be gathered.

    ``fingerprint`` is the same on every machine for the same examples under the same options: see
    ``open_dataset``. ``duplicates`` counts the files that repeat an earlier one byte for byte.
    ``held_out``: the rows that a run has recorded as kept out of its training; see ``split``.
    """

    name: str  # short name for run folders: "cats64" for cats64.zip
    source: str  # what the user gave
    rows: np.ndarray  # [N, C, R, R] uint8, memory-mapped; or [N, 2] float32 for point sets
    labels: np.ndarray  # [N] int64, all 0 where there are no classes
    classes: tuple[str, ...]  # () where there are no classes
    fingerprint: str  # sha256, hex
    skipped: tuple[tuple[str, str], ...] = ()  # (file, reason)
    duplicates: int = 0
    held_out: tuple[int, ...] | None = None
    notice: Callable[[], Noticed] = Noticed  # what was noticed of the examples; see ``Noticed``
    folders: str = "auto"  # what folders were taken for; see ``find_pictures``

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one example: ``(C, R, R)``, or ``(2,)`` for points."""
        return self.rows.shape[1:]

    def shares(self) -> tuple[float, ...]:
        """Return the share of each class, rounded to 6 digits, or () where all are of one size."""
        sizes = np.bincount(self.labels, minlength=len(self.classes))
        if len(set(sizes.tolist())) == 1:
            return ()
        return tuple(round(float(size) / len(self), 6) for size in sizes)

    def __len__(self) -> int:
        return len(self.rows)
