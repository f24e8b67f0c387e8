"""An evaluation in a notebook's cell: a table, how it was measured, and what to be careful with."""

from __future__ import annotations

from collections.abc import Sequence

from figment import cells
from figment.metrics.score import Score
from figment.units import significant

ARROWS = {"lower": "lower", "higher": "higher", "floor": "near the real pictures'"}


def scores_cell(source: str, scores: Sequence[Score], notes: Sequence[str]) -> str:
    """Return scores as HTML: value, interval, what real pictures get, which way is better."""
    parts = [cells.note(f"Scores of {source}")]
    for protocol in dict.fromkeys(score.protocol for score in scores):
        rows = [_row(score) for score in scores if score.protocol == protocol]
        head = ("score", "value", "95 % interval", "real pictures", "better", "")
        parts += [cells.table(head, rows), cells.note(protocol)]
    return "\n".join([*parts, *(cells.note(f"Note: {note}") for note in notes)])


def _row(score: Score) -> tuple[str, ...]:
    name = f"{score.called()}, {score.group}" if score.group else score.called()
    score = score.shown()
    ends = (score.low, score.high)
    between = (
        "" if None in ends else " – ".join(significant(end) for end in ends if end is not None)
    )
    floor = "" if score.floor is None else significant(score.floor)
    return name, significant(score.value), between, floor, ARROWS[score.better], score.note
