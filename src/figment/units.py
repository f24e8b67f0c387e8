"""Numbers for people: spans of time, estimates rounded off, figures to three digits."""

from __future__ import annotations

import math


def duration(seconds: float) -> str:
    """Return a span of time in its two largest units, ``45 s``, ``30 min``, ``2 h 05 min``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02d} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h"


def round_off(number: int) -> int:
    """Return a number to two digits, for estimates."""
    step = 10 ** max(0, len(str(abs(number))) - 2)
    return round(number / step) * step


def significant(value: float) -> str:
    """Return three significant digits without an exponent where that stays short, ``0.0123``."""
    if not math.isfinite(value) or value == 0:
        return f"{value:g}"
    if 1e-6 <= abs(value) < 1e6:
        return f"{value:,.{max(0, 2 - _exponent(value))}f}"
    return f"{value:.2e}"


def _exponent(value: float) -> int:
    # Through the formatted number, so that 9.999 counts as 10.0 and not as 10.00.
    return int(f"{value:.2e}".partition("e")[2])
