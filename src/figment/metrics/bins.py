"""Number of statistically different bins: does each region of the data get its share of the samples?"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from figment.errors import UserError
from figment.randomness import stream

CHUNK = 4096
CACHED_NUMBERS = 2**19
"""Differences from a centre that stay in the processor's cache."""
SIGNIFICANT = 1.959964
"""|z| beyond which a two-sided test at .05 calls two shares different."""


class Bins(NamedTuple):
    """The histograms of training set and samples over bins, compared."""

    value: float
    """NDB/K, share of bins that differ: about .05 for equal distributions, growing with the counts."""
    different: int
    """NDB, the number of bins that differ."""
    divergence: float
    """Jensen-Shannon divergence of the two histograms in nats, 0 to ln 2 = .693."""
    train: Tensor
    """Shares of the training set [K] float64."""
    samples: Tensor
    """Shares of the samples [K] float64."""


def ndb(
    train: Tensor, samples: Tensor, *, k: int = 100, whiten: bool = False, seed: int = 0
) -> Bins:
    """Return how the shares of ``samples`` [N, D] over k-means bins differ from those of ``train`` [M, D].

    The bins are Voronoi cells of the k-means centres of ``train``, so that none is empty of it;
    ``whiten`` divides every feature by its standard deviation first. Compare only equal counts and
    equal ``k``. Richardson & Weiss 2018.
    """
    if len(samples) == 0 or len(train) < k:
        raise UserError(
            f"{k} bins need samples and at least {k} training pictures: "
            f"there are {len(samples)} and {len(train)}; take fewer bins."
        )
    if whiten:
        scale = train.std(0, correction=0) + 1e-6
        train, samples = train / scale, samples / scale
    centres = k_means(train, k, seed=seed)
    a, b = (_shares(assign(rows, centres), len(centres)) for rows in (train, samples))
    z = two_proportion_z(a, len(train), b, len(samples))
    different = int((z.abs() > SIGNIFICANT).sum())
    return Bins(different / len(centres), different, jensen_shannon(a, b), a, b)


def two_proportion_z(p1: Tensor, n1: int, p2: Tensor, n2: int) -> Tensor:
    """Return z of the difference p1 - p2 of shares of ``n1`` and ``n2``, 0 where both are 0 or both 1.

    z = (p1 - p2) / sqrt(p (1 - p) (1/n1 + 1/n2)) with the pooled share p.
    """
    pooled = (n1 * p1 + n2 * p2) / (n1 + n2)
    error = (pooled * (1 - pooled) * (1 / n1 + 1 / n2)).sqrt()
    return torch.where(error > 0, (p1 - p2) / error, 0.0)


def jensen_shannon(p: Tensor, q: Tensor) -> float:
    """Return the Jensen-Shannon divergence of two histograms [K] of sum 1 in nats, 0 to ln 2."""
    middle = (p + q) / 2
    terms = torch.xlogy(p, p) + torch.xlogy(q, q) - 2 * torch.xlogy(middle, middle)
    return max(0.0, float(terms.sum()) / 2)


def k_means(points: Tensor, k: int, *, iterations: int = 100, seed: int = 0) -> Tensor:
    """Return the k centres [k, D] float32 of ``points`` [N, D], fewer where fewer points differ.

    Seeded by k-means++ (Arthur & Vassilvitskii 2007), then Lloyd's steps until no point changes its
    centre, ``iterations`` at most. A centre that loses all its points moves to the point farthest
    from its own.
    """
    centres = _seeds(points, k, seed)
    labels = None
    for _ in range(iterations):
        before, (labels, distances) = labels, _nearest_centre(points, centres)
        if before is not None and torch.equal(before, labels):
            break
        centres = _means(points, labels, distances, len(centres))
    return centres


def assign(points: Tensor, centres: Tensor) -> Tensor:
    """Return the number [N] int64 of the nearest of ``centres`` [K, D] to each of ``points`` [N, D]."""
    return _nearest_centre(points, centres)[0]


def _seeds(points: Tensor, k: int, seed: int) -> Tensor:
    random = stream("k-means", seed)
    chosen = [int(random.integers(len(points)))]
    squares = _squares(points, points[chosen[0]])
    while len(chosen) < k:
        odds = squares.cumsum(0)
        if odds[-1] == 0:
            break  # every point is a centre already
        drawn = torch.searchsorted(odds, random.random() * odds[-1], right=True)
        chosen.append(int(drawn.clamp(max=len(points) - 1)))
        squares = torch.minimum(squares, _squares(points, points[chosen[-1]]))
    return points[chosen].float()


def _squares(points: Tensor, centre: Tensor) -> Tensor:
    """Squared distances [N] float64 to one centre [D], 0 where equal."""
    per_chunk = max(1, CACHED_NUMBERS // points.shape[1])
    parts = [(rows - centre).square().sum(1) for rows in points.split(per_chunk)]
    return torch.cat(parts).double()


def _nearest_centre(points: Tensor, centres: Tensor) -> tuple[Tensor, Tensor]:
    origin = centres.mean(0)
    others = centres - origin
    norms = others.square().sum(1)
    labels, distances = [], []
    for rows in points.split(CHUNK):
        rows = rows - origin
        ranks, near = torch.addmm(norms, rows, others.T, alpha=-2).min(1)
        labels.append(near)
        distances.append(ranks + rows.square().sum(1))
    return torch.cat(labels), torch.cat(distances)


def _means(points: Tensor, labels: Tensor, distances: Tensor, k: int) -> Tensor:
    sums = torch.zeros(k, points.shape[1], dtype=torch.float64)
    for rows, near in zip(points.split(CHUNK), labels.split(CHUNK), strict=True):
        members = torch.nn.functional.one_hot(near, k).T.to(rows.dtype)  # [k, n]
        sums += members @ rows
    counts = labels.bincount(minlength=k)
    centres = (sums / counts.clamp(min=1)[:, None]).float()
    empty = (counts == 0).nonzero()[:, 0]
    if len(empty):
        centres[empty] = points[distances.topk(len(empty)).indices].float()
    return centres


def _shares(labels: Tensor, k: int) -> Tensor:
    return labels.bincount(minlength=k).double() / max(1, len(labels))
