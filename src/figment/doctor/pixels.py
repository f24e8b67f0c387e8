"""What is measured on pictures as pictures: levels, contrast, colour, detail, checkerboards."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

BESIDE = 3
"""Frequencies on each side that a checkerboard's own is compared with."""


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
