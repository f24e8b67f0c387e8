"""The scorer: real pictures with their features and floors, ready to score one set of samples or many."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from figment.data import Dataset
from figment.errors import UserError
from figment.judging.figure import Copy, Figure, Measure
from figment.judging.forms import form_of
from figment.judging.measures import lacking, measures_for
from figment.judging.sides import Side, real_side, sample_side
from figment.metrics.features import Extractor, available, open_features
from figment.metrics.score import Score
from figment.randomness import stream
from figment.rounds import Playable
from figment.sampling.generator import Generator

LEAST = 20
"""Reals that are enough for a floor, and pictures that are enough for a score."""
RATIOS = ("diversity", "checkerboard")
"""Figures that are a ratio to the reals': what these get is 1, where too few are there to measure it."""
RANKING = ("efficientnet", "mobilenet")
"""Features that may rank models, from the first that `auto` takes on."""
REALS = 2_000
"""Reals that a training's measurements compare with; `figment evaluate` takes all."""


@dataclass(frozen=True)
class Scorer:
    """What samples are compared with, and how."""

    measures: Sequence[Measure]
    extractor: Extractor | None
    """None for points, whose features are their coordinates."""
    reals: Side
    held_out: Side | None
    others: Side
    """The reals but for those that took the samples' place when the floors were measured."""
    pretended: int
    """How many these were; 0: there are no floors."""
    floors: dict[str, float]
    """Every figure of real pictures in the samples' place."""
    form: str = ""
    """Side, colour and resizing of the pictures."""

    @property
    def features(self) -> str:
        """The name of the features."""
        return self.extractor.name if self.extractor else "coordinates"

    @property
    def trusted(self) -> bool:
        """Whether models may be ranked by these features: not by those of random weights.

        Measured on the built-in flowers: by ``small`` KID was .0024 after 60,000 images and .0054 after
        376,000, by MobileNet 6.1 and 4.8, and the eye agrees with MobileNet.
        """
        return self.features != "small"

    def protocol(self, samples: Side, reals: Side) -> str:
        """Return how samples are scored: two figures compare only where this is equal."""
        seen = self.extractor.protocol if self.extractor else "coordinates"
        counts = f"{len(samples):,} samples against {len(reals):,} reals"
        return "; ".join(filter(None, (seen, self.form, counts)))

    def score_samples(self, generator: Generator, count: int) -> list[Score]:
        """Return the scores of the samples of seeds 0 to ``count - 1``, without the costly intervals."""
        return self.scores(sample_side(generator, count, self.extractor), sure=False)

    def scores(
        self,
        samples: Side,
        *,
        sure: bool = True,
        group: str = "",
        copies: list[Copy] | None = None,
    ) -> list[Score]:
        """Return every score of the samples, with 95 % intervals where ``sure``.

        ``copies`` gathers the samples that repeat a training picture.
        """
        found = []
        for measure in self.measures:
            side, reals = self._sides(measure, samples)
            protocol = self.protocol(side, reals)
            for figure in measure.give(side, reals, self.held_out, sure):
                found.append(_score(figure, self.floors, protocol, group))
                if copies is not None:
                    copies += figure.copies
        return found

    def _sides(self, measure: Measure, samples: Side) -> tuple[Side, Side]:
        """Return the samples and the reals that a measure compares.

        Figures that move with the counts are measured at those of their floor: as many samples as there
        were reals in their place, against the other reals.
        """
        reals = self.reals
        if measure.matched and self.pretended:
            samples, reals = samples.at_most(self.pretended), self.others
        return samples.at_most(measure.most), reals.at_most(measure.most)


def scorer_for(
    recipe: Playable,
    dataset: Dataset,
    rows: np.ndarray,
    held_out: np.ndarray,
    *,
    progress: bool = False,
) -> Scorer | None:
    """Return the scorer of a training's measurements; None where its recipe names no score."""
    if not recipe.metrics:
        return None
    extractor = extractor_for(recipe.kind, recipe.features, without=recipe.learned_from)
    some = rows[stream("reals", recipe.seed).permutation(len(rows))[: REALS + recipe.metric_count]]
    reals = real_side(dataset, np.sort(some), extractor, progress=progress)
    apart = real_side(dataset, held_out, extractor) if len(held_out) else None
    form = str(form_of(dataset, recipe.fit)) if extractor else ""
    return scorer(
        recipe.metrics, extractor, reals, apart, recipe.metric_count, most=REALS, form=form
    )


def scorer(
    names: Sequence[str],
    extractor: Extractor | None,
    reals: Side,
    held_out: Side | None,
    count: int,
    *,
    most: int | None = None,
    form: str = "",
    floors: bool = True,
) -> Scorer:
    """Return a scorer whose floors are those of ``count`` reals, or half of them, in the samples' place.

    Samples are compared with all reals, or at ``most`` so many. Figures that move with the counts are
    compared with those that did not take the samples' place, unless there are to be no ``floors``. Raises
    UserError where a score needs what is not there.
    """
    measures = measures_for(names)
    order = torch.from_numpy(stream("floor", len(reals)).permutation(len(reals)))
    pretend = min(count, len(reals) // 2)
    left = order[pretend:][:most]
    stand_in, others = reals.of(order[:pretend].sort().values), reals.of(left.sort().values)
    for measure in measures:
        for need in lacking(measure, stand_in, others, held_out):
            raise UserError(f"{measure.gives[0]} needs {need}, and there are none{_cure(need)}")
    if most is not None and len(others) == most:
        reals = others
    pretend = pretend if floors and pretend >= LEAST else 0
    found: dict[str, float] = dict.fromkeys(RATIOS if floors else (), 1.0)
    for measure in measures if pretend else ():
        if measure.floor:
            sides = (side.at_most(measure.most) for side in (stand_in, others))
            figures: list[Figure] = measure.give(*sides, held_out, False)
            found |= {figure.name: figure.value for figure in figures}
    return Scorer(measures, extractor, reals, held_out, others, pretend, found, form)


def _score(figure: Figure, floors: dict[str, float], protocol: str, group: str) -> Score:
    low, high = figure.interval or (None, None)
    floor = floors.get(figure.name) if figure.floor is None else figure.floor
    better, note = figure.better, figure.note
    return Score(figure.name, figure.value, low, high, floor, better, protocol, note, group)


def extractor_for(
    kind: str, features: str, device: str = "cpu", without: Collection[str] = ()
) -> Extractor | None:
    """Return the network of the features by name, see ``resolved_features``; None for points."""
    if kind == "points":
        return None
    return open_features(resolved_features(features, without), torch.device(device))


def resolved_features(features: str, without: Collection[str] = ()) -> str:
    """Return which features ``auto`` stands for: the first of RANKING that is here, or else small.

    ``without``: networks that a system has learned from, by which it is not judged; it is by patches then
    where no other is here.
    """
    if features != "auto":
        return features
    last = "patches" if without else "small"
    return next((name for name in RANKING if name not in without and available(name)), last)


def _cure(need: str) -> str:
    if need == "logits":
        return ": choose --features inception"
    return ""
