"""The sets that need no download: ``flowers``, ``ring`` and ``grid``."""

from __future__ import annotations

import hashlib
import inspect

import numpy as np

from figment.data import flowers, points
from figment.data.dataset import Dataset
from figment.data.square import Form
from figment.errors import UserError

COUNTS = {"flowers": 4000, "ring": 100_000, "grid": 100_000}
LUMA = np.array([19595, 38470, 7471], np.uint32)  # / 65536: the weights and rounding of Pillow's L


def builtin(source: str) -> tuple[str, int] | None:
    """Return the name and the count of a built-in set (``flowers``, ``ring:5000``), or None.

    A folder of the same name is reached as ``./flowers``.
    """
    name, colon, count = source.partition(":")
    if name not in COUNTS:
        return None
    if not colon:
        return name, COUNTS[name]
    if not (count.isascii() and count.isdecimal() and 0 < int(count) <= 100_000_000):
        raise UserError(
            f"{source!r} needs a count above 0: write how many after the colon, {name}:5000"
        )
    return name, int(count)


def point_set(source: str, seed: int) -> Dataset:
    """Return a set of points, rows [N, 2] float32, whose labels are the numbers of their modes.

    Its ``classes`` are empty all the same: a mode is what a generator must find by itself.
    """
    name, count = builtin(source) or ("", 0)
    rows, modes = (points.ring if name == "ring" else points.grid)(count, seed)
    fingerprint = hashlib.sha256(rows.tobytes()).hexdigest()
    return Dataset(name, source, rows, modes.astype(np.int64), (), fingerprint)


def drawn(start: int, stop: int, form: Form, seed: int) -> np.ndarray:
    """Return the flowers from ``start`` to ``stop`` as uint8 ``[B, C, R, R]``; grey as luma."""
    images, _ = flowers.draw_flowers(range(start, stop), form.resolution, seed)
    if form.channels == 3:
        return images
    luma = np.einsum("bchw,c->bhw", images.astype(np.uint32), LUMA)
    return ((luma + 0x8000) >> 16).astype(np.uint8)[:, None]  # [B, 1, R, R]


def flower_labels(count: int, seed: int) -> np.ndarray:
    """Return the labels of the first flowers, ``[count]`` int64, without painting them."""
    return np.array([flowers.factors(index, seed).label for index in range(count)], np.int64)


def drawing_code() -> str:
    """Return a digest of the code that draws flowers: another version of it draws another set."""
    return hashlib.sha256(inspect.getsource(flowers).encode()).hexdigest()
