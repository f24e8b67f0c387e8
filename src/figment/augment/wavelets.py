"""Filters of orthogonal wavelets as matrices: twice the resolution, half of it, and frequency bands."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

SYM2 = (-0.12940952255092145, 0.22414386804185735, 0.836516303737469, 0.48296291314469025)
SYM6 = (
    0.015404109327027373,
    0.0034907120842174702,
    -0.11799011114819057,
    -0.048311742585633,
    0.4910559419267466,
    0.787641141030194,
    0.3379294217276218,
    -0.07263752278646252,
    -0.021060292512300564,
    0.04472490177066578,
    0.0017677118642428036,
    -0.007800708325034148,
)
"""Low-pass filters of Daubechies' least asymmetric wavelets (1992); their squares add up to 1."""


def reflected(places: Tensor, length: int) -> Tensor:
    """Return the ``places`` (int64, any shape) inside 0..``length`` - 1 that they are mirrored to.

    The border's own pixel is not repeated: -1 is 1. ``length`` must be 2 or more.
    """
    period = 2 * (length - 1)
    places = places.remainder(period)
    return torch.minimum(places, period - places)


def enlarging(length: int, before: int, after: int, like: Tensor) -> Tensor:
    """Return the matrix [2 (before + length + after), length] that doubles a signal's resolution.

    The signal is first continued by reflection, by ``before`` and ``after`` samples.
    """
    count = before + length + after
    fine = torch.arange(2 * count, device=like.device)[:, None]
    coarse = torch.arange(count, device=like.device)
    longer = 2 * _sym6(fine + 5 - 2 * coarse, like)  # twice: every other sample was 0
    back = reflected(coarse - before, length)
    return like.new_zeros(2 * count, length).index_add(1, back, longer)


def shrinking(length: int, like: Tensor) -> Tensor:
    """Return the matrix [length, 2 (length + 6)] that halves the resolution, borders of 3 taken off."""
    fine = torch.arange(2 * length + len(SYM6), device=like.device)
    coarse = torch.arange(length, device=like.device)[:, None]
    return _sym6(fine - 1 - 2 * coarse, like)


def filtering(taps: Tensor, length: int) -> Tensor:
    """Return the matrices [N, length, length] that filter a signal with ``taps`` [N, T].

    T is odd, the middle tap is the sample's own; beyond its ends the signal is reflected.
    """
    n, width = taps.shape
    places = torch.arange(length, device=taps.device)[:, None]
    offsets = torch.arange(width, device=taps.device) - width // 2
    index = reflected(places + offsets, length).expand(n, length, width)
    weights = taps[:, None].expand(n, length, width)
    return taps.new_zeros(n, length, length).scatter_add(2, index, weights)


def bands(like: Tensor) -> Tensor:
    """Return four symmetric band-pass filters [4, 43], from low to high, that sum to the identity.

    Made of sym2, as Karras et al. 2020, appendix B, have them.
    """
    return torch.tensor(_bands(), device=like.device, dtype=like.dtype)


@cache
def _bands() -> list[list[float]]:
    low = np.array(SYM2)
    high = low * (-1) ** np.arange(len(low))
    low, high = (np.convolve(taps, taps[::-1]) / 2 for taps in (low, high))  # zero phase, [7]
    bank = np.eye(4, 1)
    for band in range(1, 4):
        spread = np.zeros((4, 2 * bank.shape[1] - 1))
        spread[:, ::2] = bank
        bank = np.stack([np.convolve(taps, low) for taps in spread])
        middle = bank.shape[1] // 2
        bank[band, middle - 3 : middle + 4] += high
    return bank.tolist()


def _sym6(places: Tensor, like: Tensor) -> Tensor:
    """The filter, its sum brought to 1, at ``places`` (int64): 0 outside of 0 to 11. Of the same shape."""
    taps = torch.tensor(SYM6, device=like.device, dtype=like.dtype)
    inside = (places >= 0) & (places < len(taps))
    return torch.where(inside, (taps / taps.sum())[places.clamp(0, len(taps) - 1)], 0)
