"""What an evaluation of the run says: samples that look alike, copies, kinds that are not drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from figment.data.printing import counted
from figment.doctor import copying
from figment.doctor.balance import EARLY_ROUNDS
from figment.doctor.finding import Finding
from figment.doctor.history import YOUNG_ROUNDS, History, is_number
from figment.doctor.remedies import against_collapse
from figment.doctor.scores import UNTRUSTED, figure

ALIKE = 0.1
"""Look-alikes are far above the reals' where the interval's lower end is so much more, and twice theirs."""
COPIED = 0.01
"""Samples that repeat a training picture, by the interval's lower end, above the reals' own."""
NARROW = 0.25
"""Recall is far below the reals' where the interval's upper end is below this part of theirs."""
RECALL = "Share of real pictures with samples near them (recall)"
REPEATS = "The generator repeats its training pictures: train on more of them, or stop earlier."


class Judged(NamedTuple):
    """A score of all samples, with its interval and what real pictures get."""

    value: float
    low: float
    high: float
    floor: float
    features: str

    def said(self, name: str) -> str:
        """Return the figures in words."""
        numbers = (self.value, self.low, self.high, self.floor)
        value, low, high, floor = (figure(name, number) for number in numbers)
        return f"{value} (95 % interval {low} to {high}); real pictures get {floor}"


def evaluated(history: History, known: set[str]) -> Iterator[Finding]:
    """Yield what the evaluation of the weights that samples are drawn from shows.

    ``known``: names of what has been found already, which explains it.
    """
    if history.rounds < EARLY_ROUNDS:
        return
    whose = f"`figment evaluate` of {_weights(history.evaluation)}"
    copied, alike, recall = (
        _score(history.evaluation, name) for name in ("copied", "look_alikes", "recall")
    )
    if copied is not None and copied.low > copied.floor + COPIED and "memorisation" not in known:
        evidence = (
            f"{whose}: share of samples that repeat a training picture {copied.said('copied')}."
        )
        yield Finding("memorisation", "fault", 0.9, evidence, REPEATS, copying.against(history))
    if known & {"mode collapse", "partial mode collapse"}:
        return
    if recall is not None and recall.high >= NARROW * recall.floor:
        recall = None
    if alike is not None and alike.low > max(2 * alike.floor, alike.floor + ALIKE):
        evidence = f"{whose}: share of samples that look alike {alike.said('look_alikes')}."
        if recall is not None:
            evidence += f" {RECALL}: {recall.said('recall')}."
        yield _warning(history, "samples look alike", evidence, alike)
    elif recall is not None:
        evidence = f"{whose}: {RECALL.lower()} {recall.said('recall')}."
        yield _warning(history, "kinds of pictures missing", evidence, recall)


def _warning(history: History, name: str, evidence: str, score: Judged) -> Finding:
    sure = 0.7 if score.features == UNTRUSTED else 0.9
    if history.rounds < YOUNG_ROUNDS:
        advice = (
            f"Train on, and evaluate again: after {counted(history.rounds, 'round')} that may pass."
        )
        return Finding(name, "warning", sure, evidence, advice)
    return Finding(name, "warning", sure, evidence, *against_collapse(history))


def _weights(evaluation: Mapping[str, Any]) -> str:
    """Return which weights were evaluated, in words."""
    name, images = evaluation.get("weights"), evaluation.get("images")
    name = name if isinstance(name, str) and name else "the weights"
    return f"{name} after {counted(int(images), 'image')}" if is_number(images) else name


def _score(evaluation: Mapping[str, Any], name: str) -> Judged | None:
    """Return the score of all samples by its name; None where it or what reals get was not measured."""
    scores = evaluation.get("scores")
    for one in scores if isinstance(scores, list) else ():
        if isinstance(one, dict) and one.get("name") == name and not one.get("group"):
            ends = [one.get(key) for key in ("value", "low", "high", "floor")]
            numbers = [float(end) for end in ends if is_number(end)]
            features = str(one.get("protocol", "")).split(" ")[0].rstrip(",;")
            return Judged(*numbers, features) if len(numbers) == len(ends) else None
    return None
