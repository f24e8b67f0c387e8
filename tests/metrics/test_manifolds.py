import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from prdc import compute_prdc

from figment.errors import UserError
from figment.metrics import manifolds
from figment.metrics.manifolds import (
    density_coverage,
    density_coverage_intervals,
    precision_recall,
    precision_recall_intervals,
)

SEEDS = st.integers(0, 10_000)


def gaussian(count: int, width: int, seed: int, scale: float = 1.0, shift: float = 0.0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, width, generator=generator) * scale + shift


def points(*values: float) -> torch.Tensor:
    return torch.tensor(values)[:, None]


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize(("n", "m", "scale"), [(120, 90, 0.8), (70, 150, 1.3)])
def test_all_four_equal_prdc(k: int, n: int, m: int, scale: float):
    real, fake = gaussian(n, 12, k), gaussian(m, 12, k + 100, scale, 0.2)
    expected = compute_prdc(real.numpy(), fake.numpy(), k)
    found = precision_recall(real, fake, k, closed=False)._asdict()
    found |= density_coverage(real, fake, k)._asdict()
    assert found == pytest.approx({name: float(value) for name, value in expected.items()})


def test_known_points_on_a_line():
    real, fake = points(0, 1, 2), points(0.5, 5)
    for closed in (True, False):
        assert precision_recall(real, fake, 1, closed=closed) == (0.5, 1)
        assert density_coverage(real, fake, 1, closed=closed) == (1, pytest.approx(2 / 3))


def test_the_rim_belongs_to_closed_balls_alone():
    real, fake = points(0, 1, 2), points(-1, 3.5)  # -1 is on the rim of the ball of 0
    assert precision_recall(real, fake, 1).precision == 0.5
    assert precision_recall(real, fake, 1, closed=False).precision == 0
    assert density_coverage(real, fake, 1) == (0, 0)
    assert density_coverage(real, fake, 1, closed=True) == (0.5, pytest.approx(1 / 3))


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.integers(1, 6))
def test_equal_sets_have_all_four_at_one(seed: int, k: int):
    features = gaussian(60, 30, seed, 5.0)
    order = torch.randperm(60, generator=torch.Generator().manual_seed(seed))
    assert precision_recall(features, features[order], k, closed=False) == (1, 1)
    assert density_coverage(features, features[order], k) == (1, 1)
    # Closed balls hold their k-th neighbour too: a tie, which must not depend on rounding.
    closed = density_coverage(features, features[order], k, closed=True)
    assert closed == (pytest.approx((k + 1) / k, abs=1e-12), 1)


@pytest.mark.parametrize("block", [1 << 22, 5000, 999])
def test_copies_on_the_rim_are_ties_whatever_the_blocks(
    block: int, monkeypatch: pytest.MonkeyPatch
):
    """Each real's k-th neighbour is among the fakes too, at a distance from another product."""
    monkeypatch.setattr(manifolds, "BLOCK", block)
    real = gaussian(211, 37, 0, 5.0)
    fake = torch.cat([gaussian(46, 37, 1, shift=1e3), real.flip(0)])
    closed = density_coverage(real, fake, 5, closed=True)
    assert closed.density * 5 * len(fake) == pytest.approx(6 * 211, abs=1e-6)
    assert density_coverage(real, fake, 5).density * 5 * len(fake) == pytest.approx(5 * 211)


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_translation_and_rotation_change_nothing(seed: int):
    real, fake = gaussian(50, 6, seed).double(), gaussian(40, 6, seed + 1, 0.9).double()
    turn = torch.linalg.qr(gaussian(6, 6, seed + 2).double()).Q
    for score in (precision_recall, density_coverage):
        assert score(real @ turn + 100, fake @ turn + 100) == score(real, fake)


def test_far_sets_share_nothing():
    real, fake = gaussian(50, 8, 0), gaussian(50, 8, 1, shift=100)
    assert precision_recall(real, fake) == (0, 0)
    assert density_coverage(real, fake) == (0, 0)


def test_one_outlier_raises_recall_but_not_coverage():
    real, fake = gaussian(100, 4, 0), gaussian(100, 4, 1, 0.01, 50)
    fake[0] = 0  # its ball reaches from the reals to the far fakes
    assert precision_recall(real, fake).recall == 1
    assert density_coverage(real, fake).coverage < 0.2


def test_coverage_of_equal_distributions():
    found = [
        density_coverage(gaussian(300, 5, 2 * i), gaussian(300, 5, 2 * i + 1)) for i in range(10)
    ]
    assert np.mean([one.coverage for one in found]) == pytest.approx(1 - 2**-5, abs=0.01)
    assert np.mean([one.density for one in found]) == pytest.approx(1, abs=0.05)


def test_near_duplicates_far_from_the_origin_are_told_apart():
    # Balls of radius about .001 at length 100,000: not centred, their squares would be rounding.
    real = gaussian(40, 3, 0, 1e-3).double() + 1e5
    fake = real + gaussian(40, 3, 1, 1e-6)
    assert precision_recall(real, fake) == (1, 1)
    assert precision_recall(real, real + 0.01) == (0, 0)


def test_the_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch):
    real, fake = gaussian(90, 7, 0), gaussian(70, 7, 1)
    fake[:20] = real[:20]

    def all_of_them():
        return [
            precision_recall(real, fake),
            density_coverage(real, fake),
            precision_recall_intervals(real, fake, resamples=5),
        ]

    whole = all_of_them()
    monkeypatch.setattr(manifolds, "BLOCK", 400)
    assert all_of_them() == whole


def test_a_collapsed_generator():
    real, fake = gaussian(200, 6, 0), gaussian(1, 6, 1).repeat(200, 1)
    precision, recall = precision_recall(real, fake, closed=False)
    assert precision in (0, 1) and recall == 0
    assert density_coverage(real, fake).coverage < 0.2


def test_mistakes_are_named():
    few, many = gaussian(3, 4, 0), gaussian(20, 4, 0)
    with pytest.raises(UserError, match="k 3 needs 4 samples a set, not 3 and 20"):
        precision_recall(few, many)
    with pytest.raises(UserError, match="k 5 needs 12 samples a set, not 20 and 11"):
        density_coverage_intervals(many, many[:11])
    with pytest.raises(UserError, match="equal width"):
        density_coverage(many, gaussian(20, 5, 0))


def test_halves_are_scored_as_if_they_were_all():
    """The answer for a half equals the plain scores of that half."""
    real, fake = gaussian(80, 5, 0).double(), gaussian(60, 5, 1).double()
    centred = manifolds._centred(real, fake, 3)
    reals, fakes = manifolds._halves("test", 80, 60, 10, 0)
    assert (reals.sum(1) == 40).all() and (fakes.sum(1) == 30).all() and len(reals) == 10
    found = manifolds._inside_halves(*centred, reals, fakes, 3, closed=True)
    for one, of_real, of_fake in zip(found, reals, fakes, strict=True):
        half = real[of_real], fake[of_fake]
        assert one.points / 30 == pytest.approx(precision_recall(*half).precision)
        expected = density_coverage(*half, k=3, closed=True)
        assert one.pairs / (3 * 30) == pytest.approx(expected.density)
        assert one.balls / 40 == pytest.approx(expected.coverage)


def test_blocks_of_any_size_say_the_same(monkeypatch: pytest.MonkeyPatch):
    real, fake = gaussian(80, 5, 0), gaussian(60, 5, 1, 0.3)
    whole = precision_recall(real, fake), precision_recall_intervals(real, fake, resamples=10)
    monkeypatch.setattr(manifolds, "BLOCK", 130)
    assert (
        precision_recall(real, fake),
        precision_recall_intervals(real, fake, resamples=10),
    ) == whole


@pytest.mark.parametrize("shift", [0.0, 0.6])
def test_the_intervals_cover(shift: float):
    sets = [(gaussian(120, 6, 2 * i), gaussian(120, 6, 2 * i + 1, 0.9, shift)) for i in range(50)]
    for score, interval in (
        (precision_recall, precision_recall_intervals),
        (density_coverage, density_coverage_intervals),
    ):
        values = np.array([score(real, fake) for real, fake in sets])
        ends = np.array([interval(real, fake, resamples=30) for real, fake in sets])  # [50, 2, 2]
        expected = values.mean(0)
        covered = ((ends[..., 0] <= expected) & (expected <= ends[..., 1])).mean(0)
        assert (covered > 0.88).all()
        widths = (ends[..., 1] - ends[..., 0]).mean(0) / 3.92
        assert (widths < 1.6 * values.std(0)).all()
