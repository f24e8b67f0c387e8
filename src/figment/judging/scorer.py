"""The scorer: real pictures with their features and floors, ready to score one set of samples or many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from figment.data import Dataset
from figment.errors import UserError
from figment.judging.measures import Figure, Measure, lacking, measures_for
from figment.judging.sides import Side, real_side, sample_side
from figment.metrics.features import Extractor, available, open_features
from figment.metrics.score import Score
from figment.randomness import stream
from figment.rounds import Playable
from figment.sampling.generator import Generator

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
    floors: dict[str, float]
    """Every figure of real pictures in the samples' place."""

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

    def protocol(self, count: int) -> str:
        """Return how ``count`` samples are scored: two figures compare only where this is equal."""
        seen = self.extractor.protocol if self.extractor else "coordinates"
        return f"{seen}; {count:,} samples against {len(self.reals):,} reals"

    def score_samples(self, generator: Generator, count: int) -> list[Score]:
        """Return the scores of the samples of seeds 0 to ``count - 1``, without the costly intervals."""
        return self.scores(sample_side(generator, count, self.extractor), sure=False)

    def scores(self, samples: Side, *, sure: bool = True, group: str = "") -> list[Score]:
        """Return every score of the samples, with 95 % intervals where ``sure``."""
        protocol = self.protocol(len(samples))
        return [
            Score(
                figure.name,
                figure.value,
                *(figure.interval or (None, None)),
                self.floors.get(figure.name) if figure.floor is None else figure.floor,
                figure.better,
                protocol,
                figure.note,
                group,
            )
            for measure in self.measures
            for figure in measure.give(samples, self.reals, self.held_out, sure)
        ]


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
    extractor = extractor_for(recipe.kind, recipe.features)
    some = rows[stream("reals", recipe.seed).permutation(len(rows))[: 2 * REALS]]
    reals = real_side(dataset, np.sort(some), extractor, progress=progress)
    apart = real_side(dataset, held_out, extractor) if len(held_out) else None
    return scorer(recipe.metrics, extractor, reals, apart, recipe.metric_count)


def scorer(
    names: Sequence[str],
    extractor: Extractor | None,
    reals: Side,
    held_out: Side | None,
    count: int,
    *,
    all_reals: bool = False,
) -> Scorer:
    """Return a scorer whose floors are those of ``count`` reals, or half of them, in the samples' place.

    Samples are compared with the other reals, at most REALS of them, or with ``all_reals`` with all. Raises
    UserError where a score needs what is not there.
    """
    measures = measures_for(names)
    order = torch.from_numpy(stream("floor", len(reals)).permutation(len(reals)))
    pretend = min(count, len(reals) // 2)
    stand_in, others = (
        reals.of(order[:pretend].sort().values),
        reals.of(order[pretend:].sort().values),
    )
    for measure in measures:
        for need in lacking(measure, stand_in, others, held_out):
            raise UserError(f"{measure.gives[0]} needs {need}, and there are none{_cure(need)}")
    floors: dict[str, float] = {}
    if pretend >= 20:
        for measure in (measure for measure in measures if measure.floor):
            figures: list[Figure] = measure.give(stand_in, others, held_out, False)
            floors |= {figure.name: figure.value for figure in figures}
    if not all_reals and len(others) >= REALS:
        reals = others.of(torch.arange(REALS))
    return Scorer(measures, extractor, reals, held_out, floors)


def extractor_for(kind: str, features: str, device: str = "cpu") -> Extractor | None:
    """Return the network of the features by name; None for points."""
    if kind == "points":
        return None
    return open_features(resolved_features(features), torch.device(device))


def resolved_features(features: str) -> str:
    """Return which features ``auto`` stands for: the first of RANKING that is here, or else small."""
    if features != "auto":
        return features
    return next((name for name in RANKING if available(name)), "small")


def _cure(need: str) -> str:
    if need == "logits":
        return ": choose --features inception"
    return ""
