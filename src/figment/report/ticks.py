"""Where the ticks of an axis lie, and their labels."""

from __future__ import annotations

import math
from collections.abc import Sequence


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Return the multiples of 1, 2, 2.5 or 5 × 10^k inside [low, high], close to ``about`` many."""
    wanted = high / about - low / about
    if not 1e-300 < wanted < 1e300:
        return []  # numbers that only a broken log has
    power = 10.0 ** math.floor(math.log10(wanted))
    step = min((m * power for m in (1, 2, 2.5, 5, 10)), key=lambda s: abs(math.log(s / wanted)))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    digits = max(0, 2 - math.floor(math.log10(step)))
    return [round(index * step, digits) + 0.0 for index in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Return powers of 10 inside [low, high], with their double and fivefold where these are few."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    every = -(-len(exponents) // 7)
    factors = (1,) if len(exponents) > 4 else (1, 2, 5)
    found = [factor * 10.0**k for k in exponents if k % every == 0 for factor in factors]
    return [value for value in found if low <= value <= high]


def tick_labels(values: Sequence[float]) -> list[str]:
    """Return the labels of an axis, one unit and one number of decimals for all: 0 100k 200k."""
    largest = max((abs(value) for value in values), default=0)
    if largest and largest < 1e-3:
        return [f"{value:g}" for value in values]
    unit, size = next(
        (pair for pair in (("G", 1e9), ("M", 1e6), ("k", 1e3)) if largest >= pair[1]), ("", 1.0)
    )
    scaled = [value / size for value in values]
    decimals = next((d for d in range(7) if all(abs(round(v, d) - v) < 1e-9 for v in scaled)), 7)
    return [f"{v:.{decimals}f}{unit}" if v else "0" for v in scaled]
