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
    _, held = _inside(real, fake, k, closed)
    _, reached = _inside(fake, real, k, closed)
    return PrecisionRecall(_share(held, len(fake)), _share(reached, len(real)))


def density_coverage(
    real: torch.Tensor, fake: torch.Tensor, k: int = 5, *, closed: bool = False
) -> DensityCoverage:
    """Return density and coverage of features [N, D] and [M, D].

    Open balls (<) as in the authors' code; equal sets without ties have density 1 and coverage 1 exactly.
    UserError where a set has no k neighbours. (Naeem et al. 2020, sec. 3.)
    """
    real, fake = _centred(real, fake, k)
    balls, _ = _inside(real, fake, k, closed)
    return DensityCoverage(len(balls) / (k * len(fake)), _share(balls, len(real)))


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
    figures of the whole. All halves share one table of distances. A binomial error would leave out that
    the balls too are only samples.
    """
    whole = precision_recall(real, fake, k, closed=closed)
    real, fake = _centred(real, fake, k, halves=True)
    of_real, of_fake = _Table(real, fake, k, closed), _Table(fake, real, k, closed)
    halves = []
    for reals, fakes in _halves("precision", len(real), len(fake), resamples, seed):
        _, held = of_real.inside(reals, fakes)
        _, reached = of_fake.inside(fakes, reals)
        halves.append((_share(held, len(fake) // 2), _share(reached, len(real) // 2)))
    held, reached = np.std(halves, axis=0, ddof=1)
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
    table = _Table(real, fake, k, closed)
    halves = []
    for reals, fakes in _halves("density", len(real), len(fake), resamples, seed):
        balls, _ = table.inside(reals, fakes)
        density = len(balls) / (k * (len(fake) // 2))
        halves.append((density, _share(balls, len(real) // 2)))
    spread, covered = np.std(halves, axis=0, ddof=1)
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


def _pairs(centres: torch.Tensor, points: torch.Tensor, reach: torch.Tensor, closed: bool):
    """Return (ball, point, squared distance), each [P], of the points inside squared ``reach`` [N]."""
    found = []
    for start, block in _blocks(centres, points, -RIM if closed else RIM):
        limit = reach[start : start + len(block), None]
        ball, point = (block <= limit if closed else block < limit).nonzero(as_tuple=True)
        found.append((ball + start, point, block[ball, point]))
    balls, members, squares = zip(*found, strict=True)
    return torch.cat(balls), torch.cat(members), torch.cat(squares)


def _inside(
    centres: torch.Tensor, points: torch.Tensor, k: int, closed: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (ball, point), each [P]: which point lies in which ball."""
    reach = _neighbours(centres, k)[0][:, -1]
    return _pairs(centres, points, reach, closed)[:2]


def _share(indices: torch.Tensor, count: int) -> float:
    return len(indices.unique()) / count


class _Table:
    """The distances that any half of the sets can need: far fewer than all."""

    def __init__(self, centres: torch.Tensor, points: torch.Tensor, k: int, closed: bool) -> None:
        # In a random half the k-th neighbour is about the 2k-th of the whole: 8k + 16 always hold it.
        self.k, self.closed = k, closed
        self.squares, self.indices = _neighbours(centres, min(8 * k + 16, len(centres) - 1))
        self.pairs = _pairs(centres, points, self.squares[:, -1], closed)

    def inside(
        self, centres: torch.Tensor, points: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (ball, point) among the centres and points that the masks [N], [M] keep."""
        ranks = centres[self.indices].cumsum(1)  # [N, K]
        place = (ranks < self.k).sum(1, keepdim=True).clamp(max=ranks.shape[1] - 1)
        reach = self.squares.gather(1, place)[:, 0]  # [N]
        ball, point, square = self.pairs
        limit = reach[ball]
        held = (square <= limit if self.closed else square < limit) & centres[ball] & points[point]
        return ball[held], point[held]


def _halves(purpose: str, reals: int, fakes: int, resamples: int, seed: int):
    """Yield two masks [N], [M], each of a random half."""
    draws = stream(f"halves of {purpose}", seed)
    for _ in range(resamples):
        yield _half(draws, reals), _half(draws, fakes)


def _half(draws: np.random.Generator, count: int) -> torch.Tensor:
    mask = torch.zeros(count, dtype=torch.bool)
    mask[draws.permutation(count)[: count // 2]] = True
    return mask
