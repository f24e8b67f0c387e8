"""How different samples are from each other: MS-SSIM, mean feature distance, groups of look-alikes."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from figment.errors import UserError
from figment.metrics.intervals import Interval, normal_interval
from figment.metrics.memorisation import nearest
from figment.randomness import stream

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of the five scales, finest first. Wang et al. 2003, section 3.2."""
WINDOW = 11
SIGMA = 1.5
LUMINANCE = 0.01**2
"""C1 = (K1 L)² for pictures in [0, 1]."""
CONTRAST = 0.03**2
"""C2 = (K2 L)²."""
CHUNK_NUMBERS = 2**18
"""Of the pictures that are compared at a time: fifty times as much stays in a processor's caches."""
CHUNK = 1024


def ms_ssim(a: Tensor, b: Tensor) -> Tensor:
    """Return the multi-scale structural similarity [N] float32 of pictures, 1 where they are equal.

    ``a`` and ``b`` [N, C, H, W], uint8 or float in [0, 1]. Windows lie wholly inside the picture.
    There are as many of the five scales as fit a window (shorter side 11 px: 1; 22: 2; 44: 3; 88:
    4; 176: 5), with the first weights, scaled to the sum of all: figures of different sizes do not
    compare. Negative means count as 0. Wang et al. 2003, eq. 7. Raises ``UserError`` under 11 px.
    """
    weights = _scale_weights(min(a.shape[2:]))
    per_chunk = max(1, CHUNK_NUMBERS // a[0].numel()) if len(a) else 1
    parts = zip(a.split(per_chunk), b.split(per_chunk), strict=True)
    values = [_ms_ssim(_unit(x), _unit(y), weights) for x, y in parts]
    return torch.cat(values) if values else torch.zeros(0)


def mean_ms_ssim(images: Tensor, *, pairs: int = 1000, seed: int = 0) -> float:
    """Return the mean MS-SSIM of different pairs of ``images`` [N, C, H, W]: the higher, the more alike.

    ``pairs`` pairs are drawn without repeats, or all N (N - 1) / 2 taken where there are fewer.
    Meant within a class and beside the same figure of real pictures. Odena et al. 2017, section
    4.2.
    """
    count = len(images)
    if count < 2:
        raise UserError(f"MS-SSIM compares pairs, and there is {count} picture: give at least 2.")
    total = count * (count - 1) // 2
    chosen = stream("ms-ssim", seed).choice(total, min(pairs, total), replace=False)
    first, second = (torch.from_numpy(rows) for rows in _pair(chosen))
    values = torch.ones(len(first))  # of equal pictures, of which collapsed samples have many
    step = max(1, min(CHUNK, 2 * CHUNK_NUMBERS // images[0].numel()))
    for part, i, j in zip(*(rows.split(step) for rows in (values, first, second)), strict=True):
        differ = (images[i] != images[j]).flatten(1).any(1)
        part[differ] = ms_ssim(images[i[differ]], images[j[differ]])
    return float(values.mean(dtype=torch.float64))


def feature_diversity(features: Tensor, *, limit: int = 4096, seed: int = 0) -> float:
    """Return the mean Euclidean distance between two different rows of ``features`` [N, D].

    Over all pairs of at most ``limit`` rows, drawn at random. Its scale is that of the features:
    set it beside the same figure of real pictures, of which a collapsed generator reaches a
    fraction.
    """
    if len(features) < 2:
        raise UserError("Diversity compares pairs: give at least 2 pictures.")
    chosen = _subset(features, limit, "diversity", seed).double()
    chosen = chosen - chosen.mean(0)  # the product form of the distance cancels less near 0
    total = sum(float(_distances(rows, chosen).sum()) for rows in chosen.split(CHUNK))
    return total / (len(chosen) * (len(chosen) - 1))


def diversity_ratio(
    fake: Tensor, real: Tensor, *, limit: int = 4096, level: float = 0.95
) -> tuple[float, Interval]:
    """Return ``feature_diversity`` of ``fake`` [N, D] over that of ``real`` [M, D], and its interval.

    The mean over pairs is a U-statistic: its variance is 4 times that of a row's mean distance to the
    others, over the rows (Hoeffding 1948). Of the logarithm of the ratio both variances add up.
    """
    means, variance = [], 0.0
    for features in (fake, real):
        own = _mean_distances(_subset(features, limit, "diversity", 0))
        means.append(float(own.mean()))
        variance += 4 * float(own.var()) / len(own) / max(means[-1], 1e-150) ** 2
    ratio = means[0] / max(means[1], 1e-150)
    low, high = normal_interval(0.0, variance**0.5, level)
    return ratio, Interval(ratio * math.exp(low), ratio * math.exp(high))


def _mean_distances(features: Tensor) -> Tensor:
    """Return the mean distance [N] float64 of each row to the others."""
    rows = features.double()
    rows = rows - rows.mean(0)
    total = torch.cat([_distances(part, rows).sum(1) for part in rows.split(CHUNK)])
    return total / (len(rows) - 1)


class LookAlikes(NamedTuple):
    """Near-duplicates among samples, beside those among as many real pictures."""

    groups: list[Tensor]
    """Row numbers [M] int64 of each group of two or more, largest first."""
    share: float
    """Of ``count`` samples, those with a look-alike among the rest of them."""
    floor: float
    """The same share of ``count`` real pictures that did not set the threshold."""
    threshold: float
    """Distance at or under which two pictures look alike."""
    count: int
    """Pictures in each set that is compared: in larger sets the nearest neighbour is nearer."""


def look_alikes(
    features: Tensor, reference: Tensor, *, quantile: float = 0.001, seed: int = 0
) -> LookAlikes:
    """Return the groups of near-duplicates among ``features`` [N, D], measured by real pictures [R, D].

    The threshold is the ``quantile`` of nearest-neighbour distances within one half of the reals;
    the other half gives the floor. Both, and the share, are taken on equally many pictures, drawn
    at random: min(N, R // 2). The groups are of all N.
    """
    count = min(len(features), len(reference) // 2)
    if count < 2:
        raise UserError("Look-alikes need at least 2 samples and 4 real pictures to compare with.")
    reals = _subset(reference, 2 * count, "look-alikes", seed)
    threshold = look_alike_threshold(reals[:count], quantile=quantile)
    samples = _subset(features, count, "look-alikes", seed)
    share = _share(samples, threshold)
    floor = _share(reals[count:], threshold)
    return LookAlikes(near_duplicates(features, threshold), share, floor, threshold, count)


def look_alike_threshold(reference: Tensor, *, quantile: float = 0.001) -> float:
    """Return the ``quantile`` of the distances of real features [N, D] to their nearest other."""
    distances, _ = nearest(reference, reference, exclude_self=True)
    return float(distances.quantile(quantile))


def near_duplicates(features: Tensor, threshold: float) -> list[Tensor]:
    """Return the groups of rows of ``features`` [N, D] that chains of steps up to ``threshold`` join.

    Each group holds the ascending row numbers [M] int64 of two or more rows; the largest comes
    first.
    """
    if len(features) < 2:
        return []
    distances, _ = nearest(features, features, exclude_self=True)
    suspects = (distances[:, 0] <= threshold).nonzero()[:, 0]  # only they have an edge at all
    labels = _components(features[suspects], threshold)
    members = [suspects[torch.from_numpy(labels == label)] for label in np.unique(labels)]
    return sorted((group for group in members if len(group) > 1), key=len, reverse=True)


def _share(features: Tensor, threshold: float) -> float:
    distances, _ = nearest(features, features, exclude_self=True)
    return float((distances[:, 0] <= threshold).double().mean())


def _components(points: Tensor, threshold: float) -> np.ndarray:
    """The number of the connected component of each row, in float64 and without a list of pairs.

    Samples of a collapsed generator are all each other's neighbours: the pairs would not fit.
    """
    points = points.double() - points.mean(0, dtype=torch.float64)
    slack = (
        1e-12 * float(points.square().sum(1).max()) if len(points) else 0.0
    )  # rounding of equal rows
    reach = (threshold**2 + slack) ** 0.5
    labels = np.arange(len(points))
    for start in range(0, len(points), CHUNK):
        close = (_distances(points[start : start + CHUNK], points[start:]) <= reach).numpy()
        for row in close:
            joined = np.unique(labels[start + np.flatnonzero(row)])
            if len(joined) > 1:
                labels[np.isin(labels, joined)] = joined[0]
    return labels


def _distances(a: Tensor, b: Tensor) -> Tensor:
    squares = a.square().sum(1)[:, None] + b.square().sum(1) - 2 * a @ b.T  # [N, M]
    return squares.clamp(min=0).sqrt()


def _subset(features: Tensor, count: int, purpose: str, seed: int) -> Tensor:
    """At most ``count`` rows in random order."""
    order = stream(purpose, seed).permutation(len(features))[:count]
    return features[torch.from_numpy(order)]


def _pair(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pair number j (j - 1) / 2 + i of rows i < j as (i, j)."""
    second = (np.floor(np.sqrt(8 * numbers.astype(np.float64) + 1)).astype(np.int64) + 1) // 2
    return numbers - second * (second - 1) // 2, second


def _scale_weights(side: int) -> Tensor:
    scales = sum(side >> scale >= WINDOW for scale in range(len(WEIGHTS)))
    if scales == 0:
        raise UserError(f"MS-SSIM needs pictures of at least {WINDOW} px, and these have {side}.")
    weights = torch.tensor(WEIGHTS[:scales], dtype=torch.float64)
    return weights * (
        sum(WEIGHTS) / weights.sum()
    )  # five keep the published ones, whose sum is 1.0001


def _unit(images: Tensor) -> Tensor:
    return images.float() / 255 if images.dtype == torch.uint8 else images.float()


def _ms_ssim(a: Tensor, b: Tensor, weights: Tensor) -> Tensor:
    means = []
    for scale in range(len(weights)):
        if scale:
            a, b = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)
        luminance, contrast = _terms(a, b)  # [N, C, h, w]
        last = scale == len(weights) - 1
        means.append((luminance * contrast if last else contrast).mean((1, 2, 3)))
    powers = torch.stack(means).clamp(min=0).double() ** weights[:, None]  # [scales, N]
    return powers.prod(0).float()


def _terms(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Luminance, and contrast times structure, at every window."""
    n, c, _, _ = a.shape
    a, b = a - 0.5, b - 0.5  # about the middle of the range, so that the second moments cancel less
    moments = torch.cat([a, b, a * a, b * b, a * b]).flatten(0, 1)  # [5 N C, H, W]
    moments = _windowed(_windowed(moments, 1), 2)  # [5 N C, h, w]
    mean_a, mean_b, aa, bb, ab = moments.view(5, n, c, *moments.shape[1:])
    variance_a, variance_b = (aa - mean_a**2).clamp(min=0), (bb - mean_b**2).clamp(min=0)
    structure = 2 * (ab - mean_a * mean_b)
    mean_a, mean_b = mean_a + 0.5, mean_b + 0.5
    luminance = (2 * mean_a * mean_b + LUMINANCE) / (mean_a**2 + mean_b**2 + LUMINANCE)
    contrast = (structure + CONTRAST) / (variance_a + variance_b + CONTRAST)
    return luminance, contrast


def _windowed(x: Tensor, axis: int) -> Tensor:
    """Return the window's weighted sums along an axis, a place of the window at a time.

    At 256 px five times as fast on one core as products with a band matrix, which are ten times as fast as
    a convolution.
    """
    offsets = torch.arange(WINDOW, dtype=torch.float64) - WINDOW // 2
    window = torch.exp(-(offsets**2) / (2 * SIGMA**2))
    first, *others = (window / window.sum()).tolist()
    count = x.shape[axis] - WINDOW + 1
    total = first * x.narrow(axis, 0, count)
    for place, weight in enumerate(others, 1):
        total.add_(x.narrow(axis, place, count), alpha=weight)
    return total
