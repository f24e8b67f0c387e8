"""Precision, recall, density, coverage: is a picture inside the balls that the other set's pictures span?

A ball reaches from its centre to the centre's k-th nearest neighbour in its own set. Distances are taken
in float64 of centred features as |x|² + |y|² - 2 x·y, block by block. In float32 that form loses near
duplicates: of features of length 30 everything nearer than about 0.02 is rounding. In float64 the
squares are good to 1e-13 of the squared length, and what lies nearer to a ball's rim than ten times that
counts as on the rim, so that ties come out alike whatever the blocks.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from figment.errors import UserError
from figment.metrics.intervals import Interval, clustered, normal_interval
from figment.randomness import stream

RIM = 1e-12
"""Squared distances this near to each other, in squared lengths of the features, are equal."""
BLOCK = 1 << 22
"""Distances held at a time: 32 MB."""


class PrecisionRecall(NamedTuple):
    """Shares in [0, 1], higher is better."""

    precision: float
    """The share of fakes inside any ball of the reals: how much looks real."""
    recall: float
    """The share of reals inside any ball of the fakes: how much of the real variety is made."""


class DensityCoverage(NamedTuple):
    """Precision and recall mended against outliers, higher is better."""

    density: float
    """Balls of the reals that a fake lies in, in units of k: 0 or more, about 1 for equal distributions."""
    coverage: float
    """The share of reals whose ball holds any fake, about 1 - 2^-k for equal distributions and counts."""


def precision_recall(
    real: torch.Tensor, fake: torch.Tensor, k: int = 3, *, closed: bool = True
) -> PrecisionRecall:
    """Return improved precision and recall of features [N, D] and [M, D].

    A ``closed`` ball holds its rim (<=), as in the authors' code; an open one (<) is what the package
    ``prdc`` computes. Both figures move with the counts and with k: compare at equal counts only.
    UserError where a set has no k neighbours. (Kynkäänniemi et al. 2019, eq. 1-2.)
    """
    real, fake = _centred(real, fake, k)
    held, reached = _inside(real, fake, k, closed), _inside(fake, real, k, closed)
    return PrecisionRecall(held.points / len(fake), reached.points / len(real))


def density_coverage(
    real: torch.Tensor, fake: torch.Tensor, k: int = 5, *, closed: bool = False
) -> DensityCoverage:
    """Return density and coverage of features [N, D] and [M, D].

    Open balls (<) as in the authors' code; equal sets without ties have density 1 and coverage 1 exactly.
    UserError where a set has no k neighbours. (Naeem et al. 2020, sec. 3.)
    """
    real, fake = _centred(real, fake, k)
    found = _inside(real, fake, k, closed)
    return DensityCoverage(found.pairs / (k * len(fake)), found.balls / len(real))


def precision_recall_intervals(
    real: torch.Tensor,
    fake: torch.Tensor,
    k: int = 3,
    *,
    closed: bool = True,
    resamples: int = 50,
    seed: int = 0,
) -> tuple[Interval, Interval]:
    """Return the 95 % intervals of precision and of recall, by half-samples of both sets.

    The spread over random halves is that of the whole sets (``intervals.half_samples``), centred on the
    figures of the whole. All halves share the distances. A binomial error would leave out that
    the balls too are only samples.
    """
    whole = precision_recall(real, fake, k, closed=closed)
    real, fake = _centred(real, fake, k, halves=True)
    reals, fakes = _halves("precision", len(real), len(fake), resamples, seed)
    of_real = _inside_halves(real, fake, reals, fakes, k, closed)
    of_fake = _inside_halves(fake, real, fakes, reals, k, closed)
    held = np.std([one.points / (len(fake) // 2) for one in of_real], ddof=1)
    reached = np.std([one.points / (len(real) // 2) for one in of_fake], ddof=1)
    return (
        clustered(whole.precision, len(fake), float(held)),
        clustered(whole.recall, len(real), float(reached)),
    )


def density_coverage_intervals(
    real: torch.Tensor,
    fake: torch.Tensor,
    k: int = 5,
    *,
    closed: bool = False,
    resamples: int = 50,
    seed: int = 0,
) -> tuple[Interval, Interval]:
    """Return the 95 % intervals of density and of coverage, as ``precision_recall_intervals`` does."""
    whole = density_coverage(real, fake, k, closed=closed)
    real, fake = _centred(real, fake, k, halves=True)
    reals, fakes = _halves("density", len(real), len(fake), resamples, seed)
    found = _inside_halves(real, fake, reals, fakes, k, closed)
    spread = np.std([one.pairs / (k * (len(fake) // 2)) for one in found], ddof=1)
    covered = np.std([one.balls / (len(real) // 2) for one in found], ddof=1)
    low, high = normal_interval(whole.density, float(spread))
    return Interval(max(0.0, low), high), clustered(whole.coverage, len(real), float(covered))


def _centred(
    real: torch.Tensor, fake: torch.Tensor, k: int, *, halves: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    if real.ndim != 2 or fake.ndim != 2 or real.shape[1] != fake.shape[1]:
        shapes = f"{list(real.shape)} and {list(fake.shape)}"
        raise UserError(f"features must be two matrices of equal width, not {shapes}")
    need = 2 * (k + 1) if halves else k + 1
    if k < 1 or min(len(real), len(fake)) < need:
        raise UserError(f"k {k} needs {need} samples a set, not {len(real)} and {len(fake)}")
    centre = real.mean(0, dtype=torch.float64)
    return real.double() - centre, fake.double() - centre


def _blocks(centres: torch.Tensor, points: torch.Tensor, slack: float = 0.0):
    """Yield (start, squared distances [b, M]), each longer by ``slack`` of the squared lengths."""
    rows = max(1, BLOCK // len(points))
    lengths = points.square().sum(1) * (1 + slack)  # [M]
    for start in range(0, len(centres), rows):
        block = centres[start : start + rows]
        square = block.square().sum(1, keepdim=True) * (1 + slack) + lengths  # [b, M]
        yield start, square.addmm_(block, points.T, alpha=-2)


def _neighbours(features: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return squared distances, ascending, and indices [N, count] of the nearest others."""
    squares, indices = [], []
    for start, block in _blocks(features, features):
        block[torch.arange(len(block)), torch.arange(start, start + len(block))] = torch.inf
        near = block.topk(count, largest=False)
        squares.append(near.values.clamp(min=0))
        indices.append(near.indices)
    return torch.cat(squares), torch.cat(indices)


class _Inside(NamedTuple):
    """How much of one set lies in the balls of another."""

    pairs: int
    """Of a ball and a point in it."""
    balls: int
    """That hold any point."""
    points: int
    """That lie in any ball."""


def _inside(centres: torch.Tensor, points: torch.Tensor, k: int, closed: bool) -> _Inside:
    reach = _neighbours(centres, k)[0][:, -1]
    everything = torch.ones(1, len(points), dtype=torch.bool)
    return _counted(centres, points, reach[None], everything, closed)[0]


def _inside_halves(
    centres: torch.Tensor,
    points: torch.Tensor,
    own: torch.Tensor,
    kept: torch.Tensor,
    k: int,
    closed: bool,
) -> list[_Inside]:
    """Return what is inside for every half: the centres and points that the masks [H, N], [H, M] keep."""
    # In a random half the k-th neighbour is about the 2k-th of the whole: 8k + 16 always hold it.
    squares, indices = _neighbours(centres, min(8 * k + 16, len(centres) - 1))
    reach = torch.empty(own.shape, dtype=squares.dtype)
    for half, mask in enumerate(own):
        ranks = mask[indices].cumsum(1)  # [N, K]
        place = (ranks < k).sum(1, keepdim=True).clamp(max=ranks.shape[1] - 1)
        reach[half] = squares.gather(1, place)[:, 0].where(mask, -torch.inf)
    return _counted(centres, points, reach, kept, closed)


def _counted(
    centres: torch.Tensor,
    points: torch.Tensor,
    reach: torch.Tensor,
    kept: torch.Tensor,
    closed: bool,
) -> list[_Inside]:
    """Return what is inside for every row of squared radii [H, N] and of masks of the points [H, M].

    Block by block: of samples near the mean all points lie in all balls, too many pairs to be held.
    """
    pairs = torch.zeros(len(reach), dtype=torch.long)
    balls, held = torch.zeros(reach.shape, dtype=torch.bool), torch.zeros_like(kept)
    widest = reach.amax(0)
    for start, block in _blocks(centres, points, -RIM if closed else RIM):
        limit = widest[start : start + len(block), None]
        ball, point = (block <= limit if closed else block < limit).nonzero(as_tuple=True)
        square, ball = block[ball, point], ball + start
        for half, (radii, mask) in enumerate(zip(reach, kept, strict=True)):
            inside = (square <= radii[ball] if closed else square < radii[ball]) & mask[point]
            pairs[half] += inside.sum()
            balls[half, ball[inside]] = True
            held[half, point[inside]] = True
    counts = (pairs, balls.sum(1), held.sum(1))
    return [_Inside(*each) for each in zip(*(count.tolist() for count in counts), strict=True)]


def _halves(
    purpose: str, reals: int, fakes: int, resamples: int, seed: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return two masks [H, N], [H, M], a random half of each set a row."""
    draws = stream(f"halves of {purpose}", seed)
    both = [(_half(draws, reals), _half(draws, fakes)) for _ in range(resamples)]
    return torch.stack([one for one, _ in both]), torch.stack([other for _, other in both])


def _half(draws: np.random.Generator, count: int) -> torch.Tensor:
    mask = torch.zeros(count, dtype=torch.bool)
    mask[draws.permutation(count)[: count // 2]] = True
    return mask
