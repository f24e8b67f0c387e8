"""Scores as a table for the terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence

from figment.judging.evaluate import Evaluation
from figment.metrics.score import Score

ARROWS = {
    "lower": "lower is better",
    "higher": "higher is better",
    "floor": "closest to the real pictures' value is best",
}


def score_table(found: Evaluation) -> str:
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


def _row(score: Score) -> tuple[str, ...]:
    name = f"{score.name}, {score.group}" if score.group else score.name
    interval = "" if score.low is None else f"{_n(score.low)} to {_n(score.high)}"
    better = ARROWS[score.better]
    remark = f"{better}; {score.note}" if score.note else better
    return name, _n(score.value), interval, _n(score.floor), remark


def _n(value: float | None) -> str:
    """Return a number to three figures, without an exponent."""
    if value is None:
        return ""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}"
