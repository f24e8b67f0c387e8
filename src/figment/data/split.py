"""Which examples are kept out of training, so that scores can be honest."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np

from figment.data.dataset import Dataset
from figment.data.repeats import portraits, repeated
from figment.errors import UserError
from figment.randomness import stream

FEWEST = 200
"""Below this many examples none is kept out: each of so few is worth more in training."""
MOST = 2_000
"""No more than this many are kept out: enough for every score that asks for held-out examples."""
GLANCE = 256
"""Candidates that are looked up among all pictures at a time."""


def split(dataset: Dataset, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the examples to train on and those held out, int64, each in increasing order.

    Where ``dataset.held_out`` records the division of a run, that one. Otherwise ``share`` of the examples
    are held out, at most ``MOST``, and none of fewer than ``FEWEST``. A picture and its repeats
    (``repeats.repeated``: saved again, resized, mirrored) are on one side, since a held-out picture
    that was trained on in another file says nothing; what repeats too often to fit is trained on. A
    pure function of the examples and its arguments, the same as ``at_random`` where nothing repeats.
    Raises UserError where nothing would be left to train on.
    """
    if dataset.held_out is not None:
        out = np.array(dataset.held_out, np.int64)
    elif dataset.rows.dtype == np.uint8:
        out = _apart(dataset, share, seed)
    else:  # points repeat only by their numbers, and those are drawn
        return at_random(len(dataset), share, seed)
    kept = np.ones(len(dataset), bool)
    kept[out] = False
    return np.flatnonzero(kept), np.sort(out)


def at_random(count: int, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the division of ``count`` examples that looks at none of them, as ``split`` does.

    Runs whose machine.json records no division were trained on this one.
    """
    out = _wanted(count, share)
    shuffled = stream("held out", seed).permutation(count)
    return np.sort(shuffled[out:]), np.sort(shuffled[:out])


def with_division(dataset: Dataset, recorded: list[int] | None, share: float, seed: int) -> Dataset:
    """Return a run's data set with the division that its machine.json has ``recorded``.

    None: the run is of a time when examples were divided ``at_random`` and nothing was recorded. Raises
    ValueError for a record that is no division of these examples.
    """
    if recorded is None:
        out = at_random(len(dataset), share, seed)[1].tolist()
        return replace(dataset, held_out=tuple(out))
    known = isinstance(recorded, list) and all(type(row) is int for row in recorded)
    inside = known and all(0 <= row < len(dataset) for row in recorded)
    if not inside or len(set(recorded)) == len(dataset):
        raise ValueError("what it says was held out is no part of the data")
    return replace(dataset, held_out=tuple(recorded))


def _wanted(count: int, share: float) -> int:
    out = min(MOST, round(share * count)) if count >= FEWEST else 0
    if 0 < count <= out:
        raise UserError(f"held_out {share} of {count} leaves nothing to train on: lower it")
    return out


def _apart(dataset: Dataset, share: float, seed: int) -> np.ndarray:
    """Return the rows held out: whole groups of repeats, in random order, while they fit."""
    wanted = _wanted(len(dataset), share)
    if not wanted:
        return np.empty(0, np.int64)
    return np.array(_groups(_Held(dataset), wanted, seed), np.int64)


class _Held:
    """A data set as a key of the cache below: by its content."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.key = (dataset.fingerprint, dataset.rows.shape)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)


@functools.lru_cache(4)
def _groups(held: _Held, wanted: int, seed: int) -> tuple[int, ...]:
    seen = portraits(held.dataset.rows)
    order = stream("held out", seed).permutation(len(seen))
    taken = np.zeros(len(seen), bool)
    out: list[int] = []
    for start in range(0, len(order), GLANCE):
        rows = order[start : start + GLANCE]
        for row, group in zip(rows, repeated(seen[rows], seen), strict=True):
            group = np.union1d(group, [row])
            if len(out) == wanted:
                return tuple(out)
            if taken[group].any() or len(out) + len(group) > wanted:
                continue
            taken[group] = True
            out += group.tolist()
    return tuple(out)
