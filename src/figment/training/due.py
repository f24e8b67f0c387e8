"""When things are due, as pure functions of the images seen."""

from __future__ import annotations

import math


def due(before: int, now: int, every: int) -> bool:
    """Return whether a multiple of ``every`` lies in (before, now]."""
    return now // every > before // every


def due_wider(before: int, now: int, first: int, ratio: float) -> bool:
    """Return whether a mark first, first·ratio, first·ratio², ... lies in (before, now]."""
    return _marks(now, first, ratio) > _marks(before, first, ratio)


def _marks(images: int, first: int, ratio: float) -> int:
    if images < first:
        return 0
    return 1 + math.floor(math.log(images / first) / math.log(ratio) + 1e-9)
