"""Repeats: pictures that show the same as another, saved again, resized or mirrored."""

from __future__ import annotations

import numpy as np

SIDE = 16
"""Pictures are compared as grey squares of so many px: what JPEG changes averages out in them."""
FAR = 5.5
"""Levels of 255 that a repeat differs by, at most (root mean square of the grey squares).

Measured at 28 to 64 px: JPEG of quality 75 changes 99 % of pictures by under 4.7, of 50 by under 7.3. Of
3,000 pictures each of cats64, flowers2, CIFAR-10, MNIST and Fashion-MNIST all but one in a thousand
differ from every other, and its mirror image, by more than 8.7, and all by more than 7.6.
"""
SHARE = 0.25
"""Share of its own contrast that a picture's repeat differs by, at most: pale pictures differ by little."""
FLAT = 1.0
"""Levels of 255 that are no difference, however pale the picture."""
BLOCK = 1 << 24
"""Products held at a time."""


def portraits(images: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
    """Return pictures uint8 [N, C, H, W], or some ``rows``, as grey squares of at most ``SIDE`` px.

    float32 [N, D].
    """
    side = min(SIDE, *images.shape[2:])
    high, wide = (np.linspace(0, size, side + 1).astype(int) for size in images.shape[2:])
    areas = (np.diff(high)[:, None] * np.diff(wide)).ravel() * images.shape[1]
    step = max(1, BLOCK // int(np.prod(images.shape[1:])))
    chosen = np.arange(len(images)) if rows is None else rows
    parts = []
    for start in range(0, len(chosen), step):
        grey = images[chosen[start : start + step]].sum(1, dtype=np.uint32)  # [n, H, W]
        sums = np.add.reduceat(np.add.reduceat(grey, high[:-1], 1), wide[:-1], 2)
        parts.append((sums.reshape(len(grey), -1) / areas).astype(np.float32))
    return np.concatenate(parts) if parts else np.empty((0, side * side), np.float32)


def reach(seen: np.ndarray) -> np.ndarray:
    """Return how far a repeat of each of the ``portraits`` [N, D] may differ, root mean square [N]."""
    return np.maximum(FLAT, np.minimum(FAR, SHARE * seen.std(1)))


def repeated(queries: np.ndarray, known: np.ndarray) -> list[np.ndarray]:
    """Return for each of the ``queries`` [N, D] the rows of ``known`` [M, D] that show the same, ascending.

    Both are ``portraits``. What is mirrored shows the same too.
    """
    side = round(known.shape[1] ** 0.5)
    centre = known.mean(0, dtype=np.float64).astype(np.float32)
    others = known - centre
    lengths = np.square(others).sum(1)
    limits = np.square(reach(queries)) * known.shape[1]  # [N]
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


def distinct(seen: np.ndarray) -> np.ndarray:
    """Return which of ``portraits`` [N, D] to keep so that each shows something else: bool [N].

    Of pictures that show the same the first is kept.
    """
    keep = np.ones(len(seen), bool)
    for row, same in enumerate(repeated(seen, seen)):
        if keep[row]:
            keep[same[same > row]] = False
    return keep
