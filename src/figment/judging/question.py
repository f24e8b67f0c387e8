"""What is asked about samples, what of it can be had of these sides, and what to be careful with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from figment.errors import UserError
from figment.judging import effort
from figment.judging.measures import MEASURES, lacking, measures_for
from figment.judging.protocols import named
from figment.judging.scorer import LEAST
from figment.judging.sides import Side

MOST = 1_000_000
"""Samples whose features memory holds."""


class Question(NamedTuple):
    """What is asked about samples."""

    metrics: Sequence[str]
    features: str
    count: int | None
    protocol: str = ""
    """The name of the protocol that these are of."""


def question_of(
    metrics: Sequence[str], features: str, count: int | None, protocol: str
) -> Question:
    """Return what is asked, by a protocol where one is named. Raises UserError for what there is not."""
    measures_for(metrics)
    if not protocol:
        return Question(metrics, features, count)
    own = named(protocol, metrics, features, count)
    return Question(own.metrics, own.features, own.count, protocol)


def samples_to_draw(question: Question, reals: int) -> int:
    """Return how many samples are drawn. Raises UserError for a count that says nothing or is too many."""
    drawn = effort.samples_for(reals) if question.count is None else question.count
    if not LEAST <= drawn <= MOST:
        raise UserError(
            f"count must be {LEAST} or more for a score to mean anything, and at most {MOST:,}, not {drawn}"
        )
    return drawn


def measurable(
    source: str, sides: tuple[Side, Side, Side | None], question: Question
) -> tuple[list[str], list[str]]:
    """Return the measures that are asked for, all that can be had where none is, and notes.

    ``sides``: samples, reals, and reals held out of the training. Raises UserError where
    one that is asked for needs what the samples do not have.
    """
    samples, reals, held_out = sides
    if not question.metrics:
        names, notes = [], []
        for name, measure in MEASURES.items():
            missing = lacking(measure, samples, reals, held_out)
            names += [] if missing else [name]
            if missing == ["held-out pictures"]:  # the one thing that whoever asked can give
                notes.append(f"{name} was left out: it needs {missing[0]}")
        return names, notes
    for measure in measures_for(question.metrics):  # what reals lack, scorer() refuses
        if "classes" in lacking(measure, samples, reals, held_out):
            raise UserError(
                f"{measure.gives[0]} needs classes, and samples of {source} have none: leave it out"
            )
    return list(question.metrics), []


def cautions(samples: int, reals: int, question: Question) -> list[str]:
    """Return notes on what the counts do to the scores."""
    notes = []
    if question.protocol and question.count is not None and samples < question.count:
        notes.append(
            f"{question.protocol} takes {question.count:,} samples and these are {samples:,}: "
            "not to be set beside published scores"
        )
    if reals < LEAST:
        notes.append(
            f"{reals} real pictures are too few to tell what such pictures get: no score can be trusted"
        )
    elif min(samples, reals) < 2_048:
        sides = ((samples, "samples"), (reals, "reals"))
        few = " and ".join(f"{count:,} {what}" for count, what in sides if count < 2_048)
        notes.append(f"{few} are few: below 2,048 of each trust only kid and its interval")
    return notes
