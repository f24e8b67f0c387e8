"""Small helpers on a few hundred rows: distances, nearest neighbours, modes, projections."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from figment.randomness import stream

MODES_LINK = 4.0
"""Points nearer than this many times the usual distance to the fifth neighbour lie in one mode."""
SMALLEST_MODE = 0.02
"""A connected piece with a smaller share of the points is an outlier of the mode next to it."""
MOST_MODES = 64
"""More pieces than this are no modes: the points are then cut into clusters instead."""


def distances(a: Tensor, b: Tensor) -> Tensor:
    """Return Euclidean distances [N, M] of rows [N, D] and [M, D], in float64."""
    a, b = a.double(), b.double()
    centre = b.mean(0)
    a, b = a - centre, b - centre
    squares = a.square().sum(1)[:, None] + b.square().sum(1) - 2 * a @ b.T  # [N, M]
    return squares.clamp_(min=0).sqrt_()


def nearest_two(queries: Tensor, rows: Tensor, *, same: bool = False) -> tuple[Tensor, Tensor]:
    """Return the distances [N] to the nearest and the second nearest of ``rows``.

    ``same``: the queries are the rows, and none is its own neighbour.
    """
    apart = distances(queries, rows)
    if same:
        apart.fill_diagonal_(math.inf)
    two = apart.topk(min(2, apart.shape[1]), largest=False).values  # [N, 2]
    return two[:, 0], two[:, -1]


def spacing(rows: Tensor) -> Tensor:
    """Return the distance of each row [N, D] to its nearest other row: [N]; 0 for a single one."""
    if len(rows) < 2:
        return torch.zeros(len(rows), dtype=torch.float64)
    return nearest_two(rows, rows, same=True)[0]


def modes(points: Tensor) -> Tensor | None:
    """Return the number [N] of the mode of each point [N, D], or None where they have no clear modes.

    A mode is a connected piece of the graph that links points at most MODES_LINK times the median
    distance to the fifth neighbour apart.
    """
    if len(points) < 50:
        return None
    apart = distances(points, points)
    fifth = apart.topk(6, largest=False).values[:, 5].median()
    linked = apart <= MODES_LINK * fifth
    label = torch.arange(len(points))
    while True:  # the smallest number in a piece spreads through it
        spread = torch.where(linked, label, len(points)).min(1).values
        spread = spread[spread]
        if torch.equal(spread, label):
            break
        label = spread
    _, label, sizes = label.unique(return_inverse=True, return_counts=True)
    large = sizes >= SMALLEST_MODE * len(points)
    if not 2 <= int(large.sum()) <= MOST_MODES:
        return None
    kept = large[label]
    home = torch.where(kept[None, :], apart, math.inf).argmin(1)  # an outlier's nearest kept point
    return label[home].unique(return_inverse=True)[1]


def directions(width: int, count: int) -> Tensor:
    """Return ``count`` unit vectors [D, K], always the same."""
    drawn = torch.from_numpy(stream("doctor directions", width).standard_normal((width, count)))
    return (drawn / drawn.norm(dim=0)).float()


def quantiles(rows: Tensor, axes: Tensor, levels: int = 64) -> Tensor:
    """Return quantiles [levels, K] of rows [N, D] projected on axes [D, K]."""
    at = (torch.arange(levels) + 0.5) / levels
    return (rows @ axes).quantile(at, dim=0)
