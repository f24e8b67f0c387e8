"""Whether samples are new: nearest training pictures, authenticity, the data-copying test.

Everything compares rows of features in Euclidean distance. Each statistic needs a yardstick,
because even an unseen real picture has a nearest training picture: that of held-out reals.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from figment.errors import UserError
from figment.metrics.bins import assign, k_means

CHUNK_DISTANCES = 2**26
CHUNK_NUMBERS = 2**24
SPARE = 8
LEVELS = (0.01, 0.05, 0.25, 0.5, 0.75)
"""Quantiles of the nearest ratio that are reported."""
LEAST = 20
"""A cell counts in C_T with more than so many samples; Meehan et al.'s code takes the same."""
PER_CELL = 50


def nearest(
    queries: Tensor, references: Tensor, k: int = 1, *, exclude_self: bool = False
) -> tuple[Tensor, Tensor]:
    """Return the distances [N, k] float64 and row numbers [N, k] int64 of the k nearest references.

    ``queries`` [N, D], ``references`` [M, D]; nearest first. ``exclude_self``: row i of the queries
    is row i of the references and does not find itself. Candidates, with some to spare, come from
    float32 products of centred rows; their distances are differences in float64, so that equal rows
    are at distance 0.
    """
    available = len(references) - exclude_self
    if k > available:
        raise UserError(
            f"{k} nearest of {max(available, 0)} pictures cannot be found: give more than {k}."
        )
    centre = references.mean(0, dtype=torch.float64).float()
    others = (references - centre).T.contiguous()  # [D, M]
    norms = others.square().sum(0)
    rows = max(1, CHUNK_DISTANCES // len(references))
    distances, indices = [], []
    for start in range(0, len(queries), rows):
        part = queries[start : start + rows]
        ranks = torch.addmm(norms, part - centre, others, alpha=-2)  # [n, M], |q|² left out
        if exclude_self:
            own = torch.arange(len(part))
            ranks[own, start + own] = math.inf
        found = ranks.topk(min(k + SPARE, available), largest=False).indices
        exact, order = _exact(part, references, found).sort(stable=True)
        distances.append(exact[:, :k])
        indices.append(found.gather(1, order[:, :k]))
    if not distances:
        return torch.empty(0, k, dtype=torch.float64), torch.empty(0, k, dtype=torch.int64)
    return torch.cat(distances), torch.cat(indices)


def _exact(queries: Tensor, references: Tensor, found: Tensor) -> Tensor:
    """Distances [N, K] float64 to the candidates ``found`` [N, K]."""
    rows = max(1, CHUNK_NUMBERS // (found.shape[1] * queries.shape[1]))
    parts = [
        (references[near].double() - part[:, None].double()).norm(dim=2)
        for part, near in zip(queries.split(rows), found.split(rows), strict=True)
    ]
    return torch.cat(parts)


class NearestRatio(NamedTuple):
    """How much nearer the nearest training picture is than the next, for samples and held-out reals."""

    values: Tensor
    """Of each sample [N] float64, in [0, 1]: near 0 where it copies a training picture."""
    generated: tuple[float, ...]
    """Quantiles of the samples' values at ``LEVELS``."""
    held_out: tuple[float, ...]
    """Quantiles of the held-out reals' values at ``LEVELS``, which the samples' should be near."""
    suspicious: float
    """Share of samples under the held-out reals' first quantile (.01), so .01 if all is well."""
    yardstick: Tensor
    """The held-out reals' values [H] float64."""


def nearest_ratio(
    samples: Tensor, train: Tensor, held_out: Tensor | None, *, k: int = 10
) -> NearestRatio:
    """Return d1 / mean(d2 … dk) of samples and held-out reals to the training set.

    Features [N, D], [M, D] and [H, D]. d1 … dk are the distances to the k nearest training rows; 0
    where all k are 0. Without held-out reals each training row stands for one, compared with the others.
    Normalised nearest-neighbour distance as in Carlini et al. 2023, who take the mean over 50.
    """
    if k < 2:
        raise ValueError(f"k={k}: the nearest is compared with the next, so k is at least 2")
    own = _ratio(nearest(samples, train, k)[0])
    alone = held_out is None
    others = _ratio(
        nearest(train if held_out is None else held_out, train, k, exclude_self=alone)[0]
    )
    generated, reference = (
        values.quantile(torch.tensor(LEVELS, dtype=torch.float64)) for values in (own, others)
    )
    suspicious = float((own < reference[0]).double().mean())
    quantiles = tuple(generated.tolist()), tuple(reference.tolist())
    return NearestRatio(own, *quantiles, suspicious, others)


def _ratio(distances: Tensor) -> Tensor:
    following = distances[:, 1:].mean(1)
    return torch.where(following > 0, distances[:, 0] / following, 0.0)


def authentic(samples: Tensor, train: Tensor) -> Tensor:
    """Return for each sample [N] bool whether it is more than a training row with a little noise.

    Features [N, D] and [M, D]. With x* the training row nearest to a sample g: d(g, x*) > d(x*, the
    training row nearest to x*). Alaa et al. 2022.
    """
    distances, indices = nearest(samples, train)
    spacing, _ = nearest(
        train[indices[:, 0].unique()], train, 2
    )  # a row finds itself or its equal first
    radius = torch.empty(len(train), dtype=torch.float64)
    radius[indices[:, 0].unique()] = spacing[:, 1]
    return distances[:, 0] > radius[indices[:, 0]]


def authenticity(samples: Tensor, train: Tensor) -> float:
    """Return AuthPct, the percentage of ``authentic`` samples: 0 for copies of the training set.

    Features [N, D] and [M, D]. Unseen real pictures reach 50 or so, samples far from all reals 100.
    Alaa et al. 2022.
    """
    return 100 * float(authentic(samples, train).double().mean())


def own_authenticity(train: Tensor) -> float:
    """Return AuthPct of training rows [M, D], each against the others: what an unseen one would get.

    Raises UserError for fewer than 4 rows.
    """
    distances, indices = nearest(train, train, 2, exclude_self=True)
    star = indices[:, 0]
    mutual = indices[star, 0] == torch.arange(len(train))  # what is left out is not x*'s nearest
    radius = torch.where(mutual, distances[star, 1], distances[star, 0])
    return 100 * float((distances[:, 0] > radius).double().mean())


class DataCopying(NamedTuple):
    """C_T with what it is the mean of."""

    value: float
    """Far below 0 (under -5): copies; above 5: under-fitted; about N(0, 1) for one cell of unseen reals."""
    scores: tuple[float, ...]
    """z of each cell that counts."""
    weights: tuple[float, ...]
    """Share of the held-out reals in each cell that counts."""
    cells: int
    """Cells in all; those with too few samples or without held-out reals do not count."""


def data_copying(
    samples: Tensor,
    train: Tensor,
    held_out: Tensor,
    *,
    cells: int | None = None,
    width: int = 64,
    seed: int = 0,
) -> DataCopying:
    """Return C_T: whether samples lie nearer to the training set than held-out reals do.

    Features [N, D], [M, D] and [H, D]. The space is first reduced to ``width`` principal components
    of the training set, then cut into k-means ``cells``: if not given, one for every 50 samples or
    held-out reals, whichever are fewer, as z cannot fall far in a cell of few. In each cell a rank test
    compares the distances to the cell's nearest training row; a cell counts with more than 20 samples;
    NaN if none does. Weights are the held-out shares. Meehan et al. 2020.
    """
    if len(samples) <= LEAST or len(held_out) < 2:
        raise UserError(
            f"The data-copying test needs more than {LEAST} samples and 2 held-out pictures: "
            f"there are {len(samples)} and {len(held_out)}."
        )
    if cells is None:
        cells = max(1, min(50, min(len(held_out), len(samples)) // PER_CELL))
    if train.shape[1] > width:
        samples, train, held_out = _reduced(train, width, samples, train, held_out)
    centres = k_means(train, cells, seed=seed)
    of_sample, of_train, of_real = (assign(rows, centres) for rows in (samples, train, held_out))
    scores, weights = [], []
    for cell in range(len(centres)):
        mine, near, reals = (
            samples[of_sample == cell],
            train[of_train == cell],
            held_out[of_real == cell],
        )
        if len(mine) > LEAST and len(near) and len(reals):
            distances = (nearest(rows, near)[0][:, 0] for rows in (mine, reals))
            scores.append(rank_z(*distances))
            weights.append(len(reals) / len(held_out))
    total = math.fsum(z * weight for z, weight in zip(scores, weights, strict=True))
    value = total / math.fsum(weights) if weights else math.nan
    return DataCopying(value, tuple(scores), tuple(weights), len(centres))


def rank_z(a: Tensor, b: Tensor) -> float:
    """Return the z-score of the Mann-Whitney U of numbers ``a`` [m] against ``b`` [n].

    Below 0 if ``a`` is smaller. U counts the pairs with a > b, ties by half; z = (U - (mn/2 - 1/2))
    / sqrt(mn (m + n + 1) / 12), the continuity correction as in Meehan et al.'s code.
    """
    m, n = len(a), len(b)
    ordered = b.sort().values
    below, up_to = torch.searchsorted(ordered, a), torch.searchsorted(ordered, a, right=True)
    wins = float((below + up_to).sum()) / 2
    return (wins - (m * n / 2 - 0.5)) / math.sqrt(m * n * (m + n + 1) / 12)


def _reduced(train: Tensor, width: int, *sets: Tensor) -> list[Tensor]:
    """The ``sets`` in the first principal components of ``train``, float32."""
    mean = train.mean(0, dtype=torch.float64)
    covariance = torch.zeros(len(mean), len(mean), dtype=torch.float64)
    for rows in train.split(4096):
        centred = rows.double() - mean
        covariance.addmm_(centred.T, centred)
    basis = torch.linalg.eigh(covariance).eigenvectors[:, -width:]  # ascending eigenvalues
    return [
        torch.cat([((rows.double() - mean) @ basis).float() for rows in points.split(4096)])
        for points in sets
    ]
