"""Numbers in units: spans of time, and estimates rounded off."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """Return a span of time in its two largest units, ``45 s``, ``30 min``, ``2 h 05 min``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
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
