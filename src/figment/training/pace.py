"""Pace: how long images take, where those of a later part of a training take longer than the first."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

QUICKEST = 1e-9
"""Seconds that no image takes less than."""


class Pace(NamedTuple):
    """Seconds that an image takes, from so many images on."""

    starts: Sequence[int]
    """Images from which they count, 0 first."""
    each: Sequence[float]

    def seconds(self, images: float) -> float:
        """Return the seconds that the first so many images take."""
        return sum(
            each * max(0.0, min(images, end) - start) for start, end, each in self._stretches()
        )

    def images(self, seconds: float) -> float:
        """Return the images that the first so many seconds hold."""
        found = 0.0
        for start, end, each in self._stretches():
            found = start + seconds / each
            if found <= end:
                break
            seconds -= each * (end - start)
        return found

    def speed(self, seconds: float, before: int = 0) -> float:
        """Return the images a second of so many seconds that follow the images ``before``."""
        if seconds <= 0:
            return 0.0
        return (self.images(self.seconds(before) + seconds) - before) / seconds

    def _stretches(self) -> Iterator[tuple[int, float, float]]:
        return zip(self.starts, (*self.starts[1:], math.inf), self.each, strict=True)


def pace_of(starts: Sequence[int], each: Sequence[float]) -> Pace:
    """Return the pace of parts of a training, later ones than were measured like the last that was.

    Where nothing was measured every image takes as long as another, a second.
    """
    known = each if each and all(QUICKEST <= seconds < math.inf for seconds in each) else (1.0,)
    count = min(len(starts), len(known))
    return Pace(starts[:count], known[:count])
