"""Intervals hold what they are for as often as they say; benchmarks/intervals.py has the whole table."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from figment.metrics.distances import fid, fid_interval, moments
from figment.metrics.diversity import diversity_ratio, feature_diversity
from figment.metrics.intervals import clustered, proportion, share_below
from figment.metrics.manifolds import (
    density_coverage,
    density_coverage_intervals,
    precision_recall,
    precision_recall_intervals,
)


def gaussian(count: int, width: int, seed: int, spread: float = 1.0) -> torch.Tensor:
    return spread * torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


def share(intervals: list, truth: float) -> float:
    return float(np.mean([low <= truth <= high for low, high in intervals]))


def test_an_interval_of_clustered_answers_is_wilsons_where_they_are_independent():
    independent = math.sqrt(0.25 * 0.75 / 400)
    assert clustered(0.25, 400, independent / 2) == proportion(0.25, 400)
    wider = clustered(0.25, 400, 2 * independent)
    assert wider == pytest.approx(proportion(0.25, 100), abs=0.005)
    assert clustered(1.0, 400, 0.0) == proportion(1, 400)
    assert 0 < clustered(1.0, 400, 0.0).low < 1 == clustered(1.0, 400, 0.0).high


@pytest.mark.parametrize("copies", [0.0, 0.1])
def test_a_share_below_a_quantile_that_varies_too_is_covered(copies):
    draws = np.random.default_rng(0)

    def values(count: int, copied: float) -> torch.Tensor:
        own = draws.beta(12, 2, count)
        return torch.from_numpy(np.where(draws.random(count) < copied, 0, own))

    def measured() -> tuple[torch.Tensor, torch.Tensor, float]:
        own, other = values(500, copies), values(300, 0)
        return own, other, float((own < other.quantile(0.01)).double().mean())

    truth = float(np.mean([measured()[2] for _ in range(1000)]))
    found = [share_below(*measured()[:2], 0.01) for _ in range(200)]
    assert 0.9 <= share(found, truth) <= 0.995
    assert all(0 <= low <= high <= 1 for low, high in found)


def test_manifold_intervals_cover_near_saturation_and_stay_inside():
    """With 80 samples to 40 reals nearly every real is covered: half-samples then hardly vary."""
    values, found = [], []
    for seed in range(50):
        real, fake = gaussian(40, 8, 2 * seed), gaussian(80, 8, 2 * seed + 1)
        values.append((*precision_recall(real, fake), *density_coverage(real, fake)))
        found.append(
            precision_recall_intervals(real, fake, resamples=30)
            + density_coverage_intervals(real, fake, resamples=30)
        )
    for place, truth in enumerate(np.mean(values, axis=0)):
        intervals = [one[place] for one in found]
        assert share(intervals, float(truth)) >= 0.87, place
        most = math.inf if place == 2 else 1
        assert all(0 <= low <= high <= most for low, high in intervals)


@pytest.mark.parametrize("spread", [1.0, 1.3])
def test_fid_and_diversity_are_covered_and_fid_not_by_far(spread):
    fids, found, ratios, widths = [], [], [], []
    for seed in range(80):
        real, fake = gaussian(120, 16, 2 * seed), gaussian(120, 16, 2 * seed + 1, spread)
        fids.append(fid(moments(real), moments(fake)))
        found.append(fid_interval(real, fake))
        value, interval = diversity_ratio(fake, real)
        assert value == pytest.approx(feature_diversity(fake) / feature_diversity(real))
        ratios.append(interval)
        widths.append(interval.high - interval.low)
    assert share(found, float(np.mean(fids))) >= 0.88
    width = float(np.mean([high - low for low, high in found]))
    assert width == pytest.approx(3.92 * float(np.std(fids)), rel=0.3)
    assert share(ratios, spread) >= 0.88 and min(widths) > 0
