"""The ring and the grid: centres, spread, equal modes, purity."""

from __future__ import annotations

import math

import numpy as np
import pytest

from figment.data.points import GRID_CENTRES, GRID_STD, RING_CENTRES, RING_STD, grid, ring

SETS = [(ring, RING_CENTRES, RING_STD), (grid, GRID_CENTRES, GRID_STD)]
N = 100_000


def test_ring_centres():
    root = math.sqrt(2)
    expected = [(2, 0), (root, root), (0, 2), (-root, root)]
    expected += [(-x, -y) for x, y in expected]
    np.testing.assert_allclose(RING_CENTRES, expected, atol=1e-6)
    assert RING_STD == 0.02


def test_grid_centres():
    expected = {(x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)}
    assert GRID_CENTRES.shape == (25, 2)
    assert {tuple(c) for c in GRID_CENTRES.tolist()} == expected
    assert GRID_STD == 0.05


@pytest.mark.parametrize(("sample", "centres", "std"), SETS)
def test_points_scatter_about_the_centre_of_their_mode(sample, centres, std):
    points, modes = sample(N)
    assert points.shape == (N, 2) and points.dtype == np.float32
    assert modes.shape == (N,) and modes.dtype == np.int64
    nearest = np.linalg.norm(points[:, None] - centres, axis=2).argmin(axis=1)
    np.testing.assert_array_equal(nearest, modes)
    noise = points - centres[modes]
    error = std / math.sqrt(N)
    np.testing.assert_allclose(noise.mean(axis=0), 0, atol=4 * error)
    np.testing.assert_allclose(noise.std(axis=0), std, atol=4 * error / math.sqrt(2))
    assert abs(np.corrcoef(noise.T)[0, 1]) < 4 / math.sqrt(N)
    within = np.mean(np.linalg.norm(noise, axis=1) < 3 * std)
    share = 1 - math.exp(-4.5)
    assert share == pytest.approx(0.98889, abs=5e-6)
    assert within == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / N))


@pytest.mark.parametrize(("sample", "centres", "std"), SETS)
def test_modes_are_equally_frequent(sample, centres, std):
    _, modes = sample(N)
    k = len(centres)
    counts = np.bincount(modes, minlength=k)
    assert len(counts) == k
    np.testing.assert_allclose(counts, N / k, atol=4 * math.sqrt(N / k * (1 - 1 / k)))


@pytest.mark.parametrize(("sample", "centres", "std"), SETS)
def test_points_are_a_function_of_the_seed(sample, centres, std):
    points, modes = sample(50, seed=1)
    again, modes_again = sample(50, seed=1)
    np.testing.assert_array_equal(points, again)
    np.testing.assert_array_equal(modes, modes_again)
    assert not np.array_equal(points, sample(50, seed=2)[0])
    assert sample(0)[0].shape == (0, 2) and sample(0)[1].shape == (0,)


def test_the_centres_cannot_be_changed_by_accident():
    with pytest.raises(ValueError, match="read-only"):
        RING_CENTRES[0] = 0
