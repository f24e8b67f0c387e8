"""Evaluation: what was measured, on what, in which form, and what shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from figment.files import MARK, write_json
from figment.judging.cell import scores_cell
from figment.metrics.score import Score
from figment.records import Unreadable, read_object


@dataclass
class Evaluation:
    """What was measured, on what, and the pictures that show it."""

    source: str
    scores: list[Score]
    notes: list[str] = field(default_factory=list)
    """What could not be measured, and why; what to be careful with."""
    images: int | None = None
    """Where the training was whose weights these are."""
    weights: str = ""
    own_data: bool = False
    """Whether the reals are those that the run was trained on."""
    pictures: dict[str, str] = field(default_factory=dict)
    """Path below the folder that they were written to, by name."""
    made: str = ""
    form: dict[str, Any] = field(default_factory=dict)
    """Side, colour and resizing of the pictures that were compared; empty for points."""
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Of ``samples`` and ``reals`` how many were read, and the files that were not, with the reason."""
    copies: list[dict[str, Any]] = field(default_factory=list)
    """Samples that repeat a training picture, the most alike first."""

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        return scores_cell(self.source, self.scores, self.notes)

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values, for evaluation.json and for other programs."""
        return vars(self) | {"scores": [score._asdict() for score in self.scores]}

    def write(self, folder: Path) -> None:
        """Write evaluation.json."""
        write_json(folder / "evaluation.json", {**self.as_json(), "software": MARK})


def now() -> str:
    """Return the time as evaluation.json holds it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_evaluation(run: Path) -> dict[str, Any] | None:
    """Return a run's evaluation.json, None where there is none that can be read."""
    try:
        return read_object(run / "evaluation.json")
    except (OSError, Unreadable):
        return None
