"""Pixels as they are stored, 0 to 255, and as networks take and give them, -1 to 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def to_float(pixels: Tensor) -> Tensor:
    """Return uint8 pixels as float32 in [-1, 1], of the same shape."""
    return pixels.float().div(127.5).sub(1)


def to_uint8(images: Tensor) -> Tensor:
    """Return floats in [-1, 1] as uint8, rounded; what lies outside becomes black or white."""
    import torch

    return images.float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
