"""Scores as a table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from figment.judging.evaluate import Evaluation
from figment.metrics.score import Score

TIMES = {"kid": 1000.0}
"""Figures that are printed times a factor, as the field prints them."""
ARROWS = {
    "lower": "lower is better",
    "higher": "higher is better",
    "floor": "as the reals' is best",
}


def text(found: Evaluation) -> str:
    """Return an evaluation as lines for the terminal: a table, the protocol, what to be careful with."""
    lines = [found.source]
    for protocol in dict.fromkeys(score.protocol for score in found.scores):
        same = [score for score in found.scores if score.protocol == protocol]
        lines += ["", f"({protocol})", *table(same)]
    lines += ["", *(f"note: {note}" for note in found.notes)] if found.notes else []
    return "\n".join(lines)


def table(scores: Sequence[Score]) -> list[str]:
    """Return one line a score: value, 95 % interval, what real pictures get, which way is better."""
    head = ("score", "value", "95 % interval", "real pictures", "")
    rows = [head, *(_row(score) for score in scores)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(head))]
    return [
        "  ".join(
            cell.ljust(width) if place in (0, 4) else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def name_of(score: Score) -> str:
    """Return the name as it is printed: with its factor and its class."""
    times = f" x {TIMES[score.name]:,.0f}" if score.name in TIMES else ""
    return score.name + times + (f", {score.group}" if score.group else "")


def _row(score: Score) -> tuple[str, ...]:
    times = TIMES.get(score.name, 1.0)
    interval = "" if score.low is None else f"{_n(score.low, times)} to {_n(score.high, times)}"
    better = ARROWS[score.better]
    remark = f"{better}; {score.note}" if score.note else better
    return name_of(score), _n(score.value, times), interval, _n(score.floor, times), remark


def _n(value: float | None, times: float) -> str:
    """Return a number to three or four figures."""
    if value is None:
        return ""
    value *= times
    digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 100 else 2 if abs(value) >= 10 else 3
    return f"{value:,.{digits}f}"
