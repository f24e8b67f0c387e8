"""Distances between two sets of features: FID, its limit, KID, and the Inception Score of logits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from figment.errors import UserError
from figment.metrics.intervals import Interval, normal_interval
from figment.randomness import stream

BLOCK = 2048
"""Rows at a time."""


@dataclass
class Moments:
    """Count, mean and scatter of features seen so far, in float64: all that FID needs of a set.

    Batches are added and sets merged by the pairwise update, which does not cancel as sums of squares do
    (Chan, Golub & LeVeque 1979). Any order and any split gives the same up to rounding.
    """

    count: int
    mean: torch.Tensor
    """[D]"""
    scatter: torch.Tensor
    """[D, D], the sum of the outer products of the deviations from the mean."""

    @classmethod
    def empty(cls, width: int) -> Moments:
        """Return the moments of no features of ``width`` numbers."""
        mean = torch.zeros(width, dtype=torch.float64)
        return cls(0, mean, torch.zeros(width, width, dtype=torch.float64))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Moments:
        """Return what ``arrays`` gave."""
        mean, scatter = (torch.from_numpy(np.array(arrays[key])) for key in ("mean", "scatter"))
        return cls(int(arrays["count"]), mean, scatter)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return count, mean and scatter as arrays, for a file or another process."""
        return {
            "count": np.array(self.count),
            "mean": self.mean.numpy(),
            "scatter": self.scatter.numpy(),
        }

    @property
    def covariance(self) -> torch.Tensor:
        """[D, D], unbiased: the scatter over count - 1, as ``numpy.cov`` has it."""
        if self.count < 2:
            raise UserError(f"a covariance needs at least 2 samples, not {self.count}")
        return self.scatter / (self.count - 1)

    def add(self, features: torch.Tensor) -> None:
        """Count in a batch of features [N, D]."""
        for rows in features.split(BLOCK):
            rows = rows.double()
            mean = rows.mean(0)
            deviations = rows - mean
            self.merge(Moments(len(rows), mean, deviations.T @ deviations))

    def merge(self, other: Moments) -> None:
        """Count in what another process has seen."""
        if other.count == 0:
            return
        count = self.count + other.count
        step = other.mean - self.mean
        self.scatter += other.scatter + torch.outer(step, step) * (self.count * other.count / count)
        self.mean += step * (other.count / count)
        self.count = count


def moments(features: torch.Tensor) -> Moments:
    """Return the moments of features [N, D]."""
    seen = Moments.empty(features.shape[1])
    seen.add(features)
    return seen


def fid(a: Moments, b: Moments) -> float:
    """Return the Fréchet distance of the Gaussians with these moments, 0 or more; lower is better.

    |μa - μb|² + Tr(Σa + Σb - 2 (Σa Σb)^½), covariances over n - 1. With Σ = F Fᵀ from eigenvalues the last
    trace is the sum of the singular values of Faᵀ Fb, which holds for singular covariances (fewer
    samples than dimensions) too and takes no square root of a rounding error. nan where a feature is
    not finite. Biased by about c/n in either count: compare at equal counts only. (Heusel et al.
    2017, eq. 6.)
    """
    _same_width(a.mean, b.mean)
    if not (torch.isfinite(a.scatter).all() and torch.isfinite(b.scatter).all()):
        return math.nan
    return _fid(a, _root(a), b)


def fid_interval(real: torch.Tensor, fake: torch.Tensor, level: float = 0.95) -> Interval:
    """Return the interval of FID of features [N, D] and [M, D] at these counts, by the delta method.

    FID's derivative by Σ is I - T, T the optimal transport from that Gaussian to the other, so a sample
    y moves it by 2 (μ - μ')·(y - μ) + (y - μ)ᵀ (I - T) (y - μ), less the mean, over n; the variance is that
    of these influences. (Rippl, Munk & Sturm 2016.) A bootstrap would be biased: rows drawn twice make
    the set smaller and FID larger. The low end is not let below 0.

    As far as FID is nothing but its bias, influences are noise about 0, and their variance is twice that of
    FID (simulated in 64 dimensions: 2.2 times at 100 samples, 1.7 at 500). The bias, c/n, is read off
    halves of both sets, whose FID has it twice; by its share of FID the variance is lowered.
    """
    a, b = moments(real), moments(fake)
    value = fid(a, b)
    if math.isnan(value):
        return Interval(math.nan, math.nan)
    root, other = _root(a), _root(b)
    u, overlap, vt = torch.linalg.svd(root.T @ other, full_matrices=False)
    keep = overlap > overlap[:1] * _tiny(a)
    scale = overlap[keep].rsqrt()
    to_real, to_fake = (root @ u[:, keep]) * scale, (other @ vt[keep].T) * scale  # [D, R]
    variance = _influence(real, a.mean, b.mean, to_fake) / a.count
    variance += _influence(fake, b.mean, a.mean, to_real) / b.count
    variance *= 1 - _bias_share(real, fake, value) / 2
    low, high = normal_interval(value, math.sqrt(variance), level)
    return Interval(max(0.0, low), high)


def _bias_share(real: torch.Tensor, fake: torch.Tensor, value: float) -> float:
    """Return which share of FID, from 0 to 1, is its bias at these counts."""
    if min(len(real), len(fake)) < 4 or value <= 0:
        return 0.0
    orders = [
        torch.from_numpy(stream("fid halves", len(s)).permutation(len(s))) for s in (real, fake)
    ]
    halves = [
        fid(moments(real[one]), moments(fake[other]))
        for one, other in zip(orders[0].chunk(2), orders[1].chunk(2), strict=True)
    ]
    return min(1.0, max(0.0, (sum(halves) / 2 - value) / value))


class FidInfinity(NamedTuple):
    """FID extrapolated to infinitely many fakes, and the line that it was read from."""

    value: float
    slope: float
    """FID at n fakes is about value + slope/n."""
    counts: tuple[int, ...]
    fids: tuple[float, ...]


def fid_infinity(
    real: Moments, fake: torch.Tensor, *, points: int = 15, seed: int = 0
) -> FidInfinity:
    """Return FID of fakes [M, D] extrapolated to M = ∞: the least-squares line in 1/n, read at 0.

    The line goes through ``points`` nested random subsets of M/10 to M fakes, evenly spaced. The real side
    is taken as the truth, whole, as the authors do: its own bias of about c/N stays in. The line is
    straight only where the smallest subset well exceeds D; below that the value comes out too low,
    and may be negative. (Chong & Forsyth 2020, sec. 3.)
    """
    if len(fake) < 20:
        raise UserError(f"an extrapolation of FID needs at least 20 samples, not {len(fake)}")
    if points < 2:
        raise UserError(f"a line needs at least 2 points, not {points}")
    _same_width(real.mean, fake[0])
    counts = np.unique(np.linspace(len(fake) / 10, len(fake), points).round().astype(int))
    order = torch.from_numpy(stream("fid infinity", seed).permutation(len(fake)))
    root = _root(real)
    seen, fids = Moments.empty(fake.shape[1]), []
    for count in counts:
        seen.add(fake[order[seen.count : count]])
        fids.append(_fid(real, root, seen, _factor(fake[order[:count]], seen)))
    slope, value = np.polyfit(1 / counts, fids, 1)
    return FidInfinity(float(value), float(slope), tuple(counts.tolist()), tuple(fids))


class Kid(NamedTuple):
    """Kernel distance, its spread over subsets, and the ends of its 95 % interval."""

    value: float
    """May be negative: it is unbiased, so at equal distributions it lies on either side of 0."""
    std: float
    """Over subsets, as the field prints it. They overlap, so it is no standard error; 0 for one subset."""
    low: float
    high: float


def kid(
    real: torch.Tensor,
    fake: torch.Tensor,
    *,
    subsets: int = 100,
    size: int = 1000,
    seed: int = 0,
) -> Kid:
    """Return the kernel distance of features [N, D] and [M, D] as a mean over random subsets.

    The unbiased squared MMD with the kernel (x·y/D + 1)³ (Bińkowski et al. 2018, eq. 4), on subsets of
    ``size`` of either set, or of the smaller set's count where that is less, without replacement.

    The interval: over subsets the expectation is the estimate on all samples, so the mean's variance is
    that of the full U-statistic plus std² / subsets. The former is a sum of five components (Hoeffding
    1948), which every subset estimates without bias; their means are put in with the full counts N
    and M. It reaches farther up than down, as the estimate does, and is infinite for subsets under 4.
    """
    _same_width(real, fake, least=2)
    if size < 2 or subsets < 1:
        raise UserError(
            f"KID needs subsets of 2 or more, and 1 or more of them, not {subsets} of {size}"
        )
    size = min(size, len(real), len(fake))
    if size == len(real) == len(fake):
        return kid_full(real, fake)
    draws = stream("kid", seed)
    values, components = [], []
    for _ in range(subsets):
        some_real = real[draws.choice(len(real), size, replace=False)]
        value, parts = _discrepancy(some_real, fake[draws.choice(len(fake), size, replace=False)])
        values.append(value)
        components.append(parts)
    value, noise = float(np.mean(values)), 0.0
    if subsets > 1:
        noise = float(np.var(values, ddof=1)) / subsets
    interval = _interval(value, np.mean(components, axis=0), len(real), len(fake), noise)
    return Kid(value, float(np.std(values)), *interval)


def kid_full(real: torch.Tensor, fake: torch.Tensor) -> Kid:
    """Return the kernel distance on all samples at once: the least noisy estimate, and repeatable.

    Cost is (N + M)² D. The interval is that of the U-statistic's variance, see ``kid``.
    """
    _same_width(real, fake, least=2)
    value, components = _discrepancy(real, fake)
    return Kid(value, 0.0, *_interval(value, components, len(real), len(fake)))


def inception_score(logits: torch.Tensor, splits: int = 10, seed: int = 0) -> tuple[float, float]:
    """Return mean and standard deviation over ``splits`` of exp(E KL(p(y|x) || p(y))), from logits [N, K].

    In [1, K], higher is better. The order is shuffled, because sets come sorted by class and a split of
    one class scores 1. p(y) is the split's own mean, so smaller splits score lower. Means something
    only where the classes of the network are those of the pictures. (Salimans et al. 2016, sec. 4.)
    """
    if not 1 <= splits <= len(logits):
        raise UserError(f"splits must be from 1 to the {len(logits)} samples, not {splits}")
    order = torch.from_numpy(stream("inception score", seed).permutation(len(logits)))
    scores = []
    for rows in order.tensor_split(splits):
        log = logits[rows].double().log_softmax(1)  # [n, K]
        marginal = log.logsumexp(0) - math.log(len(rows))
        divergence = (log.exp() * (log - marginal)).sum(1)  # [n]
        scores.append(float(divergence.mean().exp()))
    return float(np.mean(scores)), float(np.std(scores))


def _same_width(a: torch.Tensor, b: torch.Tensor, least: int = 0) -> None:
    if a.ndim != b.ndim or a.shape[-1] != b.shape[-1]:
        shapes = f"{list(a.shape)} and {list(b.shape)}"
        raise UserError(f"both sets must have features of one network, not {shapes}")
    if min(len(a), len(b)) < least:
        raise UserError(f"at least {least} samples a set are needed, not {len(a)} and {len(b)}")


def _tiny(of: Moments) -> float:
    return len(of.mean) * torch.finfo(torch.float64).eps


def _root(of: Moments) -> torch.Tensor:
    """Return F [D, R] with F Fᵀ the covariance, R its numerical rank: 0 where all samples are alike."""
    if of.covariance.trace() <= _tiny(of) * of.mean.square().sum():
        return of.covariance[:, :0]  # nothing but rounding, on which eigh need not converge
    values, vectors = torch.linalg.eigh(of.covariance)
    keep = values > values[-1].clamp(min=0) * _tiny(of)
    return vectors[:, keep] * values[keep].sqrt()


def _factor(features: torch.Tensor, of: Moments) -> torch.Tensor:
    """Return F [D, R], F Fᵀ the covariance; of few features [N, D] their deviations, at no cost."""
    if len(features) > features.shape[1]:
        return _root(of)
    return (features.double() - of.mean).T / math.sqrt(of.count - 1)


def _fid(a: Moments, root: torch.Tensor, b: Moments, factor: torch.Tensor | None = None) -> float:
    overlap = torch.linalg.svdvals(root.T @ (_root(b) if factor is None else factor)).sum()
    spread = a.covariance.trace() + b.covariance.trace() - 2 * overlap
    return max(0.0, float((a.mean - b.mean).square().sum() + spread))


def _influence(
    features: torch.Tensor, mean: torch.Tensor, other: torch.Tensor, transport: torch.Tensor
) -> float:
    """Return the variance over samples of how each moves FID; T is transport transportᵀ."""
    moves = []
    for rows in features.split(BLOCK):
        deviations = rows.double() - mean
        bend = deviations.square().sum(1) - (deviations @ transport).square().sum(1)
        moves.append(2 * deviations @ (mean - other) + bend)
    return float(torch.cat(moves).var())


def _discrepancy(real: torch.Tensor, fake: torch.Tensor) -> tuple[float, np.ndarray]:
    """Return the unbiased squared MMD and the five components of its variance.

    A kernel value is a mean, an effect of either sample, and what is left. The components: the variances of
    a real's and of a fake's effect on MMD²/2, and the mean squares of what is left within the reals,
    within the fakes and between them.
    """
    n, m = len(real), len(fake)
    (rr, _, rr_square), (ff, _, ff_square) = _kernel(real), _kernel(fake)
    rf, fr, rf_square = _kernel(real, fake)
    within = rr.sum() / (n * (n - 1)) + ff.sum() / (m * (m - 1))
    value = float(within - 2 * rf.sum() / (n * m))
    if min(n, m) < 4:
        return value, np.full(5, math.inf)
    real_effect, real_rest = _symmetric(rr, rr_square)
    fake_effect, fake_rest = _symmetric(ff, ff_square)
    mean = rf.sum() / (n * m)
    to_fake, to_real = rf / m - mean, fr / n - mean  # [N], [M]
    between = rf_square - n * m * mean**2 - m * (to_fake**2).sum() - n * (to_real**2).sum()
    between /= (n - 1) * (m - 1)
    by_real = (real_effect - to_fake).var() - real_rest / (n - 2) - between / m
    by_fake = (fake_effect - to_real).var() - fake_rest / (m - 2) - between / n
    return value, torch.stack([by_real, by_fake, real_rest, fake_rest, between]).numpy()


def _symmetric(rows: torch.Tensor, square: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return every sample's effect [N] and the residual mean square of a kernel matrix without diagonal."""
    n = len(rows)
    mean = rows.sum() / (n * (n - 1))
    effect = (rows / (n - 1) - mean) * ((n - 1) / (n - 2))
    rest = square / 2 - n * (n - 1) / 2 * mean**2 - (n - 2) * (effect**2).sum()
    return effect, rest / (n * (n - 3) / 2)


def _interval(value: float, components: np.ndarray, n: int, m: int, noise: float = 0.0) -> Interval:
    """Return the 95 % score interval of MMD² from an estimate on ``n`` and ``m`` samples.

    The effects' part of the variance vanishes with MMD² itself, so near 0 the estimate is skewed and a
    normal interval misses high values. As in Wilson's interval the variance is therefore taken at the
    value in question: rest + slope MMD². The slope is read off the data and is at most 4 (λ/n + λ'/m), λ
    and λ' the largest eigenvalues of the covariances in the kernel's space, bounded by the rests' roots.
    Coverage in simulations, from equal to far distributions, 93 to 97 %. ``noise`` is added variance.
    """
    by_real, by_fake, real_rest, fake_rest, between = np.maximum(components, 0)
    effects = 4 * by_real / n + 4 * by_fake / m
    rest = 2 * real_rest / (n * (n - 1)) + 2 * fake_rest / (m * (m - 1)) + 4 * between / (n * m)
    if not math.isfinite(value + effects + rest):
        return Interval(-math.inf, math.inf)
    if rest == 0:  # as where every sample is alike
        return normal_interval(value, math.sqrt(effects + noise))
    bound = 4 * (math.sqrt(real_rest) / n + math.sqrt(fake_rest) / m)
    slope = min(bound, (effects + rest) / (max(value, 0) + math.sqrt(rest)))
    shift = normal_interval(0, 1).high ** 2 * slope / 2
    variance = rest + noise + slope * max(value, 0) + slope * shift / 2
    return normal_interval(value + shift, math.sqrt(variance))


def _kernel(
    a: torch.Tensor, b: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return sums over rows [N], over columns [M] and of squares of (a·b/D + 1)³, block by block.

    Without ``b`` the kernel of ``a`` with itself, its diagonal left out; only half the blocks are computed.
    """
    other = a if b is None else b
    rows = torch.zeros(len(a), dtype=torch.float64)
    columns = torch.zeros(len(other), dtype=torch.float64)
    square = torch.zeros((), dtype=torch.float64)
    for i in range(0, len(a), BLOCK):
        block = a[i : i + BLOCK].double() / a.shape[1]
        for j in range(i if b is None else 0, len(other), BLOCK):
            base = block @ other[j : j + BLOCK].double().T + 1  # [n, m]
            values = base * base * base
            if b is None and i == j:
                values.fill_diagonal_(0)
            rows[i : i + BLOCK] += values.sum(1)
            columns[j : j + BLOCK] += values.sum(0)
            square += values.square().sum()
            if b is None and i != j:  # the block's mirror image
                rows[j : j + BLOCK] += values.sum(0)
                columns[i : i + BLOCK] += values.sum(1)
                square += values.square().sum()
    return rows, columns, square
