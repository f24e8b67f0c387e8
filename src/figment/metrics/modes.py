"""How many of the known modes samples reach, and how evenly: points in the plane, and classes."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

RADIUS = 3.0
"""Standard deviations from its centre within which a sample is of high quality."""


class PointModes(NamedTuple):
    """What samples of a mixture of Gaussians with known centres cover."""

    found: int
    """Modes with enough samples of high quality."""
    total: int
    """Modes there are."""
    high_quality: float
    """Share of samples of high quality: .98889 of true ones in the plane; more means shrunken modes."""
    divergence: float
    """KL(samples || uniform) in nats over the nearest modes of all samples, of whatever quality."""
    variation: float
    """Total variation distance from the mixture, over its modes and the space beside them: 0 to 1."""
    crowded: float
    """Share of samples in those of these regions that hold more than their share."""
    counts: Tensor
    """Samples of high quality of each mode [K] int64."""


def point_modes(points: Tensor, centres: Tensor, std: float, *, least: int = 1) -> PointModes:
    """Return which modes at ``centres`` [K, D] with deviation ``std`` the ``points`` [N, D] reach.

    A point belongs to its nearest centre and is of high quality when it lies within three
    deviations of it (Euclidean: 3σ is a radius). A mode is found with ``least`` such points: 1 in
    the published tables (Srivastava et al. 2017; Lin et al. 2018, on 2,500 samples), which a stray
    sample can satisfy; 20 is a stricter choice. Without points: nothing found, NaN.

    ``variation`` is half the sum of the differences between the shares of samples and of the mixture in
    each mode, within three deviations of its centre, and beside all modes: the share of samples that would
    have to move. It answers to stray samples, to dropped modes and to uneven ones alike.
    """
    points, centres = points.double(), centres.double()
    parts = [torch.cdist(rows, centres).min(1) for rows in points.split(2**16)]
    distances = torch.cat([part.values for part in parts]) if parts else points.new_empty(0)
    modes = torch.cat([part.indices for part in parts]) if parts else points.new_empty(0).long()
    good = distances < RADIUS * std
    counts = modes[good].bincount(minlength=len(centres))
    shares = torch.cat([counts, (~good).sum()[None]]).double() / len(points)  # [K + 1]
    half = torch.tensor([centres.shape[1] / 2, RADIUS**2 / 2], dtype=torch.double)
    on = torch.special.gammainc(*half)  # of a true sample to lie on its mode: chi-square's share
    true = torch.cat([(on / len(centres)).expand(len(centres)), (1 - on)[None]])  # [K + 1]
    return PointModes(
        found=int((counts >= least).sum()),
        total=len(centres),
        high_quality=float(good.double().mean()),
        divergence=_divergence(modes.bincount(minlength=len(centres)), None),
        variation=float((shares - true).abs().sum() / 2),
        crowded=float(shares[shares > true].sum()),
        counts=counts,
    )


class LabelModes(NamedTuple):
    """What classes samples cover."""

    found: int
    """Classes with at least one sample."""
    total: int
    """Classes there are."""
    divergence: float
    """KL(samples || real) in nats."""
    floor: float
    """What that divergence is on average for as many true samples, (K - 1) / 2N: real data are not at 0."""
    counts: Tensor
    """Samples of each class [K] int64."""


def label_modes(labels: Tensor, classes: int, real: Tensor | None = None) -> LabelModes:
    """Return which of ``classes`` the ``labels`` [N] int64 of samples cover.

    ``real`` [K] are counts or shares of the classes among reals, all equal if not given. The
    divergence is infinite where samples fall in a class that reals do not have. Stacked MNIST has
    1,000 classes and is counted on 26,000 samples (Srivastava et al. 2017), so its floor is .0192.
    """
    counts = labels.bincount(minlength=classes)
    if len(counts) > classes:
        raise ValueError(f"label {len(counts) - 1} is not one of {classes} classes")
    return LabelModes(
        found=int((counts > 0).sum()),
        total=classes,
        divergence=_divergence(counts, real),
        floor=(classes - 1) / (2 * len(labels)) if len(labels) else math.nan,
        counts=counts,
    )


def _divergence(counts: Tensor, real: Tensor | None) -> float:
    """KL of the histogram of ``counts`` [K] from that of ``real``, natural logarithm."""
    p = counts.double() / counts.sum()
    q = torch.ones_like(p) if real is None else real.double()
    return float((torch.xlogy(p, p) - torch.xlogy(p, q / q.sum())).sum())
