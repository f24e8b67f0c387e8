"""What is measured on pictures as pictures: levels, contrast, colour, detail, checkerboards."""

from __future__ import annotations

from itertools import pairwise, permutations
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

BESIDE = 3
"""Frequencies on each side that a checkerboard's own is compared with."""


RINGS = 0.08, 0.14, 0.2
"""Upper ends of the rings of frequencies that ``evenness`` compares, in periods a pixel."""


TOLD_APART = 0.02
"""Distance of reals from themselves in another order of channels, 1 being black to white, below which
nobody can tell that order: grey pictures, and drawings of any colours."""


class Levels(NamedTuple):
    """Levels of a set of pictures, from 0 (black) to 1 (white)."""

    mean: float
    low: float
    """1 % of all values lie below."""
    high: float
    """1 % of all values lie above."""
    dark: float
    """Share of values below middle grey."""
    clipped: float
    """Share of values at the two ends, 0 and 255."""
    contrast: float
    """Mean over the pictures of their standard deviation."""
    saturation: float
    """Mean of the largest minus the smallest of a pixel's channels; 0 in grey."""
    detail: float
    """Root mean square difference of pixels side by side, over the contrast's."""


def levels(images: Tensor) -> Levels:
    """Return the levels of uint8 pictures [N, C, H, W]."""
    counts = torch.bincount(images.flatten(), minlength=256).double()
    shares = counts.cumsum(0) / counts.sum()
    x = unit(images)
    deviation = x.flatten(1).std(1)
    steps = (x.diff(dim=2).square().mean() + x.diff(dim=3).square().mean()) / 2
    saturation = (x.amax(1) - x.amin(1)).mean() if x.shape[1] > 1 else torch.zeros(())
    return Levels(
        mean=float((counts * torch.arange(256)).sum() / counts.sum() / 255),
        low=int((shares >= 0.01).nonzero()[0]) / 255,
        high=int((shares >= 0.99).nonzero()[0]) / 255,
        dark=float(shares[127]),
        clipped=float((counts[0] + counts[255]) / counts.sum()),
        contrast=float(deviation.mean()),
        saturation=float(saturation),
        detail=float(steps.sqrt() / deviation.square().mean().sqrt().clamp(min=1 / 255)),
    )


def unit(images: Tensor) -> Tensor:
    """Return uint8 pictures as float32 in [0, 1]."""
    return images.float().div_(255)


def thumbnails(images: Tensor, side: int) -> Tensor:
    """Return pictures [N, C, H, W] uint8 as rows [N, D], averaged down to ``side`` pixels.

    Scaled so that the Euclidean distance of two rows is the root mean square difference of their
    pixels, 1 being black against white.
    """
    small = F.adaptive_avg_pool2d(unit(images), min(side, *images.shape[2:])).flatten(1)
    return small / small.shape[1] ** 0.5


def checkerboard(images: Tensor) -> float:
    """Return how far the frequencies of a checkerboard stand out of those beside them; 1: not at all.

    The grid that strided transposed convolutions leave has a period of 2 pixels, or 4 where the last
    layer but one left it (Odena et al. 2016). The energy of rows and columns at that frequency is
    divided by the mean of its neighbours'; the larger ratio of the two periods counts.
    """
    grey = unit(images).mean(1)  # [N, H, W]
    grey = grey - grey.mean((1, 2), keepdim=True)
    worst = 0.0
    for axis in (1, 2):
        energy = torch.fft.rfft(grey, dim=axis).abs().square().mean((0, 3 - axis))  # [F]
        size = grey.shape[axis]
        for at in {size // 2, size // 4}:
            near = [at + step for step in range(-BESIDE, BESIDE + 1) if step]
            beside = energy[[k for k in near if 0 < k < len(energy)]].mean()
            worst = max(worst, float(energy[at] / beside.clamp(min=1e-12)))
    return worst


class Colours(NamedTuple):
    """The mean [3] and the covariance [3, 3] of colours, from 0 (black) to 1 (white)."""

    mean: Tensor
    covariance: Tensor


def colours(images: Tensor) -> Colours:
    """Return how the colours of uint8 pictures [N, 3, H, W] are spread, in thumbnails of 8 pixels."""
    small = F.adaptive_avg_pool2d(unit(images), min(8, *images.shape[2:]))
    values = small.movedim(1, 0).flatten(1).double()  # [3, N * 64]
    return Colours(values.mean(1), torch.cov(values))


def exchanged(ours: Colours, reals: Colours) -> float:
    """Return how far colours are the reals' with their channels in another order: 1 wholly, 0 not at all.

    The Fréchet distance of Gaussians, root of covariance by root, as they are less that in the best order,
    over what the reals themselves are from the reals in that order. 0 where those cannot be told either.
    """
    best, found = _between(ours, reals), 0.0
    apart = best
    for order in list(permutations(range(3)))[1:]:
        at = list(order)
        turned = Colours(ours.mean[at], ours.covariance[at][:, at])
        usual = _between(Colours(reals.mean[at], reals.covariance[at][:, at]), reals)
        if usual > TOLD_APART and _between(turned, reals) < best:
            best = _between(turned, reals)
            found = (apart - best) / usual
    return min(1.0, found)


def _between(a: Colours, b: Colours) -> float:
    roots = [_root(one.covariance) for one in (a, b)]
    mean, spread = (a.mean - b.mean).square().sum(), (roots[0] - roots[1]).square().sum()
    return float((mean + spread).sqrt())


def _root(matrix: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T


def evenness(images: Tensor) -> tuple[float, float]:
    """Return how even the low frequencies are, and how alike the pictures are in them: noise has 1 and 2.

    Of uint8 pictures [N, C, H, W]. The mean energies of three rings of frequencies, up to a fifth of the
    picture's side, are compared: the least over the largest. And the mean squared share of energy of a
    frequency over the squared mean: 2 where energies are exponential, more where each picture has its own
    frequencies. Neither changes when pictures are enlarged to twice their size, as pixel differences do.
    """
    grey = unit(images).mean(1)
    energy = torch.fft.fft2(grey - grey.mean((1, 2), keepdim=True)).abs().square()
    energy = energy / energy.sum((1, 2), keepdim=True).clamp(min=1e-9)
    down, right = (torch.fft.fftfreq(size, 1 / size) for size in grey.shape[1:])
    radius = (down[:, None].square() + right.square()).sqrt() / min(grey.shape[1:])
    rings = []
    for low, high in pairwise((0.0, *RINGS)):
        rings.append(energy[:, (radius > low) & (radius <= high)])
    means = [float(ring.mean()) for ring in rings]
    peaks = [float(ring.square().mean() / ring.mean().square().clamp(min=1e-12)) for ring in rings]
    return min(means) / max(*means, 1e-12), max(peaks)
