"""Colours under affine maps: one homogeneous matrix [4, 4] an image, red, green, blue and 1.

Luma is the direction of grey, (1, 1, 1) / sqrt 3; brightness and contrast act on all channels alike,
hue and saturation around it and away from it. Karras et al. 2020, appendix B.
"""

from __future__ import annotations

import torch
from torch import Tensor

from figment.errors import UserError


def identity(n: int, like: Tensor) -> Tensor:
    """Return [N, 4, 4] that change nothing."""
    return torch.eye(4, device=like.device, dtype=like.dtype).expand(n, 4, 4)


def brighten(by: Tensor) -> Tensor:
    """Return the maps that add ``by`` [N] to every channel: [N, 4, 4]."""
    column = by.new_tensor([[0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]])
    return identity(len(by), by) + by[:, None, None] * column


def stretch(factor: Tensor) -> Tensor:
    """Return the maps that multiply every channel by ``factor`` [N]: [N, 4, 4]."""
    ones = torch.ones_like(factor)
    return torch.diag_embed(torch.stack([factor, factor, factor, ones], 1))


def flip_luma(whether: Tensor) -> Tensor:
    """Return the reflections that turn light into dark and leave colour, where ``whether`` [N] is 1."""
    return identity(len(whether), whether) - 2 * whether[:, None, None] * _luma(whether)


def turn_hue(angle: Tensor) -> Tensor:
    """Return the rotations by ``angle`` [N] around the direction of grey: [N, 4, 4]."""
    # Rodrigues' formula; the cross product with the axis is a third of the way round the colours.
    across = angle.new_tensor([[0, -1, 1, 0], [1, 0, -1, 0], [-1, 1, 0, 0], [0, 0, 0, 0]]) / 3**0.5
    c, s = angle.cos()[:, None, None], angle.sin()[:, None, None]
    return _colours(c) + s * across + (1 - c) * _luma(angle)


def saturate(factor: Tensor) -> Tensor:
    """Return the maps that multiply each colour's distance from grey by ``factor`` [N]: [N, 4, 4]."""
    factor = factor[:, None, None]
    return _colours(factor) + (1 - factor) * _luma(factor)


def recolour(images: Tensor, maps: Tensor) -> Tensor:
    """Return images [N, C, H, W] under ``maps`` [N, 4, 4]; of one channel as grey, of three as colour.

    Raises UserError for other numbers of channels.
    """
    n, channels = images.shape[:2]
    if channels == 1:
        gain, offset = maps[:, :3, :3].sum((1, 2)) / 3, maps[:, :3, 3].mean(1)
        return images * gain.view(n, 1, 1, 1) + offset.view(n, 1, 1, 1)
    if channels != 3:
        raise UserError(f"no colours in {channels} channels: augment without colour (ADA's bg)")
    changed = maps[:, :3, :3] @ images.flatten(2) + maps[:, :3, 3:]
    return changed.view_as(images)


def _luma(like: Tensor) -> Tensor:
    """The projection on the direction of grey: [4, 4]."""
    axis = like.new_tensor([1, 1, 1, 0])
    return axis.outer(axis) / 3


def _colours(factor: Tensor) -> Tensor:
    """Every channel times ``factor`` [N, 1, 1]: [N, 4, 4]."""
    return stretch(factor.flatten())
