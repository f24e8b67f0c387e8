"""In which order examples are shown, fetching them, and taking some of them at even steps."""

from __future__ import annotations

import numpy as np

from figment.data.dataset import Dataset
from figment.randomness import stream


def gather(dataset: Dataset, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return copies of the chosen rows, ``[B, *shape]`` in C order, and labels, ``[B]`` int64.

    Touches only the pages of the memory map that hold these rows.
    """
    rows = np.take(np.asarray(dataset.rows), indices, axis=0)
    return np.ascontiguousarray(rows), np.take(dataset.labels, indices)


def evenly_spaced(rows: np.ndarray, most: int) -> np.ndarray:
    """Return at most ``most`` of the rows, evenly spaced: of every class, where they are in order."""
    return rows[np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(int)]


class Order:
    """An endless shuffled order of ``n`` examples: a pure function of (seed, position).

    Epoch e is the permutation ``stream("order", seed, e).permutation(n)``, so any position can be
    reached at once and a resumed run sees what an undisturbed one would have seen. Costs 16 bytes
    an example: the current epoch and the next are kept.
    """

    def __init__(self, n: int, seed: int) -> None:
        if n < 1:
            raise ValueError(f"an order needs at least 1 example, not {n}")
        self.n, self.seed = n, seed
        self._epochs: dict[int, np.ndarray] = {}

    def indices(self, position: int, count: int) -> np.ndarray:
        """Return the examples shown from ``position`` on, ``[count]`` int64. May span epochs."""
        if position < 0 or count < 0:
            raise ValueError(f"position and count cannot be negative, not {position} and {count}")
        parts = [np.empty(0, np.int64)]
        end = position + count
        while position < end:
            epoch, start = divmod(position, self.n)
            stop = min(self.n, start + end - position)
            parts.append(self._permutation(epoch)[start:stop])
            position += stop - start
        return np.concatenate(parts)

    def _permutation(self, epoch: int) -> np.ndarray:
        if epoch not in self._epochs:
            shuffled = stream("order", self.seed, epoch).permutation(self.n)
            kept = {e: p for e, p in self._epochs.items() if abs(e - epoch) == 1}
            self._epochs = dict(list(kept.items())[-1:]) | {epoch: shuffled}
        return self._epochs[epoch]
