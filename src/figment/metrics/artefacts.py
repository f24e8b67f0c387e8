"""Checkerboards: energy that up-sampling leaves at the highest frequency a picture can hold."""

from __future__ import annotations

import math

import torch
from torch import Tensor

CHUNK_PIXELS = 2**19


def checkerboard(images: Tensor) -> Tensor:
    """Return of each picture the share [N] float64 of its spectral energy at the Nyquist frequency, 0 to 1.

    ``images`` [N, C, H, W] of any range. Of the mean of the channels, its own mean removed: the
    power in the row and the column of the spectrum that alternate from pixel to pixel, over all
    power. 1 for stripes of one pixel, (H + W - 1) / (HW - 1) for white noise (.03101 at 64 px), 0
    for a flat picture. The last row or column of an odd side is left out, as only even sides have
    that frequency.
    """
    height, width = (side - side % 2 for side in images.shape[2:])
    per_chunk = max(1, CHUNK_PIXELS // (height * width))
    parts = [_share(rows[:, :, :height, :width]) for rows in images.split(per_chunk)]
    return torch.cat(parts)


def checkerboard_ratio(images: Tensor, real: Tensor) -> float:
    """Return the mean ``checkerboard`` share of ``images`` over that of ``real`` pictures of the same size.

    About 1 without artefacts; under 1 for pictures smoother than the reals.
    """
    own, other = (float(checkerboard(pictures).mean()) for pictures in (images, real))
    return own / other if other > 0 else (math.inf if own > 0 else 1.0)


def _share(images: Tensor) -> Tensor:
    grey = images.double().mean(1)  # [N, H, W]
    grey = grey - grey.mean((1, 2), keepdim=True)
    power = torch.fft.fft2(grey).abs().square()
    total = power.sum((1, 2))
    row, column = grey.shape[1] // 2, grey.shape[2] // 2
    nyquist = power[:, row].sum(1) + power[:, :, column].sum(1) - power[:, row, column]
    flat = grey.square().sum((1, 2)) < 1e-18  # nothing but the rounding of the mean
    return torch.where(flat, 0.0, nyquist / total)
