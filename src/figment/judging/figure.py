"""Figure and Measure: what a way to score samples gives, and what it needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from figment.judging.sides import Side
from figment.metrics.intervals import Interval


class Copy(NamedTuple):
    """A sample that repeats a training picture."""

    sample: int
    """Place among the samples."""
    original: int
    """Place among the reals."""
    likeness: float
    """1 is the same picture."""
    mirrored: bool


class Figure(NamedTuple):
    """One figure that a measure gives."""

    name: str
    value: float
    interval: Interval | None = None
    better: Literal["lower", "higher", "floor"] = "lower"
    note: str = ""
    """A reason to be careful with it."""
    floor: float | None = None
    """What real pictures get, where the measure finds that by itself."""
    copies: tuple[Copy, ...] = ()
    """The samples that it counts, where it counts copies."""


Give = Callable[[Side, Side, Side | None, bool], list[Figure]]


class Measure(NamedTuple):
    """A way to score samples."""

    give: Give
    """Takes samples, reals, held-out reals if there are any, and whether intervals are wanted."""
    gives: tuple[str, ...]
    """Names of the figures."""
    about: str
    floor: bool = True
    """Whether real pictures in the samples' place are worth their time."""
    matched: bool = False
    """Whether the figures move with the counts, so that value and floor need equal ones."""
    most: int | None = None
    """Pictures a side that it looks at, at most; None: all."""
    needs: frozenset[str] = frozenset()
    """Of "pictures", "logits", "held-out pictures", "classes", "known modes"."""
