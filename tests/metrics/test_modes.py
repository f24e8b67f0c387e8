"""Modes found by points on the ring and the grid, and by labels."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from figment.data.points import GRID_CENTRES, GRID_STD, RING_CENTRES, RING_STD, grid, ring
from figment.metrics.modes import label_modes, point_modes


def centres_of(name: str) -> tuple[torch.Tensor, float]:
    centres, std = {"ring": (RING_CENTRES, RING_STD), "grid": (GRID_CENTRES, GRID_STD)}[name]
    return torch.from_numpy(centres.copy()), std


@pytest.mark.parametrize(("name", "sample", "total"), [("ring", ring, 8), ("grid", grid, 25)])
def test_true_points_find_every_mode(name: str, sample, total: int):
    points = torch.from_numpy(sample(100_000)[0])
    found = point_modes(points, *centres_of(name), least=20)
    assert (found.found, found.total) == (total, total)
    assert found.high_quality == pytest.approx(1 - math.exp(-4.5), abs=0.0015)
    assert 1 - math.exp(-4.5) == pytest.approx(0.98889, abs=5e-6)
    assert found.divergence == pytest.approx((total - 1) / 200_000, abs=2e-4)
    assert int(found.counts.sum()) == round(found.high_quality * 100_000)


def test_a_mode_counts_by_its_good_samples():
    centres = torch.tensor([[0.0, 0.0], [10.0, 0.0], [20.0, 0.0]])
    points = torch.cat([centres[:1].repeat(20, 1), centres[1:2].repeat(19, 1), torch.zeros(1, 2)])
    points[-1, 0] = 20 + 0.31  # beyond three deviations of the third centre
    found = point_modes(points, centres, 0.1)
    assert found.counts.tolist() == [20, 19, 0]
    assert found.found == 2
    assert point_modes(points, centres, 0.1, least=20).found == 1
    assert found.high_quality == pytest.approx(39 / 40)
    p = np.array([20, 19, 1]) / 40  # the stray one still belongs to the third
    assert found.divergence == pytest.approx(float((p * np.log(3 * p)).sum()))


def test_collapse_and_shrunken_modes_show():
    centres, std = centres_of("ring")
    one = point_modes(centres[:1].repeat(2500, 1), centres, std)
    assert (one.found, one.high_quality) == (1, 1)
    assert one.divergence == pytest.approx(math.log(8))
    none = point_modes(torch.zeros(2500, 2), centres, std)
    assert (none.found, none.high_quality) == (0, 0)


def test_the_distance_from_the_mixture_is_what_would_have_to_move():
    """True points: (0.33, 0.33, 0.33) x 0.98889 on three modes, the rest beside them."""
    centres = torch.tensor([[0.0, 0.0], [10.0, 0.0], [20.0, 0.0]])
    on, beside = (1 - math.exp(-4.5)) / 3, math.exp(-4.5)
    points = centres.repeat_interleave(torch.tensor([50, 20, 20]), 0)
    found = point_modes(torch.cat([points, torch.full((10, 2), 5.0)]), centres, 0.1)
    assert found.variation == pytest.approx(0.5 - on + 0.1 - beside)  # what is too much
    assert found.variation == pytest.approx(2 * (on - 0.2))  # what is too little
    assert found.crowded == pytest.approx(0.6)
    assert point_modes(centres[:1].repeat(9, 1), centres, 0.1).variation == pytest.approx(1 - on)
    assert point_modes(points + 5, centres, 0.1).variation == pytest.approx(1 - beside)
    real = point_modes(torch.from_numpy(ring(100_000)[0]), *centres_of("ring"))
    assert real.variation < 0.01


def test_no_points_find_nothing():
    found = point_modes(torch.empty(0, 2), *centres_of("ring"))
    assert found.found == 0 and math.isnan(found.high_quality)


def test_the_floor_of_stacked_digits():
    random = np.random.default_rng(0)
    draws = [torch.from_numpy(random.integers(1000, size=26_000)) for _ in range(20)]
    found = [label_modes(labels, 1000) for labels in draws]
    assert found[0].floor == pytest.approx(0.0192, abs=5e-5)
    mean = sum(one.divergence for one in found) / 20
    assert mean == pytest.approx(found[0].floor, rel=0.04)
    assert all(one.found == 1000 for one in found)


def test_labels_by_hand():
    found = label_modes(torch.tensor([0, 0, 0, 2]), 4)
    assert (found.found, found.total) == (2, 4)
    assert found.counts.tolist() == [3, 0, 1, 0]
    assert found.divergence == pytest.approx(0.75 * math.log(3) + 0.25 * math.log(1))
    against = label_modes(torch.tensor([0, 0, 0, 2]), 4, torch.tensor([30, 0, 10, 0]))
    assert against.divergence == 0
    assert label_modes(torch.tensor([1]), 2, torch.tensor([1.0, 0.0])).divergence == math.inf


def test_an_unknown_label_is_refused():
    with pytest.raises(ValueError, match="label 5 is not one of 4"):
        label_modes(torch.tensor([5]), 4)
