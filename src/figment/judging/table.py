"""Scores as a table for the terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from figment.data.printing import clean
from figment.judging.evaluation import Evaluation
from figment.metrics.score import Score

ARROWS = {
    "lower": "lower is better",
    "higher": "higher is better",
    "floor": "closest to the real pictures' value is best",
}


LISTED = 20
"""Copies that the terminal names."""


def score_table(found: Evaluation, folder: str = "") -> str:
    """Return an evaluation as lines for the terminal: a table, the protocol, what to be careful with.

    ``folder``: where its pictures are.
    """
    lines = [found.source]
    for protocol in dict.fromkeys(score.protocol for score in found.scores):
        same = [score for score in found.scores if score.protocol == protocol]
        lines += ["", f"({protocol})", *table(same)]
    lines += _copies(found, folder)
    lines += ["", *(f"note: {note}" for note in found.notes)] if found.notes else []
    return "\n".join(map(clean, lines))  # names may be anybody's: none of them steers a terminal


def _copies(found: Evaluation, folder: str) -> list[str]:
    """Return the samples that repeat a training picture by name, and where they can be seen."""
    if not found.copies:
        return []
    lines = ["", f"samples that repeat a training picture ({len(found.copies):,}):"]
    for one in found.copies[:LISTED]:
        mirrored = ", mirrored" if one["mirrored"] else ""
        lines.append(f"  {one['sample']} = {one['original']} ({one['likeness']:.3f}{mirrored})")
    more = len(found.copies) - LISTED
    lines += [f"  and {more:,} more: evaluation.json and --json list all"] if more > 0 else []
    if path := found.pictures.get("copies"):
        lines.append(f"  look at {Path(folder) / path}")
    else:
        lines.append("  --out FOLDER writes a picture of them beside their originals")
    return lines


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
    name = f"{score.called()}, {score.group}" if score.group else score.called()
    score = score.shown()
    interval = "" if score.low is None else f"{_n(score.low)} to {_n(score.high)}"
    better = ARROWS[score.better]
    remark = f"{better}; {score.note}" if score.note else better
    return name, _n(score.value), interval, _n(score.floor), remark


def _n(value: float | None) -> str:
    """Return a number to three figures, without an exponent."""
    if value is None:
        return ""
    if abs(value) < 1e-9 or not math.isfinite(value):  # what rounding leaves of 0
        return f"{round(value, 9):g}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}"
