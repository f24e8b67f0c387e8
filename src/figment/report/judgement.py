"""What was measured of a run and what the doctor found, read from its files and put in order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from figment.doctor.finding import SEVERITIES, Finding, Severity
from figment.metrics.score import Score
from figment.report.reading import items, mapping, number, read_object, read_rows, string

BETTER: dict[str, Literal["lower", "higher", "floor"]] = {
    "lower": "lower",
    "higher": "higher",
    "floor": "floor",
}
SEVERITY: dict[str, Severity] = {name: name for name in SEVERITIES}


class Measurement(NamedTuple):
    """The scores of one moment of a training, a line of metrics.jsonl."""

    images: float
    seconds: float | None
    scores: list[Score]


class Evaluation(NamedTuple):
    """What evaluation.json says: the scores of certain weights, and pictures by their name."""

    images: float | None
    weights: str
    scores: list[Score]
    pictures: dict[str, Path]
    made: str
    notes: list[str]
    """What could not be measured, and what to be careful with."""
    own_data: bool = True
    """Whether it compares with what the run has learned from."""


class Moment(NamedTuple):
    """A score and when it was measured."""

    images: float
    seconds: float | None
    score: Score


class Course(NamedTuple):
    """One score through a training, measured the same way each time."""

    moments: list[Moment]
    at: float | None = None
    """Images that the weights had seen which samples are drawn from, where that is known."""

    @property
    def score(self) -> Score:
        """The newest."""
        return self.moments[-1].score

    @property
    def last(self) -> Moment:
        """The newest moment."""
        return self.moments[-1]

    @property
    def kept(self) -> Moment:
        """The moment of the weights that samples are drawn from, or the last one measured before it."""
        before = [one for one in self.moments if self.at is None or one.images <= self.at]
        return before[-1] if before else self.last


def courses(measurements: Iterable[Measurement], at: float | None = None) -> list[Course]:
    """Return each score through time; where its protocol changed another course begins.

    ``at``: images that the weights had seen which samples are drawn from.
    """
    found: dict[tuple[str, str, str], list[Moment]] = {}
    for images, seconds, scores in measurements:
        for score in scores:
            key = (score.name, score.protocol, score.group)
            found.setdefault(key, []).append(Moment(images, seconds, score))
    return [Course(sorted(moments, key=lambda one: one.images), at) for moments in found.values()]


def leading(measurements: Sequence[Measurement], at: float | None = None) -> Course | None:
    """Return the course of the score that ranks a run's weights: the first of its newest line.

    By it the training chooses the best weights. ``at`` as in ``courses``.
    """
    if not measurements or not measurements[-1].scores:
        return None
    first = measurements[-1].scores[0]
    return next(course for course in courses(measurements, at) if course.score is first)


def standing(
    measurements: Sequence[Measurement], evaluation: Evaluation | None, at: float | None
) -> tuple[list[Score], float | None]:
    """Return the scores of the weights ``at`` so many images, or else the nearest, and their moment.

    The moment is in images seen, None where it is not known; without any score ([], None). What was
    measured after 0 images is no model's score: it says what the untrained network is given. Neither is
    a comparison with other data than the run's.
    """
    measurements = [line for line in measurements if line.images]
    course = leading(measurements, at)
    judged = evaluation if evaluation and evaluation.scores and evaluation.images != 0 else None
    if judged and not judged.own_data:
        judged = None
    if judged and (course is None or judged.images in (None, at) or course.kept.images != at):
        return [score for score in judged.scores if not score.group], judged.images
    if course is None:
        return [], None
    when = course.kept.images
    return next(one.scores for one in measurements if one.images == when), when


def read_measurements(path: Path, problems: list[str]) -> list[Measurement]:
    """Return the lines of metrics.jsonl, none where there is no file."""
    found = []
    for row in read_rows(path, problems) or []:
        named = [
            {"name": name, **mapping(score)} for name, score in mapping(row.get("scores")).items()
        ]
        scores = _scores(named, string(row.get("protocol")))
        found.append(Measurement(float(row["images"]), number(row.get("seconds")), scores))
    return found


def read_evaluation(path: Path, problems: list[str]) -> Evaluation | None:
    """Return what evaluation.json says, None where there is no such file or it cannot be read."""
    value = read_object(path, problems, needed=False)
    if not value:
        return None
    pictures = {
        str(name): path.parent / place
        for name, place in mapping(value.get("pictures")).items()
        if isinstance(place, str) and _inside(path.parent, place)
    }
    return Evaluation(
        number(value.get("images")),
        string(value.get("weights")),
        _scores(items(value.get("scores")), ""),
        pictures,
        string(value.get("made")),
        [note for note in map(string, items(value.get("notes"))) if note],
        value.get("own_data") is not False,  # earlier versions did not say
    )


def _inside(run: Path, place: str) -> bool:
    """Whether a path that a file of the run names is one of the run's own files."""
    try:
        found = (run / place).resolve()
        return found.is_relative_to(run.resolve())
    except (OSError, ValueError):
        return False


def read_findings(path: Path, problems: list[str]) -> tuple[float | None, list[Finding]]:
    """Return how many images the run had seen when the doctor looked, and what it found."""
    value = read_object(path, problems, needed=False)
    findings = [
        Finding(
            string(one.get("name")),
            SEVERITY.get(string(one.get("severity")), "warning"),
            number(one.get("sure")) or 0.0,
            string(one.get("evidence")),
            string(one.get("advice")),
            tuple(filter(None, map(string, items(one.get("flags"))))),
        )
        for one in map(mapping, items(value.get("findings")))
        if string(one.get("name"))
    ]
    return number(value.get("images")), findings


def _scores(found: list, protocol: str) -> list[Score]:
    """Return the scores of JSON objects as they are shown (KID x 1000).

    Those that lack a name or a finite value are left out.
    """
    scores = []
    for one in map(mapping, found):
        name, value = string(one.get("name")), number(one.get("value"))
        if not name or value is None:
            continue
        low, high, floor = (number(one.get(key)) for key in ("low", "high", "floor"))
        better = BETTER.get(string(one.get("better")), "lower")
        own, note, group = (string(one.get(key)) for key in ("protocol", "note", "group"))
        score = Score(name, value, low, high, floor, better, own or protocol, note, group)
        scores.append(score.shown())
    return scores
