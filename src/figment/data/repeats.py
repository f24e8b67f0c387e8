"""Repeats: pictures that show the same as another, saved again, resized or mirrored."""

from __future__ import annotations

import numpy as np

SIDE = 16
"""Pictures are compared as grey squares of so many px: what JPEG changes averages out in them."""
FAR = 0.08
"""A repeat differs by less than this share of a picture's own contrast (root mean squares).

Measured at 16 px: JPEG of quality 30 changes 99 % of cats by under .04 and of flowers by under .05 of their
contrast, of quality 75 by under .02; different pictures of cats64, flowers2, CIFAR-10 and MNIST
differ by .2 or more but for 1 in 1,000.
"""
FLAT = 1.0
"""Levels of 255: pictures of less contrast than this are equal where they differ by no more."""
BLOCK = 1 << 24
"""Products held at a time."""


def portraits(rows: np.ndarray) -> np.ndarray:
    """Return pictures uint8 [N, C, H, W] as grey squares of at most ``SIDE`` px, float32 [N, D]."""
    side = min(SIDE, *rows.shape[2:])
    high, wide = (np.linspace(0, size, side + 1).astype(int) for size in rows.shape[2:])
    areas = (np.diff(high)[:, None] * np.diff(wide)).ravel() * rows.shape[1]
    step = max(1, BLOCK // int(np.prod(rows.shape[1:])))
    parts = []
    for start in range(0, len(rows), step):
        grey = rows[start : start + step].sum(1, dtype=np.uint32)  # [n, H, W]
        sums = np.add.reduceat(np.add.reduceat(grey, high[:-1], 1), wide[:-1], 2)
        parts.append((sums.reshape(len(grey), -1) / areas).astype(np.float32))
    return np.concatenate(parts) if parts else np.empty((0, side * side), np.float32)


def repeated(queries: np.ndarray, known: np.ndarray) -> list[np.ndarray]:
    """Return for each of the ``queries`` [N, D] the rows of ``known`` [M, D] that show the same, ascending.

    Both are ``portraits``. What is mirrored shows the same too.
    """
    side = round(known.shape[1] ** 0.5)
    centre = known.mean(0, dtype=np.float64).astype(np.float32)
    others = known - centre
    lengths = np.square(others).sum(1)
    limits = np.square(np.maximum(FLAT, FAR * queries.std(1))) * known.shape[1]  # [N]
    mirrored = queries.reshape(-1, side, side)[:, :, ::-1].reshape(queries.shape)
    found: list[np.ndarray] = []
    step = max(1, BLOCK // max(1, len(known)))
    for start in range(0, len(queries), step):
        near = np.zeros((len(queries[start : start + step]), len(known)), bool)
        for side_on in (queries, mirrored):
            part = side_on[start : start + step] - centre
            squares = np.square(part).sum(1)[:, None] + lengths - 2 * part @ others.T  # [n, M]
            near |= squares <= limits[start : start + step, None]
        found += [np.flatnonzero(row) for row in near]
    return found


def distinct(rows: np.ndarray) -> np.ndarray:
    """Return which pictures uint8 [N, C, H, W] to keep so that each shows something else: bool [N].

    Of pictures that show the same the first is kept.
    """
    seen = portraits(rows)
    keep = np.ones(len(rows), bool)
    for row, same in enumerate(repeated(seen, seen)):
        if keep[row]:
            keep[same[same > row]] = False
    return keep
