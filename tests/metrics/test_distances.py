import math
import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from figment.errors import UserError
from figment.metrics.distances import (
    Moments,
    _discrepancy,
    fid,
    fid_infinity,
    fid_interval,
    inception_score,
    kid,
    kid_full,
    moments,
)

CATS = Path(__file__).resolve().parents[3] / "shared" / "data" / "cats64.zip"
SEEDS = st.integers(0, 10_000)


def gaussian(count: int, width: int, seed: int, scale: float = 1.0, shift: float = 0.0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, width, generator=generator) * scale + shift


def skewed(count: int, seed: int, shift: float = 0.0):
    """Features as networks give them: non-negative, correlated, of low rank."""
    mixing = gaussian(8, 24, 1) * torch.linspace(1, 0.2, 8)[:, None]
    noise = gaussian(count, 24, seed + 1_000_000)
    return torch.relu(gaussian(count, 8, seed, shift=shift) @ mixing * 0.4 + 0.2 + 0.1 * noise)


def exact(mean: Sequence[float], covariance: Sequence[Sequence[float]]) -> Moments:
    scatter = torch.tensor(covariance, dtype=torch.float64)
    return Moments(2, torch.tensor(mean, dtype=torch.float64), scatter)


@pytest.fixture(scope="module")
def cats() -> torch.Tensor:
    """600 cats as the means of 8 x 8 px: real, correlated features [600, 192] in [0, 1]."""
    if not CATS.is_file():
        pytest.skip("no real pictures here")
    with zipfile.ZipFile(CATS) as archive:
        names = [name for name in archive.namelist() if name.endswith(".jpg")][:600]
        pictures = [
            np.asarray(Image.open(BytesIO(archive.read(name))).convert("RGB")) for name in names
        ]
    pixels = np.stack(pictures).reshape(len(names), 8, 8, 8, 8, 3).mean((2, 4)) / 255
    return torch.from_numpy(pixels.reshape(len(names), -1)).float()


class Features(nn.Module):
    """Stands for a network whose pictures are their own features."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.num_features = width

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return features


def reference(metric, real: torch.Tensor, fake: torch.Tensor):
    metric.update(real.double(), real=True)
    metric.update(fake.double(), real=False)
    return metric.compute()


def test_moments_are_those_of_numpy():
    features = gaussian(5000, 7, 0, 2.0, 100.0)
    seen = moments(features)
    assert seen.count == 5000
    np.testing.assert_allclose(seen.mean, features.double().mean(0), rtol=1e-12)
    np.testing.assert_allclose(
        seen.covariance, np.cov(features.double().numpy(), rowvar=False), rtol=1e-9, atol=1e-9
    )


def test_moments_of_ranks_merge_to_those_of_all():
    features = gaussian(301, 5, 0, 1.0, 1e4)
    ranks = [Moments.empty(5) for _ in range(3)]
    for number, batch in enumerate(features.split(20)):
        ranks[number % 3].add(batch)
    merged = Moments.empty(5)
    for rank in [*ranks, Moments.empty(5)]:
        merged.merge(rank)
    whole = moments(features)
    assert merged.count == 301
    torch.testing.assert_close(merged.mean, whole.mean, rtol=1e-13, atol=0)
    torch.testing.assert_close(merged.covariance, whole.covariance, rtol=1e-9, atol=1e-9)


def test_moments_return_from_a_file_unchanged(tmp_path: Path):
    seen = moments(gaussian(40, 6, 0))
    np.savez(tmp_path / "real.npz", allow_pickle=False, **seen.arrays())
    with np.load(tmp_path / "real.npz") as arrays:
        back = Moments.from_arrays(arrays)
    assert back.count == 40
    assert torch.equal(back.mean, seen.mean) and torch.equal(back.scatter, seen.scatter)
    back.add(gaussian(3, 6, 1))
    assert back.count == 43


def test_fid_of_known_gaussians():
    assert fid(exact([0], [[1]]), exact([1], [[4]])) == pytest.approx(2, abs=1e-12)
    one = [[1, 0], [0, 1]]
    assert fid(exact([0, 0], one), exact([3, 4], one)) == pytest.approx(25, abs=1e-12)
    wide = [[4, 0], [0, 9]]
    assert fid(exact([0, 0], one), exact([0, 0], wide)) == pytest.approx(1 + 4, abs=1e-12)
    # Σa = [[2,1],[1,2]], Σb = I: 4 + 2 - 2 (√3 + 1)
    tilted = [[2, 1], [1, 2]]
    assert fid(exact([0, 0], tilted), exact([0, 0], one)) == pytest.approx(
        4 - 2 * math.sqrt(3), abs=1e-12
    )


@pytest.mark.parametrize(("count", "width"), [(400, 20), (50, 300)])
def test_fid_of_equal_sets_is_zero(count: int, width: int):
    seen = moments(gaussian(count, width, 0, 10.0))
    assert 0 <= fid(seen, seen) < 1e-8


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.sampled_from([(60, 8), (12, 20)]))
def test_fid_is_symmetric_and_blind_to_rotation_and_translation(seed: int, shape: tuple[int, int]):
    a, b = gaussian(*shape, seed).double(), gaussian(*shape, seed + 1, 1.3, 0.2).double()
    rotation = torch.linalg.qr(gaussian(shape[1], shape[1], seed + 2).double()).Q
    value = fid(moments(a), moments(b))
    assert value > 0
    assert fid(moments(b), moments(a)) == pytest.approx(value, rel=1e-9)
    moved = fid(moments(a @ rotation + 5), moments(b @ rotation + 5))
    assert moved == pytest.approx(value, rel=1e-8)
    assert fid(moments(a * 3), moments(b * 3)) == pytest.approx(9 * value, rel=1e-8)


def test_fid_with_fewer_samples_than_dimensions_is_that_of_the_spanned_space():
    a, b = gaussian(9, 40, 0).double(), gaussian(7, 40, 1).double()
    a -= a.mean(0)
    b -= b.mean(0)
    overlap = torch.linalg.svdvals(a @ b.T / math.sqrt(8 * 6)).sum()
    expected = a.square().sum() / 8 + b.square().sum() / 6 - 2 * overlap
    assert fid(moments(a), moments(b)) == pytest.approx(float(expected), rel=1e-10)


def test_fid_between_halves_falls_as_one_over_n():
    def between(count: int) -> float:
        sets = (gaussian(2 * count, 10, seed).chunk(2) for seed in range(20))
        return float(np.mean([fid(moments(a), moments(b)) for a, b in sets]))

    assert between(200) / between(800) == pytest.approx(4, rel=0.15)


def test_fid_of_what_is_not_finite_or_constant():
    spread, flat = gaussian(50, 4, 0), torch.zeros(50, 4)
    broken = spread.clone()
    broken[3, 1] = math.nan
    assert math.isnan(fid(moments(spread), moments(broken)))
    assert math.isnan(fid_interval(spread, broken).low)
    seen = moments(spread)
    expected = float(seen.mean.square().sum() + seen.covariance.trace())
    assert fid(seen, moments(flat)) == pytest.approx(expected)
    assert fid(moments(flat), moments(flat)) == 0


def test_mistakes_are_named():
    a, b = gaussian(9, 4, 0), gaussian(9, 5, 1)
    for call in (
        lambda: fid(moments(a), moments(b)),
        lambda: fid_infinity(moments(a), gaussian(30, 5, 0)),
        lambda: kid(a, b),
        lambda: kid_full(a, b),
    ):
        with pytest.raises(UserError, match="features of one network"):
            call()
    with pytest.raises(UserError, match="at least 2 samples"):
        fid(moments(a[:1]), moments(a))
    with pytest.raises(UserError, match="at least 2 samples"):
        kid(a[:1], a)
    with pytest.raises(UserError, match="at least 20 samples"):
        fid_infinity(moments(a), a)
    with pytest.raises(UserError, match="splits"):
        inception_score(a, splits=10)


def test_fid_agrees_with_torchmetrics_on_random_features():
    real, fake = gaussian(500, 30, 0), gaussian(400, 30, 1, 1.1, 0.05)
    expected = reference(FrechetInceptionDistance(Features(30)), real, fake)
    assert fid(moments(real), moments(fake)) == pytest.approx(float(expected), rel=1e-6)


def test_fid_agrees_with_torchmetrics_on_real_features(cats: torch.Tensor):
    real, fake = cats[:300], cats[300:] * 0.9
    expected = reference(FrechetInceptionDistance(Features(192)), real, fake)
    assert fid(moments(real), moments(fake)) == pytest.approx(float(expected), rel=1e-4)


@pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance`:UserWarning")
def test_kid_agrees_with_torchmetrics_on_random_and_real_features(cats: torch.Tensor):
    pairs = [
        (gaussian(300, 30, 0), gaussian(300, 30, 1, 1.1)),
        (cats[:300], cats[300:]),
        (cats[:300], cats[300:] * 0.9),
    ]
    for real, fake in pairs:
        metric = KernelInceptionDistance(Features(real.shape[1]), subsets=1, subset_size=300)
        expected = float(reference(metric, real, fake)[0])
        assert kid_full(real, fake).value == pytest.approx(expected, rel=1e-4)
        assert kid(real, fake) == kid_full(real, fake)


def test_kid_of_two_points_a_side():
    found = kid(torch.tensor([[0.0], [1.0]]), torch.tensor([[0.0], [2.0]]))
    assert found.value == pytest.approx(-13, abs=1e-12)
    assert (found.low, found.high) == (-math.inf, math.inf)


def test_kid_does_not_depend_on_the_blocks(monkeypatch: pytest.MonkeyPatch):
    real, fake = skewed(70, 0), skewed(50, 1, 0.3)
    whole = kid_full(real, fake)
    monkeypatch.setattr("figment.metrics.distances.BLOCK", 16)
    assert kid_full(real, fake) == pytest.approx(whole, rel=1e-9)


def test_kid_over_subsets_averages_to_the_full_estimate():
    real, fake = skewed(150, 0), skewed(120, 1, 0.2)
    full = kid_full(real, fake)
    subsets = kid(real, fake, subsets=150, size=40, seed=3)
    error = subsets.std / math.sqrt(150)
    assert abs(subsets.value - full.value) < 3 * error
    assert subsets == kid(real, fake, subsets=150, size=40, seed=3)
    assert subsets.value != kid(real, fake, subsets=150, size=40, seed=4).value
    # The components of the variance come from the subsets, so the two intervals nearly agree.
    assert subsets.high - subsets.low == pytest.approx(full.high - full.low, rel=0.3)


def test_kid_draws_no_sample_twice_in_a_subset():
    # With duplicates drawn, equal rows would raise k(x, x) and push the estimate up.
    real, fake = skewed(60, 0), skewed(300, 1)
    found = kid(real, fake, subsets=200, size=60)
    assert abs(found.value - kid_full(real, fake).value) < 4 * found.std / math.sqrt(200)


@pytest.mark.parametrize(("n", "m", "shift"), [(80, 80, 0.0), (160, 50, 0.08), (80, 80, 0.3)])
def test_kid_interval_covers(n: int, m: int, shift: float):
    found = [kid_full(skewed(n, 2 * i), skewed(m, 2 * i + 1, shift)) for i in range(200)]
    expected = np.mean([one.value for one in found])
    covered = np.mean([one.low <= expected <= one.high for one in found])
    assert 0.91 < covered < 0.985
    widths = np.mean([one.high - one.low for one in found])
    assert widths < 2 * 3.92 * np.std([one.value for one in found])


@pytest.mark.parametrize(("n", "m", "shift"), [(40, 40, 0.0), (60, 30, 0.3)])
def test_kid_variance_is_estimated_without_bias(n: int, m: int, shift: float):
    pairs = [_discrepancy(skewed(n, 2 * i), skewed(m, 2 * i + 1, shift)) for i in range(400)]
    by_real, by_fake, real_rest, fake_rest, between = np.mean([parts for _, parts in pairs], axis=0)
    effects = 4 * by_real / n + 4 * by_fake / m
    rest = 2 * real_rest / (n * (n - 1)) + 2 * fake_rest / (m * (m - 1)) + 4 * between / (n * m)
    # At equal distributions only the rest is left, and a jackknife would find twice that.
    assert effects + rest == pytest.approx(np.var([value for value, _ in pairs]), rel=0.2)
    assert shift or abs(effects) < 0.15 * rest


def test_kid_interval_of_subsets_covers_where_their_standard_error_does_not():
    found = [
        kid(skewed(80, 2 * i), skewed(80, 2 * i + 1, 0.3), subsets=20, size=40) for i in range(50)
    ]
    expected = np.mean([one.value for one in found])
    covered = np.mean([one.low <= expected <= one.high for one in found])
    naive = np.mean([abs(one.value - expected) < 1.96 * one.std / math.sqrt(20) for one in found])
    assert covered > 0.88
    assert naive < 0.75


@pytest.mark.parametrize(("n", "m", "shift"), [(100, 100, 0.0), (100, 150, 0.4)])
def test_fid_interval_covers(n: int, m: int, shift: float):
    sets = [(skewed(n, 2 * i), skewed(m, 2 * i + 1, shift)) for i in range(150)]
    expected = np.mean([fid(moments(a), moments(b)) for a, b in sets])
    intervals = [fid_interval(a, b) for a, b in sets]
    covered = np.mean([low <= expected <= high for low, high in intervals])
    assert covered > 0.85  # .93 and .907 over 600 draws; of 150 it varies by .024
    assert all(low >= 0 for low, _ in intervals)


def test_fid_interval_is_the_derivative():
    """The influence of a sample, against FID with that sample's weight raised by a little."""
    real, fake = gaussian(60, 3, 0).double(), gaussian(50, 3, 1, 1.4, 0.5).double()
    a, step = moments(real), 1e-5

    def weighted(number: int) -> float:
        weights = torch.full((50, 1), (1 - step) / 50, dtype=torch.float64)
        weights[number] += step
        mean = (weights * fake).sum(0)
        scatter = (weights * (fake - mean)).T @ (fake - mean)
        return fid(a, Moments(2, mean, scatter))

    whole = moments(fake)
    base = fid(a, Moments(2, whole.mean, whole.scatter / 50))
    moves = np.array([(weighted(number) - base) / step for number in range(50)])
    low, high = fid_interval(real, fake)
    low_fixed, high_fixed = fid_interval(
        real.repeat(400, 1), fake
    )  # the real side's share vanishes
    assert (high_fixed - low_fixed) / 3.92 == pytest.approx(
        moves.std(ddof=1) / math.sqrt(50), rel=0.05
    )
    assert high - low > high_fixed - low_fixed


def test_fid_infinity_removes_the_bias_in_the_fakes():
    real = exact([0.0] * 10, np.eye(10).tolist())
    fakes = [gaussian(2000, 10, seed, shift=0.3) for seed in range(8)]
    found = [fid_infinity(real, fake, seed=1) for fake in fakes]
    truth = 10 * 0.3**2
    biased = np.mean([fid(real, moments(fake[:200])) for fake in fakes])
    assert biased - truth > 0.1
    assert np.mean([one.value for one in found]) == pytest.approx(truth, abs=0.03)
    one = found[0]
    assert len(one.counts) == 15 and one.counts[0] == 200 and one.counts[-1] == 2000
    assert one.fids[-1] == pytest.approx(fid(real, moments(fakes[0])), rel=1e-9)
    assert one == fid_infinity(real, fakes[0], seed=1) != fid_infinity(real, fakes[0], seed=2)


def test_fid_infinity_is_read_from_the_line():
    found = fid_infinity(moments(gaussian(500, 4, 0)), gaussian(300, 4, 1), points=6)
    inverse = np.stack([np.ones(6), 1 / np.array(found.counts)], 1)
    expected = np.linalg.lstsq(inverse, np.array(found.fids), rcond=None)[0]
    assert [found.value, found.slope] == pytest.approx(expected.tolist(), rel=1e-9)


def test_inception_score_of_known_predictions():
    certain = torch.eye(10).repeat(20, 1) * 1000
    assert inception_score(certain, splits=1) == pytest.approx((10, 0))
    assert inception_score(torch.zeros(50, 10)) == pytest.approx((1, 0))
    # Half say (¾, ¼), half (¼, ¾): KL to the even marginal is ln 2 - H(¼).
    pair = torch.tensor([[0.75, 0.25], [0.25, 0.75]]).log().repeat(30, 1)
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    expected = math.exp(math.log(2) - entropy)
    assert inception_score(pair, splits=1)[0] == pytest.approx(expected, rel=1e-6)


def test_inception_score_is_higher_and_spread_over_smaller_splits():
    logits = gaussian(400, 10, 0, 2.0)
    whole, ten = inception_score(logits, splits=1), inception_score(logits, splits=10)
    probabilities = logits.double().softmax(1)
    ratio = probabilities / probabilities.mean(0)
    expected = float((probabilities * ratio.log()).sum(1).mean().exp())
    assert whole == (pytest.approx(expected, rel=1e-12), 0)
    assert ten[0] < whole[0] and ten[1] > 0


def test_inception_score_of_sets_sorted_by_class():
    sorted_by_class = torch.eye(10).repeat_interleave(40, 0) * 1000
    assert inception_score(sorted_by_class)[0] > 8
