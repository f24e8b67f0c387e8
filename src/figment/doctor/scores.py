"""What a run's scores say: how far its samples are from the data, and whether they have become worse."""

from __future__ import annotations

from typing import NamedTuple

from figment.doctor.finding import Finding
from figment.doctor.history import FEW, History
from figment.metrics.score import Score

UNTRUSTED = "small"
"""Features of random weights, which cannot rank weights."""
TIMES_FLOOR = 5.0
"""A first score of at most so many times what real pictures get is near them; or, by features that rank,"""
LEFT = 0.02
"""with so much or less of the way left from untrained weights to real pictures."""
WORSE = 1.15
"""Times its best that the first score must be, in FEW measurements in a row, to have become worse."""


class Standing(NamedTuple):
    """The newest first score of trained weights beside what real pictures get, and the first weights."""

    name: str
    value: float
    floor: float
    start: float | None
    features: str
    begun: bool = False
    """Whether ``start`` is of another training's weights, which the run began from, and not of new ones."""
    at: int | None = None
    """Images seen when it was measured, where the log goes on beyond."""

    @property
    def far(self) -> bool:
        """Whether the samples are far from real pictures still."""
        if self.value <= TIMES_FLOOR * max(self.floor, 0.0):
            return False
        if self.features == UNTRUSTED or self.start is None or self.start <= self.floor:
            return True
        return self.value - self.floor > LEFT * (self.start - self.floor)

    def said(self) -> str:
        """Return the figures in words."""
        first = "what it began with" if self.begun else "untrained networks"
        start = "" if self.start is None else f", {first} {figure(self.name, self.start)}"
        at = "" if self.at is None else f" at {self.at:,} images"
        return (
            f"{called(self.name, self.features)} {figure(self.name, self.value)}{at}; real pictures get "
            f"{figure(self.name, self.floor)}{start}"
        )


def standing(history: History) -> Standing | None:
    """Return where the first score stands; None without it or its floor, or where higher is better."""
    lines = [line for line in history.scores if line.get("images")]
    if not lines:
        return None
    name, last = next(iter(lines[-1]["scores"].items()))
    value, floor = last.get("value"), last.get("floor")
    if last.get("better", "lower") != "lower" or value is None or floor is None:
        return None
    starts = [
        line["scores"][name].get("value")
        for line in history.scores
        if not line.get("images") and name in line["scores"]
    ]
    start = starts[0] if starts else None
    at: int | None = int(lines[-1]["images"])
    features = str(lines[-1].get("features", ""))
    at = at if at < history.images else None
    return Standing(name, value, floor, start, features, history.begun, at)


def relapsed(history: History) -> Finding | None:
    """The samples were better before, by features that can rank."""
    lines = [line for line in history.scores if line.get("images") and not line.get("end")]
    if len(lines) <= FEW or lines[-1].get("features") == UNTRUSTED:
        return None
    firsts = [next(iter(line["scores"].items())) for line in lines]
    name = firsts[-1][0]
    scores = [score for which, score in firsts if which == name and score.get("better") != "higher"]
    if len(scores) <= FEW:
        return None
    best = min(scores[:-FEW], key=lambda score: score["value"])
    limit = max(WORSE * best["value"], best.get("high", best["value"]))
    recent = scores[-FEW:]
    if limit <= 0 or any(score.get("low", score["value"]) <= limit for score in recent):
        return None
    return Finding(
        "relapse",
        "warning",
        0.85,
        f"{called(name, lines[-1].get('features', ''))} has been "
        f"{figure(name, min(s['value'] for s in recent))} or more in the last {FEW} measurements; its best "
        f"was {figure(name, best['value'])}.",
        "The best weights are kept and drawn from; train on from them with lower learning rates "
        "(--on-collapse rollback does so by itself).",
        ("--on-collapse rollback",),
    )


def called(name: str, features: object = "") -> str:
    """Return the name of a score as tables and reports have it."""
    return Score(name, 0.0, protocol=str(features)).called().replace("_", " ")


def figure(name: str, value: float) -> str:
    """Return the figure of a score as tables and reports have it: KID times 1,000."""
    shown = Score(name, value).shown().value
    if abs(shown) >= 1000:
        return f"{shown:,.0f}"
    return f"{shown:.3g}" if abs(shown) >= 1e-3 or not shown else f"{shown:.1g}"
