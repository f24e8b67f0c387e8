"""Pixels: bytes in files and packs, floats in [-1, 1] in networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def to_float(pixels: Tensor) -> Tensor:
    """Return pixels from 0 to 255 as float32 in [-1, 1], of the same shape."""
    return pixels.float().div(127.5).sub(1)


def to_uint8(images: Tensor) -> Tensor:
    """Return floats in [-1, 1] as uint8 from 0 to 255, of the same shape; what lies outside is cut off."""
    return images.float().add(1).mul(127.5).round().clamp(0, 255).byte()
