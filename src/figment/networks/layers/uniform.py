"""Uniform latents from the standard normal ones that every recipe is given."""

from __future__ import annotations

from torch import Tensor


def uniform_latents(z: Tensor, low: float, high: float) -> Tensor:
    """Return z ~ N(0, 1) as numbers uniform on (low, high), of the same shape.

    The normal distribution function, stretched. Neighbours stay neighbours, so walks, seeds and
    truncation mean what they mean elsewhere.
    """
    share = (1 + (z * 0.5**0.5).erf()) / 2
    return low + (high - low) * share
