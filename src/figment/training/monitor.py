"""The monitor of a training: scores and signs of health of its samples, and what follows from them.

A measurement draws samples from the average, compares them with real pictures, and leaves a line in
``metrics.jsonl`` and "watch/..." columns in the log. The best weights so far are kept and patience is
counted. Nothing of it changes what is learned.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import torch

from figment import mesh
from figment.data import Dataset, evenly_spaced
from figment.doctor.signs import REALS, Reference, reference, signs
from figment.errors import UserError
from figment.files import write_text
from figment.judging.scorer import Scorer, resolved_features, scorer_for
from figment.metrics.score import Score
from figment.records import Unreadable, number, read_lines
from figment.sampling.generator import Generator
from figment.training.folder import read_best, undo_best, write_best
from figment.training.previous_samples import PreviousSamples
from figment.training.pull import pull
from figment.training.shown import shown
from figment.training.trainer import Trainer

if TYPE_CHECKING:
    from figment.rounds import Playable

RELAPSE, IN_A_ROW = 1.15, 3
"""A training has relapsed when its first score was so many times its best in so many measurements in a row.

A DCGAN on cats set a new best in all of 20 measurements; with rates 64 times too high from half-way on
it was at 1.3 to 1.7 times its best ever after.
"""
AT_BEST = 1.05
"""A moment is worth going back to while the score is within this many times its best, or its interval."""
SHARE = 0.1
"""Measuring takes at most this share of the time, unless the user says how often."""

SOON = 1.0
"""Seconds of a measurement that is made a second time before the run, to tell what it takes."""


@dataclass
class Monitor:
    """Measures the samples of one training, remembers the measurements, and keeps the best weights."""

    run: Path
    scorer: Scorer | None
    """What scores samples; None where the recipe names none."""
    reference: Reference
    """What the samples' signs of health are compared with."""
    lines: list[dict[str, Any]]
    """The measurements so far, as in metrics.jsonl."""
    best: dict[str, Any] | None
    """The note in best.safetensors."""
    untrained: Untrained | None = None
    """What the weights that nothing has been learned with were given, if that has been measured."""
    measured: int = 0
    """Images at the last measurement of this session, with scores or without."""

    def measure(self, trainer: Trainer, seconds: float, *, end: bool = False) -> dict[str, float]:
        """Measure now; return the columns for the log. ``seconds``: how long the run has taken.

        ``end``: it is out of turn, because the training ends. A resume forgets it, and the best weights
        that it may have made.
        """
        start, images = time.perf_counter(), trainer.clock.images
        self.measured = images
        generator = Generator(trainer.recipe, trainer.averaged_generator())
        columns = self._signs(trainer, generator)
        if self.scorer is None:
            return columns
        if images == 0 and self.untrained is not None and not trainer.begun_elsewhere:
            scores, before = self.untrained.scores, self.untrained.seconds
        else:
            scores = self.scorer.score_samples(generator, trainer.recipe.metric_count)
            before = 0.0
        first = scores[0]
        # Of equal scores the later: far from the modes all weights of points get the same.
        better = first.badness <= (self.best or {}).get("badness", math.inf)
        if images and better and math.isfinite(first.badness) and self.scorer.trusted:
            self.best = {"images": images, "score": first.name, "value": first.value}
            self.best |= {"badness": first.badness, "end": end}
            if mesh.is_first():
                write_best(self.run, trainer.recipe, generator.net, self.best)
        line = {
            "images": images,
            "seconds": round(seconds, 3),
            "cost": round(before + time.perf_counter() - start, 3),
            "features": self.scorer.features,
            "protocol": first.protocol,
            "scores": {score.name: brief(score, first.protocol) for score in scores},
        }
        self.lines.append(line | ({"end": True} if end else {}))
        self._write()
        return columns | {f"metric/{score.name}": score.value for score in scores}

    def out_of_patience(self, recipe: Playable) -> bool:
        """Return whether ``patience`` measurements have passed without one that is better, not as good."""
        best, since = math.inf, 0
        for score in self._firsts():
            badness = Score("first", **score).badness
            best, since = (badness, 0) if badness < best else (best, since + 1)
        return 0 < recipe.patience <= since

    def relapse(self) -> str:
        """Return the evidence that the samples have become worse for good, "" where they have not.

        Asked of scores of which lower is better; worse counts only beyond both intervals.
        """
        scores = self._first_scores()
        if len(scores) <= IN_A_ROW or not (self.scorer and self.scorer.trusted):
            return ""
        best = min(scores[:-IN_A_ROW], key=lambda score: score["value"])
        limit = max(RELAPSE * best["value"], best.get("high", best["value"]))
        recent = scores[-IN_A_ROW:]
        if limit <= 0 or any(s.get("low", s["value"]) <= limit for s in recent):
            return ""
        # A best of 0 or below, which an unbiased score may have, counts as the upper end of its interval.
        worse = min(score["value"] for score in recent) / (max(0.0, best["value"]) or limit)
        name = next(iter(self.lines[-1]["scores"]))
        return f"{name} was at least {worse:.2f} times its best in {IN_A_ROW} measurements in a row"

    def at_its_best(self) -> bool:
        """Return whether the last score is about the best so far, as far as scores are measured.

        That is within its interval, too: an unbiased score may be at 0 or below, and no multiple says much.
        """
        trusted = self.scorer is not None and self.scorer.trusted
        scores = self._first_scores() if trusted else []
        if not scores:
            return True
        best = min(scores, key=lambda score: score["value"])
        limit = max(AT_BEST * best["value"], best.get("high", best["value"]))
        return scores[-1]["value"] <= limit

    def _first_scores(self) -> list[dict[str, Any]]:
        """The first score of every measurement of trained weights, where lower is better."""
        return [score for score in self._firsts() if score["better"] == "lower"]

    def _firsts(self) -> list[dict[str, Any]]:
        """The first score of every measurement of trained weights."""
        return [next(iter(line["scores"].values())) for line in self.lines if line["images"]]

    def back_to(self, images: int) -> None:
        """Forget what was measured after a moment: training goes on from there."""
        self.measured = min(self.measured, images)
        self.lines = [line for line in self.lines if line["images"] <= images and "end" not in line]
        if self.best and self.best["end"]:
            if mesh.is_first():
                undo_best(self.run)
            mesh.barrier()
            self.best = read_best(self.run)
        self._write()

    def last(self) -> int:
        """Return where the last measurement was."""
        return max(self.measured, self.lines[-1]["images"] if self.lines else 0)

    def cost(self) -> float:
        """Return the seconds that a measurement takes."""
        return self.lines[-1]["cost"] if self.lines else 0.0

    def _signs(self, trainer: Trainer, generator: Generator) -> dict[str, float]:
        count = PreviousSamples.SIZE
        samples = torch.from_numpy(generator.sample(count).array)
        previous = cast(PreviousSamples, trainer.nets["album"])
        asked = trainer.recipe.labels_for(range(count), torch.device("cpu"))
        found = signs(samples, self.reference, previous.exchange(samples), asked)
        return found | shown(trainer) | pull(trainer) | _rates(trainer)

    def _write(self) -> None:
        if mesh.is_first() and (self.lines or (self.run / "metrics.jsonl").exists()):
            text = "".join(json.dumps(line) + "\n" for line in self.lines)
            write_text(self.run / "metrics.jsonl", text)


def _rates(trainer: Trainer) -> dict[str, float]:
    """Return the learning rate of each player as its optimiser has it now: "rate/PLAYER"."""
    found = {}
    for player, optimizer in trainer.optimizers.items():
        rates = [group.get("lr") for group in optimizer.param_groups]
        known = [float(rate) for rate in rates if isinstance(rate, int | float)]
        if known:
            found[f"rate/{player}"] = max(known)
    return found


class Untrained(NamedTuple):
    """A measurement of weights that nothing has been learned with, and what it took."""

    scorer: Scorer | None
    scores: list[Score]
    seconds: float


def monitor_for(
    run: Path, trainer: Trainer, *, untrained: Untrained | None = None, progress: bool = False
) -> Monitor:
    """Return the monitor of a training that begins, with its weights measured already, or goes on.

    Measurements that the run holds of moments after that, as a kill leaves them, are forgotten.
    """
    recipe, feed = trainer.recipe, trainer.feed
    some, unseen = (evenly_spaced(rows, REALS) for rows in (feed.rows, feed.held_out))
    if untrained is None:
        scorer = scorer_for(recipe, feed.dataset, feed.rows, feed.held_out, progress=progress)
    else:
        scorer = untrained.scorer
    monitor = Monitor(
        run,
        scorer,
        reference(
            feed.dataset.rows[some],
            feed.dataset.rows[unseen],
            feed.dataset.labels[some] if feed.dataset.classes else None,
        ),
        read_measurements(run),
        read_best(run),
        untrained,
    )
    monitor.back_to(trainer.clock.images)
    return monitor


def features_for(recipe: Playable) -> str:
    """Return the recipe's features; for "auto" those that can be had here, for all processes."""
    if recipe.kind != "images":
        return recipe.features
    return str(mesh.first(resolved_features(recipe.features, recipe.learned_from)))


def measure_untrained(
    recipe: Playable, dataset: Dataset, device: torch.device, *, progress: bool = False
) -> Untrained:
    """Return the scores of a recipe's first weights: what it begins from, and what measuring takes here.

    Raises UserError for a score or features that do not exist or cannot be had.
    """
    trainer = Trainer(recipe, dataset, device)
    scorer = scorer_for(
        recipe, dataset, trainer.feed.rows, trainer.feed.held_out, progress=progress
    )
    if scorer is not None and recipe.patience and not scorer.trusted:
        raise UserError(
            "patience needs a score that can rank weights, and the features small cannot: "
            "pip install 'figment-gan[features]', or choose --features inception or dinov2"
        )
    scores, seconds = [], 0.0
    for _ in range(2):  # the first one warms up, which matters where it is soon over
        start = time.perf_counter()
        generator = Generator(recipe, trainer.averaged_generator())
        generator.sample(PreviousSamples.SIZE)
        scores = [] if scorer is None else scorer.score_samples(generator, recipe.metric_count)
        seconds = time.perf_counter() - start
        if mesh.first(seconds > SOON):
            break
    return Untrained(scorer, scores, seconds)


def pause_for(recipe: Playable, seconds: float, images_per_second: float) -> int:
    """Return the images between two measurements: the recipe's, or what keeps to SHARE of the time.

    ``seconds`` is what a measurement takes.
    """
    if recipe.metric_every:
        return recipe.metric_every
    pause = math.ceil(seconds / SHARE * images_per_second / recipe.tick) * recipe.tick
    return int(mesh.first(max(pause, recipe.tick)))  # ty: ignore[invalid-argument-type]


def read_measurements(run: Path) -> list[dict[str, Any]]:
    """Return the lines of a run's metrics.jsonl, as far as they can be read and say what they must.

    Raises UserError where it is no file, or larger than any that figment writes.
    """
    path = run / "metrics.jsonl"
    try:
        rows, _ = read_lines(path)
    except Unreadable as error:
        raise UserError(f"{path} cannot be read ({error}): bring back a copy of it") from None
    return [row for row in rows if number(row.get("cost")) is not None and _scored(row)]


def _scored(row: dict[str, Any]) -> bool:
    """Whether a line of metrics.jsonl holds scores, each with a value and what is better."""
    scores = row.get("scores")
    return (
        isinstance(scores, dict)
        and len(scores) > 0
        and all(
            isinstance(score, dict)
            and isinstance(score.get("better"), str)
            and number(score.get("value")) is not None
            and all(number(score[end]) is not None for end in ("low", "high") if end in score)
            for score in scores.values()
        )
    )


def brief(score: Score, protocol: str) -> dict[str, Any]:
    """Return a score as metrics.jsonl holds it; its protocol where that is not the line's."""
    kept = ("value", "low", "high", "floor", "better", "note")
    kept += ("protocol",) if score.protocol != protocol else ()
    return {name: getattr(score, name) for name in kept if getattr(score, name) not in (None, "")}
