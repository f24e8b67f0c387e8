"""History: a run's log as the rules read it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, TypeGuard

RECENT = 0.2
"""Share of the log that counts as now, for what every line has."""
FEW = 3
"""Lines or measurements that now has at least: one alone may be chance."""
YOUNG_ROUNDS = 3_000
"""Until here a run is given time: what it is still getting rid of is no fault of it."""
BETTER = 0.9
"""What falls to this share of itself from one window of measurements to the next is still falling."""

MANY = 6
"""Measurements in a row of a sign that no sound run has, from which it is named before a run is old."""


class History:
    """The lines of a log, the recipe's fields and what is known of the data; any of it may be missing."""

    def __init__(
        self,
        log: Sequence[dict[str, Any]],
        fields: Mapping[str, Any],
        data: Mapping[str, Any],
        scores: Sequence[Mapping[str, Any]] = (),
        own: Mapping[str, Any] | None = None,
        evaluation: Mapping[str, Any] | None = None,
        *,
        begun: bool = False,
    ) -> None:
        self.log = _once_each([line for line in log if is_number(line.get("images"))])
        self.fields = fields
        self.data = data
        self.scores = [_numbers(line) for line in scores]
        self.scores = [line for line in self.scores if line["scores"]]
        """The lines of metrics.jsonl, with what real pictures would score."""
        self.own = own or {}
        """The fields of the system itself, before the user changed any; {} where that is not known."""
        self.evaluation = evaluation or {}
        """evaluation.json, where it is of the weights that samples are drawn from."""
        self.begun = begun
        """Whether it began from another training's weights, whose score is then the one at 0 images."""
        self.images = int(self.log[-1]["images"]) if self.log else 0
        self.count = int(data.get("count") or 0)

    def get(self, field: str, default: float = 0.0) -> float:
        """Return a number of the recipe."""
        value: Any = self.fields.get(field)
        return float(value) if is_number(value) else default

    def usual(self, field: str) -> float | None:
        """Return a number of the system itself; None where it is not known, or is none above 0."""
        value: Any = self.own.get(field)
        return float(value) if is_number(value) and value > 0 else None

    @property
    def rounds(self) -> int:
        """Rounds played."""
        if self.log and is_number(self.log[-1].get("rounds")):
            return int(self.log[-1]["rounds"])
        return self.images // max(1, int(self.get("batch", 1) * self.get("discriminator_moves", 1)))

    @property
    def passes(self) -> float:
        """Passes over the data."""
        return self.images / self.count if self.count else 0.0

    @property
    def classifies(self) -> bool:
        """Whether the discriminator's scores are probabilities."""
        objective = self._objective()
        return objective is not None and objective.probabilities

    @property
    def adversarial(self) -> bool:
        """Whether two players' losses are in the log; so it is taken to be where it tells of none."""
        keys = {key for line in self.log for key in line}
        return len({key for key in keys if key.startswith("loss/") and key.count("/") == 1}) != 1

    @property
    def codes(self) -> bool:
        """Whether the system is one of an encoder and a decoder."""
        return any("loss/autoencoder" in line for line in self.log)

    @property
    def bounded(self) -> bool:
        """Whether the discriminator's loss has a least value."""
        objective = self._objective()
        return objective is not None and objective.bounded

    def _objective(self) -> Any:
        from figment.objectives.adversarial import OBJECTIVES  # here: it loads torch

        return OBJECTIVES.get(self.fields.get("objective", "nonsaturating"))

    def series(self, key: str) -> list[float]:
        """Return the finite values of a column, oldest first."""
        return [float(line[key]) for line in self.log if is_number(line.get(key))]

    def latest(self, key: str, count: int = FEW) -> list[float]:
        """Return the last few measurements of a column."""
        return self.series(key)[-count:]

    def now(self, key: str) -> float | None:
        """Return the median of the last few measurements of a column, or None without any."""
        values = self.latest(key)
        return median(values) if values else None

    def recent(self, key: str) -> list[float]:
        """Return the values of a column in the last stretch of the log."""
        values = self.series(key)
        return values[-max(FEW, math.ceil(RECENT * len(values))) :]

    def mean(self, key: str) -> float | None:
        """Return the mean of a column over the last stretch, or None without values."""
        values = self.recent(key)
        return sum(values) / len(values) if values else None

    def value(self, key: str, default: float) -> float:
        """Return ``now`` of a column, or a default where it was not measured."""
        found = self.now(key)
        return default if found is None else found

    def level(self, key: str, default: float) -> float:
        """Return ``mean`` of a column, or a default where it is missing."""
        found = self.mean(key)
        return default if found is None else found

    def falls(self, key: str, window: int = FEW) -> bool:
        """Return whether a column is clearly lower than a window of measurements ago."""
        return falling(self.series(key), window)

    def stays(self, key: str, low: float = -math.inf, high: float = math.inf) -> bool:
        """Return whether all of the last MANY measurements of a column lie from ``low`` to ``high``."""
        values = self.latest(key, MANY)
        return len(values) == MANY and low <= min(values) and max(values) <= high

    def grows(self, count: int) -> bool:
        """Return whether networks have got layers within so many measurements: then all samples change."""
        return len({*self.latest("level", count)}) > 1

    def untold(self) -> bool:
        """Return whether a young run has too few measurements to tell what it is getting rid of."""
        return self.rounds < YOUNG_ROUNDS and self.measured() < 2 * FEW

    def measured(self) -> int:
        """Return how many lines hold signs of health."""
        return len(self.series("watch/diversity"))

    def points(self) -> bool:
        """Return whether the run learns points in the plane."""
        return tuple(self.data.get("shape") or ()) == (2,)


FIGURES = ("value", "low", "high", "floor")


def _numbers(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line of metrics.jsonl with the scores whose value is a number, and of these the numbers."""
    scores = line.get("scores")
    found = {}
    for name, score in scores.items() if isinstance(scores, dict) else ():
        if isinstance(score, dict) and is_number(score.get("value")):
            said = {key: value for key, value in score.items() if key not in FIGURES}
            figures = {key: score[key] for key in FIGURES if is_number(score.get(key))}
            found[name] = said | {key: float(value) for key, value in figures.items()}
    return {**line, "scores": found}


MEASURED = ("watch/", "class/", "shown/", "pull/", "level")
"""Beginnings of the columns that a measurement writes."""


def _once_each(log: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the lines without measurements that were made a second time of the same weights."""
    found: list[dict[str, Any]] = []
    last = None
    for line in log:
        again = "watch/diversity" in line and line["images"] == last
        found.append(
            {k: v for k, v in line.items() if not k.startswith(MEASURED)} if again else line
        )
        last = line["images"] if "watch/diversity" in line else last
    return found


def falling(values: Sequence[float], window: int = FEW) -> bool:
    """Return whether the last ``window`` values are clearly lower than those before them."""
    if len(values) < 2 * window:
        return False
    return median(values[-window:]) < BETTER * median(values[-2 * window : -window])


def is_number(value: object) -> TypeGuard[float]:
    """Return whether a value of a log is a finite number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number of 400 digits
        return False
