"""``figment evaluate``: every score of a run, a folder or a zip, with floors, intervals and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from figment import mesh
from figment.data import Dataset, evenly_spaced, look, open_dataset, split
from figment.data.names import names_of
from figment.data.printing import counted
from figment.errors import UserError
from figment.judging import effort, forms, pictures
from figment.judging.classifier import ACCURACY, Classifier
from figment.judging.evaluation import Evaluation, now
from figment.judging.figure import Copy
from figment.judging.question import (
    Question,
    cautions,
    measurable,
    question_of,
    samples_to_draw,
)
from figment.judging.scorer import LEAST, Scorer, extractor_for, scorer
from figment.judging.sides import Side, real_side, sample_side
from figment.metrics.score import Score
from figment.progress import progress_bar, say

if TYPE_CHECKING:
    from figment.metrics.features import Extractor
    from figment.sampling.generator import Generator

LEAST_OF_CLASS = 50
"""Samples and reals that a class needs for scores of its own."""
FEWEST = 4
"""Different reals with which there is anything to compute at all."""
PER_CLASS = ("kid",)
"""Scores that are given class by class, where there are classes."""


class Comparison(NamedTuple):
    """Both sides, ready to be scored."""

    samples: Side
    reals: Side
    held_out: Side | None
    extractor: Extractor | None
    form: forms.Form | None
    names: tuple[Sequence[str], Sequence[str]]
    """What each sample, and each row of the reals' images, is called."""
    classes: Sequence[str] = ()
    notes: Sequence[str] = ()
    against: str = ""
    """What the protocol says of the reals, where they are not those of the training."""


def evaluate_generator(
    generator: Generator,
    dataset: Dataset,
    *,
    held_out: tuple[float, int] | None,
    classifier: Classifier | None = None,
    metrics: Sequence[str] = (),
    features: str = "auto",
    count: int | None = None,
    protocol: str = "",
    seed: int = 0,
    truncation: float | None = None,
    device: str = "cpu",
    out: Path | None = None,
    source: str = "",
    progress: bool = True,
) -> Evaluation:
    """Return the scores of ``count`` samples against a data set (see ``effort.samples_for``).

    ``held_out``: share and seed of the pictures that the training did not see, None where the data are not
    those of the training. ``classifier``: the one that the run has trained, if any: its accuracy becomes
    one of the scores. ``protocol``: one of ``protocols.PROTOCOLS``, which says metrics, features and
    count, and compares with all pictures. Pictures go to ``out``.
    """
    asked = [name for name in metrics if name == ACCURACY] if classifier else []
    if asked == list(metrics) != []:
        return _tested(Evaluation(source, [], made=now()), classifier, dataset, held_out, True)
    others = [name for name in metrics if name not in asked]
    question = question_of(others, features, count, protocol)
    recipe = generator.recipe
    extractor = extractor_for(recipe.kind, question.features, device, recipe.learned_from)
    rows, apart = np.arange(len(dataset)), np.empty(0, np.int64)
    if held_out is not None and not question.protocol:
        rows, apart = split(dataset, *held_out)
    drawn = samples_to_draw(question, len(rows))
    if extractor and progress and mesh.is_first():
        _say_plan(generator, dataset, (drawn, len(rows)), extractor, question)
    reals = _reals(dataset, rows, extractor, progress)
    unseen = _reals(dataset, apart, extractor, False) if len(apart) else None
    samples = sample_side(
        generator, drawn, extractor, seed=seed, truncation=truncation, progress=progress
    )
    classes, other_classes = _shared_classes(generator, dataset, own=held_out is not None)
    samples = replace(samples, labels=0 * samples.labels) if other_classes else samples
    compared = Comparison(
        samples,
        reals,
        unseen,
        extractor,
        forms.form_of(dataset, recipe.fit) if extractor else None,
        ([f"seed {number}" for number in range(seed, seed + drawn)], _names(dataset)),
        classes,
        [*_changed(generator, dataset, own=held_out is not None), *other_classes],
        "" if held_out is not None else f"of {dataset.name} ({dataset.fingerprint[:6]})",
    )
    found = _judged(source, compared, question, out, progress)
    found.files = {"reals": forms.dropped_files(dataset)}
    if asked or not (metrics or protocol):
        _tested(found, classifier, dataset, held_out, bool(asked))
    return found


def _changed(generator: Generator, dataset: Dataset, *, own: bool) -> list[str]:
    """Return notes on reals that were left out, and on what the form of a run's samples does to reals."""
    dropped, recipe = forms.dropped("reals", dataset), generator.recipe
    if recipe.kind == "points":
        return dropped
    return [*dropped, *forms.changed_by_run(dataset, own, recipe.fit)]


def _shared_classes(
    generator: Generator, dataset: Dataset, *, own: bool
) -> tuple[tuple[str, ...], list[str]]:
    """Return the classes that samples and reals have in common, or else a note where both have some.

    ``own``: the reals are those of the training, and so are the classes.
    """
    if generator.recipe.labels_for([0], torch.device("cpu")) is None or not dataset.classes:
        return (), []
    if own or generator.classes == dataset.classes:
        return dataset.classes, []
    drawn, real = (", ".join(names[:5]) for names in (generator.classes, dataset.classes))
    return (), [
        f"no score by class: the run draws {drawn}, and the classes of {dataset.name} are {real}"
    ]


def _say_plan(
    generator: Generator,
    dataset: Dataset,
    counts: tuple[int, int],
    extractor: Extractor,
    question: Question,
) -> None:
    """Say how many samples are drawn, and about how long that and the scores take."""
    drawing = effort.trial(lambda count: generator.sample(count).array, extractor)
    looking = effort.trial(lambda count: dataset.rows[:count], extractor)
    seconds, numbers = (drawing / mesh.size(), looking), int(np.prod(dataset.shape))
    asked = tuple(question.metrics)
    say(effort.plan(("samples", f"reals of {dataset.name}"), counts, numbers, seconds, asked))


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
            rows, what = split(dataset, *held_out)[1], "pictures held out of training"
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
    protocol: str = "",
    resolution: int | None = None,
    device: str = "cpu",
    out: Path | None = None,
    progress: bool = True,
) -> Evaluation:
    """Return the scores of a folder or a zip of pictures against another.

    Both are compared at the larger of their sides (at most 256 px) or at ``resolution``, and in colour
    where any picture has some; notes say what that changes.
    """
    question = question_of(metrics, features, count, protocol)
    looks = [look(data) for data in (source, against)]
    if any(seen.kind == "points" for seen in looks):
        raise UserError("points are scored only as samples of a run: figment evaluate RUN")
    side = forms.common_side(looks, resolution)
    ours, theirs = (
        open_dataset(data, resolution=side, channels=3, progress=progress)
        for data in (source, against)
    )
    extractor = extractor_for("images", question.features, device)
    rows, wanted = np.arange(len(ours)), question.count
    if wanted is not None and wanted < len(rows):
        rows = evenly_spaced(rows, wanted)
    if len(rows) < 20:
        dropped = "".join(f" ({note})" for note in forms.dropped("samples", ours))
        raise UserError(f"{source} holds {len(rows)} pictures{dropped}: scores need 20 or more")
    if extractor and progress and mesh.is_first():
        seconds = effort.trial(lambda count: theirs.rows[:count], extractor)
        sides, counts = (f"pictures of {ours.name}", f"of {theirs.name}"), (len(rows), len(theirs))
        asked, numbers = tuple(question.metrics), int(np.prod(theirs.shape))
        say(effort.plan(sides, counts, numbers, (seconds, seconds), asked))
    colour, uneven = forms.colours(ours, theirs)
    notes = [*forms.dropped("samples", ours), *forms.dropped("reals", theirs)]
    both = (ours, theirs)
    notes += [*uneven, *dict.fromkeys([*forms.resized(both, side), *forms.cropped(both)])]
    if ours.fingerprint == theirs.fingerprint:
        notes.insert(0, "samples and reals are the same pictures: these scores tell nothing else")
    names = _names(ours)
    compared = Comparison(
        _reals(ours, rows, extractor, progress),
        _reals(theirs, np.arange(len(theirs)), extractor, progress),
        None,
        extractor,
        forms.Form(side, colour),
        ([names[row] for row in rows], _names(theirs)),
        ours.classes if ours.classes == theirs.classes else (),
        notes,
    )
    found = _judged(source, compared, question, out, progress)
    found.files = {"samples": forms.dropped_files(ours), "reals": forms.dropped_files(theirs)}
    return found


def _names(dataset: Dataset) -> list[str]:
    """Return what the rows are called; their numbers where the files are others by now."""
    try:
        names = names_of(dataset)
    except UserError:
        names = []
    return names if len(names) == len(dataset) else [f"row {row}" for row in range(len(dataset))]


def _reals(dataset: Dataset, rows: np.ndarray, extractor: Extractor | None, progress: bool) -> Side:
    """Return real pictures with their features, made by the first process while the others wait."""
    if not mesh.is_first():
        mesh.barrier()
    side = real_side(dataset, rows, extractor, progress=progress and mesh.is_first())
    if mesh.is_first():
        mesh.barrier()
    return side


def _judged(
    source: str, compared: Comparison, question: Question, out: Path | None, progress: bool
) -> Evaluation:
    """Return every score that is asked for, class by class too, with notes and pictures."""
    samples, reals, held_out, extractor, form, names, classes, changed, against = compared
    kinds = len(reals.distinct)
    if kinds < FEWEST:
        all_of = f" ({len(reals):,} with repeats)" if kinds < len(reals) else ""
        raise UserError(
            f"{counted(kinds, 'real picture')}{all_of} to compare with: give {FEWEST} at the very least, "
            f"and {LEAST} or more for scores to mean anything"
        )
    wanted, notes = measurable(source, (samples, reals, held_out), question)
    stated = "; ".join(filter(None, ("" if form is None else str(form), against)))
    floors = not question.protocol
    one = scorer(wanted, extractor, reals, held_out, len(samples), form=stated, floors=floors)
    found = Evaluation(source, [], [*changed, *notes], made=now())
    copies: list[Copy] = []
    shown = progress and mesh.is_first()
    found.scores, few = _scores(one, samples, copies, shown, not question.metrics)
    found.notes += few
    for label, group in enumerate(classes):
        parts = [side.of(side.labels == label) for side in (samples, reals)]
        if min(map(len, parts)) >= LEAST_OF_CLASS:
            by_class = [name for name in PER_CLASS if name in wanted]
            of_class = scorer(by_class, extractor, parts[1], None, len(parts[0]), form=stated)
            found.scores += of_class.scores(parts[0], group=group)
    found.notes += cautions(len(samples), len(reals), question)
    found.form = {} if form is None else form.as_json()
    found.copies = [
        {
            "sample": names[0][copy.sample],
            "original": names[1][reals.rows[copy.original]],
            "likeness": copy.likeness,
            "mirrored": copy.mirrored,
        }
        for copy in copies
    ]
    if out is not None and samples.images.ndim == 4 and mesh.is_first():
        found.pictures = pictures.write(out, samples, reals, copies, found.copies)
    return found


def _scores(
    one: Scorer, samples: Side, copies: list[Copy], progress: bool, lenient: bool
) -> tuple[list[Score], list[str]]:
    """Return the scores, and notes of those that cannot be had of so few pictures, if ``lenient``.

    Raises UserError for such a score where it is not.
    """
    found: list[Score] = []
    notes = []
    through = progress_bar(
        one.measures, desc="scoring", unit=" scores", shown=progress, leave=False
    )
    for measure in through:
        try:
            found += replace(one, measures=[measure]).scores(samples, copies=copies)
        except UserError as error:
            if not lenient:
                raise
            notes.append(f"{measure.gives[0]} was left out: {error}")
    return found, notes


def files_of(out: Path) -> list[Path]:
    """Return what an evaluation writes into a folder."""
    return [out / "evaluation.json", *pictures.files_of(out)]
