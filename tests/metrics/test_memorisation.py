"""Nearest rows, the nearest ratio, authenticity and the data-copying test."""

from __future__ import annotations

import math

import pytest
import torch

from figment.errors import UserError
from figment.metrics.memorisation import (
    LEVELS,
    _reduced,
    authentic,
    authenticity,
    data_copying,
    nearest,
    nearest_ratio,
    rank_z,
)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


TRAIN, HELD_OUT = normal(2000, 8), normal(600, 8, seed=1)
COPIES = TRAIN[:600] + 1e-4 * normal(600, 8, seed=2)


@pytest.mark.parametrize("k", [1, 5])
def test_nearest_is_that_of_all_distances(k: int):
    queries, references = normal(50, 20, seed=1), normal(300, 20)
    distances, indices = nearest(queries, references, k)
    expected = torch.cdist(queries.double(), references.double()).topk(k, largest=False)
    assert distances.dtype == torch.float64 and distances.shape == (50, k)
    torch.testing.assert_close(distances, expected.values)
    assert torch.equal(indices, expected.indices)


def test_near_duplicates_far_from_the_origin_keep_their_distance():
    references = 1e4 + normal(300, 64)
    queries = references[:40].clone()
    queries[:, 0] += 0.0009765625  # 2**-10, exact at this size
    distances, indices = nearest(queries, references)
    assert distances[:, 0].tolist() == [2**-10] * 40
    assert indices[:, 0].tolist() == list(range(40))


def test_rows_that_float32_cannot_tell_apart_are_found():
    references = 1000 * normal(200, 64)
    references[:8] = references[0]
    references[:8, 0] += torch.arange(8) * 2**-10
    distances, indices = nearest(references[:8], references)
    assert distances[:, 0].tolist() == [0] * 8
    assert indices[:, 0].tolist() == list(range(8))


def test_a_row_does_not_find_itself():
    points = torch.tensor([[0.0], [1.0], [3.0], [3.0]])
    distances, indices = nearest(points, points, exclude_self=True)
    assert distances[:, 0].tolist() == [1, 1, 0, 0]
    assert indices[:, 0].tolist() == [1, 0, 3, 2]


def test_chunks_do_not_matter(monkeypatch: pytest.MonkeyPatch):
    points = normal(100, 6)
    whole = nearest(points, points, 3, exclude_self=True)
    monkeypatch.setattr("figment.metrics.memorisation.CHUNK_DISTANCES", 700)
    monkeypatch.setattr("figment.metrics.memorisation.CHUNK_NUMBERS", 200)
    parts = nearest(points, points, 3, exclude_self=True)
    assert torch.equal(parts[0], whole[0]) and torch.equal(parts[1], whole[1])


def test_more_neighbours_than_pictures_are_refused():
    points = normal(3, 2)
    assert nearest(points, points, 3)[0].shape == (3, 3)
    assert nearest(points[:0], points)[0].shape == (0, 1)
    with pytest.raises(UserError, match="3 nearest of 2 pictures"):
        nearest(points, points, 3, exclude_self=True)


def test_nearest_ratio_by_hand():
    train = torch.tensor([[0.0], [2.0], [6.0], [100.0]])
    found = nearest_ratio(torch.tensor([[1.0], [0.0]]), train, torch.tensor([[1.0]]), k=3)
    assert found.values.tolist() == pytest.approx([1 / 3, 0])  # 1 / mean(1, 5); 0 / mean(2, 6)
    assert found.held_out == pytest.approx([1 / 3] * len(LEVELS))
    assert found.suspicious == 0.5
    same = nearest_ratio(torch.zeros(1, 1), torch.zeros(5, 1), torch.zeros(1, 1), k=3)
    assert same.values.tolist() == [0]


def test_nearest_ratio_of_new_and_of_copied_samples():
    new = nearest_ratio(normal(600, 8, seed=3), TRAIN, HELD_OUT)
    assert new.generated == pytest.approx(new.held_out, abs=0.05)
    assert new.suspicious == pytest.approx(0.01, abs=0.015)
    copied = nearest_ratio(COPIES, TRAIN, HELD_OUT)
    assert copied.suspicious == 1 and max(copied.generated) < 0.01


def test_authenticity_by_hand():
    train = torch.tensor([[0.0], [1.0], [10.0]])
    samples = torch.tensor([[0.4], [-1.0], [-1.5], [15.0], [20.0], [5.6]])
    # nearest rows 0 0 0 10 10 10 with spacings 1 1 1 9 9 9; at the spacing itself is not authentic
    assert authentic(samples, train).tolist() == [False, False, True, False, True, False]
    assert authenticity(samples, train) == pytest.approx(100 / 3)


def test_authenticity_of_copies_and_of_far_samples():
    assert authenticity(TRAIN[:100], TRAIN) == 0
    assert authenticity(TRAIN[:100] + 1000, TRAIN) == 100
    assert authenticity(torch.zeros(5, 1), torch.zeros(4, 1)) == 0  # copies of duplicates
    assert 40 < authenticity(HELD_OUT, TRAIN) < 75


def test_rank_z_by_hand_and_against_scipy():
    a, b = torch.tensor([1.0, 2.0, 2.0]), torch.tensor([2.0, 3.0])
    z = (1.0 - (3 - 0.5)) / math.sqrt(3)  # two ties by half; mn (m + n + 1) / 12 = 3
    assert rank_z(a, b) == pytest.approx(z)
    stats = pytest.importorskip("scipy.stats")
    a, b = normal(70).abs().round(decimals=1), normal(90, seed=1).abs().round(decimals=1)
    u = stats.mannwhitneyu(a.numpy(), b.numpy(), alternative="less").statistic
    expected = (u - (70 * 90 / 2 - 0.5)) / math.sqrt(70 * 90 * 161 / 12)
    assert rank_z(a, b) == pytest.approx(expected, rel=1e-12)


def test_one_cell_is_the_rank_test_of_nearest_distances():
    samples = normal(300, 8, seed=3)
    found = data_copying(samples, TRAIN, HELD_OUT, cells=1)
    distances = (nearest(rows, TRAIN)[0][:, 0] for rows in (samples, HELD_OUT))
    assert found.value == pytest.approx(rank_z(*distances), rel=1e-12)
    assert (found.weights, found.cells) == ((1.0,), 1)


def test_copies_lie_far_below_zero_and_noise_far_above():
    assert data_copying(COPIES, TRAIN, HELD_OUT).value < -5
    assert data_copying(TRAIN[:600], TRAIN, HELD_OUT, cells=1).value < -20
    assert data_copying(3 * normal(600, 8, seed=3), TRAIN, HELD_OUT).value > 5


def test_new_samples_are_about_standard_normal():
    values = [
        data_copying(normal(600, 4, seed=20 + s), TRAIN[:, :4], HELD_OUT[:, :4], cells=1).value
        for s in range(20)
    ]
    mean = sum(values) / 20  # they share the held-out reals, so they are not independent
    assert abs(mean) < 2.5 and max(map(abs, values)) < 4.5


def test_cells_are_weighted_by_the_held_out_reals():
    offset = torch.tensor([100.0, 0.0])
    train = torch.cat([normal(200, 2), normal(200, 2, seed=1) + offset])
    real = torch.cat([normal(90, 2, seed=2), normal(30, 2, seed=3) + offset])
    samples = torch.cat([normal(50, 2, seed=4), train[200:221]])  # the second cell is copied
    found = data_copying(samples, train, real, cells=2)
    assert sorted(found.weights) == [0.25, 0.75]
    by_weight = dict(zip(found.weights, found.scores, strict=True))
    assert by_weight[0.25] < -5 < -2.5 < by_weight[0.75]
    assert found.value == pytest.approx(0.25 * by_weight[0.25] + 0.75 * by_weight[0.75])
    few = data_copying(samples[:-1], train, real, cells=2)  # 20 samples do not count
    assert few.weights == (0.75,) and few.value == pytest.approx(by_weight[0.75])


def test_no_cell_counts():
    offset = torch.tensor([100.0, 0.0])
    train = torch.cat([normal(50, 2), normal(50, 2, seed=1) + offset])
    found = data_copying(normal(30, 2, seed=2), train, normal(30, 2, seed=3) + offset, cells=2)
    assert math.isnan(found.value) and found.scores == ()


def test_too_few_pictures_are_refused():
    with pytest.raises(UserError, match="more than 20 samples"):
        data_copying(HELD_OUT[:20], TRAIN, HELD_OUT)


def test_wide_features_are_reduced_to_their_principal_components():
    inner = normal(500, 3)
    basis = torch.linalg.qr(normal(100, 3, seed=1)).Q
    wide = 5 + inner @ basis.T
    (reduced,) = _reduced(wide, 3, wide)
    assert reduced.shape == (500, 3) and reduced.dtype == torch.float32
    torch.testing.assert_close(
        torch.cdist(reduced, reduced), torch.cdist(inner, inner), atol=2e-3, rtol=0
    )
    found = data_copying(wide[:100], wide, wide.flip(0)[:100], cells=1)
    assert found.value == pytest.approx(0, abs=0.1)  # both are copies
    copied = data_copying(wide[:100], wide, 5 + normal(100, 3, seed=2) @ basis.T, width=3)
    assert copied.value < -5
