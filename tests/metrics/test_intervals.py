import math

import numpy as np
import pytest
import torch

from figment.errors import UserError
from figment.metrics.intervals import bootstrap, half_samples, normal_interval, proportion


def gaussian(count: int, width: int, seed: int) -> torch.Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


def mean(rows: torch.Tensor) -> float:
    return float(rows.mean())


def nearest(rows: torch.Tensor) -> float:
    """The mean distance to the nearest other row: a score that duplicates break."""
    distances = torch.cdist(rows, rows).fill_diagonal_(math.inf)
    return float(distances.min(1).values.mean())


def covered(intervals: list, truth: float) -> float:
    return float(np.mean([low <= truth <= high for low, high in intervals]))


def test_normal_interval():
    assert normal_interval(3, 2) == pytest.approx((3 - 3.919928, 3 + 3.919928), abs=1e-6)
    assert normal_interval(0, 1, 0.9).high == pytest.approx(1.644854, abs=1e-6)


def test_bootstrap_of_a_mean_covers_and_equals_its_normal_interval():
    sets = [gaussian(50, 1, seed).exp() for seed in range(150)]
    found = [bootstrap(mean, rows, resamples=200) for rows in sets]
    assert 0.86 < covered(found, math.exp(0.5)) < 0.98
    large = gaussian(2000, 1, 0)
    expected = normal_interval(mean(large), float(large.std()) / math.sqrt(2000))
    assert tuple(bootstrap(mean, large)) == pytest.approx(tuple(expected), abs=0.006)


def test_bootstrap_redraws_each_set_by_itself_and_is_repeatable():
    def difference(a: np.ndarray, b: np.ndarray) -> float:
        return float(a.mean() - b.mean())

    rows = gaussian(400, 1, 0).numpy()
    found = bootstrap(difference, rows, rows, resamples=500, seed=1)
    width = found.high - found.low  # 0 if both were redrawn alike
    assert width == pytest.approx(3.92 * math.sqrt(2 / 400), rel=0.15)
    assert found == bootstrap(difference, rows, rows, resamples=500, seed=1)
    assert found != bootstrap(difference, rows, rows, resamples=500, seed=2)


def test_half_samples_cover_a_nearest_neighbour_score_where_the_bootstrap_does_not():
    sets = [gaussian(80, 4, seed) for seed in range(120)]
    truth = float(np.mean([nearest(gaussian(80, 4, 1000 + seed)) for seed in range(300)]))
    halves = covered([half_samples(nearest, rows, resamples=40) for rows in sets], truth)
    redrawn = covered([bootstrap(nearest, rows, resamples=40) for rows in sets], truth)
    assert halves > 0.88
    assert redrawn < 0.05


def test_half_samples_have_the_width_of_the_whole():
    rows = gaussian(1000, 1, 0)
    found = half_samples(mean, rows, resamples=1000)
    assert (found.low + found.high) / 2 == pytest.approx(mean(rows))
    expected = 3.92 * float(rows.std()) / math.sqrt(1000)
    assert found.high - found.low == pytest.approx(expected, rel=0.08)
    assert found == half_samples(mean, rows, resamples=1000)


def test_proportion_is_wilsons():
    # 8 of 10, from Wilson's formula worked by hand: (.8 + .19207) / 1.38415 ± .22598
    assert proportion(0.8, 10) == pytest.approx((0.490162, 0.943318), abs=1e-6)
    assert proportion(0, 20).low == 0 and proportion(0, 20).high == pytest.approx(
        0.161125, abs=1e-6
    )
    assert proportion(1, 20) == pytest.approx((1 - 0.161125, 1), abs=1e-6)


def test_proportion_covers():
    draws = np.random.default_rng(0).binomial(40, 0.05, 2000) / 40
    assert 0.92 < covered([proportion(share, 40) for share in draws], 0.05) < 0.99


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bootstrap(mean, gaussian(9, 1, 0), resamples=1), "resamples"),
        (lambda: bootstrap(mean, gaussian(9, 1, 0), level=95), "level"),
        (lambda: half_samples(mean, gaussian(3, 1, 0)), "at least 4 samples"),
        (lambda: proportion(1.2, 10), "share from 0 to 1"),
        (lambda: normal_interval(0, 1, 1), "level"),
    ],
)
def test_mistakes_are_named(call, message: str):
    with pytest.raises(UserError, match=message):
        call()
