"""``figment evaluate``: every score of a run, a folder or a zip, with floors, intervals and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from figment import mesh
from figment.data import Dataset, evenly_spaced, look, open_dataset, split
from figment.errors import UserError
from figment.files import MARK, write_json
from figment.judging import pictures
from figment.judging.classifier import ACCURACY, Classifier
from figment.judging.measures import MEASURES, lacking, measures_for
from figment.judging.scorer import Scorer, extractor_for, scorer
from figment.judging.sides import Side, real_side, sample_side
from figment.metrics.score import Score
from figment.progress import progress_bar
from figment.records import Unreadable, read_object

if TYPE_CHECKING:
    from figment.metrics.features import Extractor
    from figment.sampling.generator import Generator

COUNT = 5_000
"""Samples that are drawn of a run, unless the user says how many."""
LEAST_OF_CLASS = 50
"""Samples and reals that a class needs for scores of its own."""
PER_CLASS = ("kid",)
"""Scores that are given class by class, where there are classes."""


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
    pictures: dict[str, str] = field(default_factory=dict)
    """Path below the folder that they were written to, by name."""
    made: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values, for evaluation.json and for other programs."""
        return vars(self) | {"scores": [score._asdict() for score in self.scores]}

    def write(self, folder: Path) -> None:
        """Write evaluation.json."""
        write_json(folder / "evaluation.json", {**self.as_json(), "software": MARK})


def evaluate_generator(
    generator: Generator,
    dataset: Dataset,
    *,
    held_out: tuple[float, int] | None,
    classifier: Classifier | None = None,
    metrics: Sequence[str] = (),
    features: str = "auto",
    count: int = COUNT,
    seed: int = 0,
    truncation: float | None = None,
    device: str = "cpu",
    out: Path | None = None,
    source: str = "",
    progress: bool = True,
) -> Evaluation:
    """Return the scores of ``count`` samples against a data set.

    ``held_out``: share and seed of the pictures that the training did not see, None where the data are not
    those of the training. ``classifier``: the one that the run has trained, if any: its accuracy becomes
    one of the scores. Pictures go to ``out``.
    """
    asked = [name for name in metrics if name == ACCURACY] if classifier else []
    if asked == list(metrics) != []:
        return _tested(Evaluation(source, [], made=_now()), classifier, dataset, held_out, True)
    extractor = extractor_for(generator.recipe.kind, features, device)
    rows, apart = np.arange(len(dataset)), np.empty(0, np.int64)
    if held_out is not None:
        rows, apart = split(len(dataset), *held_out)
    if count < 20:
        raise UserError(f"count must be 20 or more for a score to mean anything, not {count}")
    reals = _reals(dataset, rows, extractor, progress)
    unseen = _reals(dataset, apart, extractor, False) if len(apart) else None
    samples = sample_side(
        generator, count, extractor, seed=seed, truncation=truncation, progress=progress
    )
    has_classes = generator.recipe.labels_for([0], torch.device("cpu")) is not None
    classes = dataset.classes if has_classes else ()
    others = [name for name in metrics if name not in asked]
    found = _judged(source, samples, reals, unseen, extractor, others, classes, out, progress)
    if asked or not metrics:
        _tested(found, classifier, dataset, held_out, bool(asked))
    return found


def _tested(
    found: Evaluation,
    classifier: Classifier | None,
    dataset: Dataset,
    held_out: tuple[float, int] | None,
    asked: bool,
) -> Evaluation:
    """Return the evaluation with the accuracy of the classifier, if there is one.

    Where there is nothing to test it on a note says so, or a UserError where it was asked for.
    """
    if classifier is None:
        return found
    rows, what = np.arange(len(dataset)), f"pictures of {dataset.name}"
    try:
        if held_out is not None:
            rows, what = split(len(dataset), *held_out)[1], "pictures held out of training"
        if not len(rows):
            raise UserError(
                "nothing was held out of training: name labelled pictures with --against"
            )
        found.scores.append(classifier.accuracy(dataset, rows, what))
    except UserError as error:
        if asked:
            raise
        found.notes.append(f"{ACCURACY} was left out: {error}")
    return found


def evaluate_pictures(
    source: str,
    against: str,
    *,
    metrics: Sequence[str] = (),
    features: str = "auto",
    count: int | None = None,
    device: str = "cpu",
    out: Path | None = None,
    progress: bool = True,
) -> Evaluation:
    """Return the scores of a folder or a zip of pictures against another."""
    seen = look(source)
    if seen.kind == "points" or look(against).kind == "points":
        raise UserError("points are scored only as samples of a run: figment evaluate RUN")
    side, channels = min(256, seen.side or 64), 1 if seen.grey else 3
    ours, theirs = (
        open_dataset(data, resolution=side, channels=channels, progress=progress)
        for data in (source, against)
    )
    extractor = extractor_for("images", features, device)
    rows = np.arange(len(ours))
    if count is not None and count < len(rows):
        rows = evenly_spaced(rows, count)
    if len(rows) < 20:
        raise UserError(f"{source} holds {len(rows)} pictures: scores need 20 or more")
    samples = _reals(ours, rows, extractor, progress)
    reals = _reals(theirs, np.arange(len(theirs)), extractor, progress)
    classes = ours.classes if ours.classes == theirs.classes else ()
    return _judged(source, samples, reals, None, extractor, metrics, classes, out, progress)


def _reals(dataset: Dataset, rows: np.ndarray, extractor: Extractor | None, progress: bool) -> Side:
    """Return real pictures with their features, made by the first process while the others wait."""
    if not mesh.is_first():
        mesh.barrier()
    side = real_side(dataset, rows, extractor, progress=progress and mesh.is_first())
    if mesh.is_first():
        mesh.barrier()
    return side


def _judged(
    source: str,
    samples: Side,
    reals: Side,
    held_out: Side | None,
    extractor: Extractor | None,
    metrics: Sequence[str],
    classes: Sequence[str],
    out: Path | None,
    progress: bool,
) -> Evaluation:
    names, notes = list(metrics), []
    if not metrics:
        for name, measure in MEASURES.items():
            missing = lacking(measure, samples, reals, held_out)
            names += [] if missing else [name]
            notes += [f"{name} was left out: it needs {', '.join(missing)}"] if missing else []
    for measure in measures_for(metrics):  # what reals lack, scorer() refuses
        if "classes" in lacking(measure, samples, reals, held_out):
            asked = measure.gives[0]
            raise UserError(
                f"{asked} needs classes, and samples of {source} have none: leave it out"
            )
    one = scorer(names, extractor, reals, held_out, len(samples), all_reals=True)
    scores = _scores(one, samples, progress and mesh.is_first())
    for label, group in enumerate(classes):
        parts = [side.of(side.labels == label) for side in (samples, reals)]
        if min(map(len, parts)) >= LEAST_OF_CLASS:
            wanted = [name for name in PER_CLASS if name in names]
            of_class = scorer(wanted, extractor, parts[1], None, len(parts[0]), all_reals=True)
            scores += of_class.scores(parts[0], group=group)
    if min(len(samples), len(reals)) < 2_048:
        notes.append(
            f"{len(samples):,} samples and {len(reals):,} reals are few: "
            "below 2,048 each trust only kid and its interval"
        )
    found = Evaluation(source, scores, notes, made=_now())
    if out is not None and samples.images.ndim == 4 and mesh.is_first():
        found.pictures = pictures.write(out, samples, reals)
    return found


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _scores(one: Scorer, samples: Side, progress: bool) -> list[Score]:
    from dataclasses import replace

    through = progress_bar(
        one.measures, desc="scoring", unit=" scores", shown=progress, leave=False
    )
    return [
        score for measure in through for score in replace(one, measures=[measure]).scores(samples)
    ]


def read_evaluation(run: Path) -> dict[str, Any] | None:
    """Return a run's evaluation.json, None where there is none that can be read."""
    try:
        return read_object(run / "evaluation.json")
    except (OSError, Unreadable):
        return None


def files_of(out: Path) -> list[Path]:
    """Return what an evaluation writes into a folder."""
    return [out / "evaluation.json", *pictures.files_of(out)]
