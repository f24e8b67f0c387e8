"""The classifier two-sample test."""

from __future__ import annotations

import pytest
import torch

from figment.metrics.two_sample import c2st


def gaussian(count: int, shift: float, seed: int) -> torch.Tensor:
    drawn = torch.randn(count, 8, generator=torch.Generator().manual_seed(seed))
    drawn[:, 0] += shift
    return drawn


def test_equal_distributions_are_a_coin():
    found = c2st(gaussian(4_000, 0, 1), gaussian(4_000, 0, 2))
    assert found.count == 4_000
    assert found.accuracy == pytest.approx(0.5, abs=3 * 0.5 / 4_000**0.5)


@pytest.mark.parametrize("shift", [0.5, 1.0, 2.0])
def test_shifted_gaussians_are_told_as_well_as_can_be(shift: float):
    found = c2st(gaussian(8_000, 0, 1), gaussian(8_000, shift, 2))
    best = torch.distributions.Normal(0.0, 1.0).cdf(torch.tensor(shift / 2))  # Bayes
    assert found.accuracy == pytest.approx(float(best), abs=0.012)


def test_the_fewer_decide_and_scales_do_not_matter():
    real, fake = gaussian(500, 0, 1), gaussian(300, 9, 2)
    found = c2st(real, fake)
    assert found == (1.0, 300)
    weights = torch.logspace(-3, 3, 8)
    assert c2st(real * weights, fake * weights) == found


def test_a_constant_feature_is_no_trouble():
    real, fake = gaussian(200, 0, 1), gaussian(200, 3, 2)
    real[:, 4] = fake[:, 4] = 7.0
    assert c2st(real, fake).accuracy > 0.9


def test_reals_that_come_class_by_class_are_drawn_from_all_of_them():
    """More reals than samples, sorted: the first ones are of one class."""
    real = torch.cat([gaussian(1_500, 0, 1), gaussian(1_500, 6, 2)])
    fake = torch.cat([gaussian(500, 0, 3), gaussian(500, 6, 4)])
    assert c2st(real, fake).accuracy == pytest.approx(0.5, abs=0.06)
    assert c2st(fake, real).accuracy == pytest.approx(0.5, abs=0.06)
