"""Statistically different bins: the z of two shares, k-means, NDB on equal and damaged samples."""

from __future__ import annotations

import math

import pytest
import torch

from figment.errors import UserError
from figment.metrics.bins import assign, jensen_shannon, k_means, ndb, two_proportion_z


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def share(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_z_of_two_shares():
    assert float(two_proportion_z(share(0.5), 100, share(0.3), 100)) == pytest.approx(2.886751)
    assert float(two_proportion_z(share(0.3), 100, share(0.5), 100)) == pytest.approx(-2.886751)
    both = two_proportion_z(share(0.0, 1.0), 100, share(0.0, 1.0), 50)
    assert both.tolist() == [0, 0]
    uneven = 0.1 / math.sqrt(0.28 * 0.72 * (1 / 100 + 1 / 400))
    assert float(two_proportion_z(share(0.2), 100, share(0.3), 400)) == pytest.approx(-uneven)


def test_divergence_of_histograms():
    assert jensen_shannon(share(0.5, 0.5), share(0.5, 0.5)) == 0
    assert jensen_shannon(share(1, 0), share(0, 1)) == pytest.approx(math.log(2))
    by_hand = (math.log(4 / 3) + 0.5 * math.log(2 / 3) + 0.5 * math.log(2)) / 2
    assert jensen_shannon(share(1, 0), share(0.5, 0.5)) == pytest.approx(by_hand)


def test_k_means_finds_separate_clusters():
    centres = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]])
    points = centres.repeat_interleave(50, 0) + 0.1 * normal(200, 2)
    found = k_means(points, 4)
    order = assign(centres, found)
    assert sorted(order.tolist()) == [0, 1, 2, 3]
    torch.testing.assert_close(found[order], points.view(4, 50, 2).mean(1))
    assert assign(points, found).view(4, 50).unique(dim=1).shape == (4, 1)
    assert torch.equal(found, k_means(points, 4))


def test_k_means_rests_where_every_centre_is_its_points_mean():
    points = normal(400, 8)
    centres = k_means(points, 10, seed=1)
    labels = assign(points, centres)
    for number, centre in enumerate(centres):
        torch.testing.assert_close(points[labels == number].mean(0), centre)
    brute = torch.cdist(points.double(), centres.double()).argmin(1)
    assert torch.equal(labels, brute)
    assert not torch.equal(centres, k_means(points, 10, seed=2))


def test_k_means_beats_one_draw_of_centres():
    points = normal(1000, 4)
    spread = torch.cdist(points, k_means(points, 20)).min(1).values.square().mean()
    drawn = torch.cdist(points, points[:20]).min(1).values.square().mean()
    assert spread < 0.75 * drawn


def test_fewer_different_points_than_centres():
    points = torch.tensor([[1.0], [1.0], [2.0], [2.0], [2.0]])
    assert sorted(k_means(points, 4)[:, 0].tolist()) == [1, 2]


def test_a_centre_that_loses_its_points_moves_to_the_farthest(monkeypatch: pytest.MonkeyPatch):
    points = torch.tensor([[0.0], [1.0], [2.0], [30.0]])
    start = torch.tensor([[1.0], [100.0]])
    monkeypatch.setattr("figment.metrics.bins._seeds", lambda *_: start)
    assert k_means(points, 2, iterations=1)[:, 0].tolist() == pytest.approx([8.25, 30])
    assert k_means(points, 2)[:, 0].tolist() == pytest.approx([1, 30])


def test_chunks_do_not_matter(monkeypatch: pytest.MonkeyPatch):
    points = normal(300, 5)
    whole = k_means(points, 7)
    monkeypatch.setattr("figment.metrics.bins.CHUNK", 11)
    torch.testing.assert_close(k_means(points, 7), whole)


def test_equal_distributions_differ_in_a_twentieth_of_the_bins():
    shares = [ndb(normal(4000, 2, seed=s), normal(4000, 2, seed=50 + s), k=50) for s in range(8)]
    assert sum(found.value for found in shares) / 8 == pytest.approx(0.05, abs=0.035)
    assert max(found.divergence for found in shares) < 0.01


def test_a_dropped_mode_is_counted():
    centres = 20 * torch.eye(10)
    train = centres.repeat(100, 1) + 0.1 * normal(1000, 10)
    samples = centres[:8].repeat(125, 1) + 0.1 * normal(1000, 10, seed=1)
    found = ndb(train, samples, k=10)
    assert found.train.tolist() == pytest.approx([0.1] * 10)
    assert sorted(found.samples.tolist()) == pytest.approx([0] * 2 + [0.125] * 8)
    assert (found.different, found.value) == (2, 0.2)  # .1 against .125 is z 1.77
    by_hand = 0.2 * math.log(2) + 0.8 * math.log(1 / 1.125) + math.log(1.25 / 1.125)
    assert found.divergence == pytest.approx(by_hand / 2)


def test_a_copy_of_the_training_set_differs_nowhere():
    train = normal(500, 3)
    assert ndb(train, train, k=20)[:3] == (0, 0, 0)


def test_whitening_lets_a_small_feature_count():
    random = normal(2000, 2)
    train = torch.stack([1000 * random[:, 0], random[:, 1]], 1)
    samples = train.flip(0) * torch.tensor([1.0, 0.1])  # the small feature has collapsed
    assert ndb(train, samples, k=20).value < 0.15
    assert ndb(train, samples, k=20, whiten=True).value > 0.5


def test_too_few_pictures_are_refused():
    with pytest.raises(UserError, match="100 bins need samples and at least 100 training pictures"):
        ndb(normal(99, 2), normal(99, 2))
