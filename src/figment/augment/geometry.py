"""Pictures under affine maps of the plane: exact where whole pixels move, else band-limited.

A map is a batch of homogeneous matrices [N, 3, 3] of pixels from the centre, x to the right, y down. It
leads backwards, from a place in the result to the place that is shown there. Maps of a chain multiply
from left to right.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from figment.augment.wavelets import SYM6, enlarging, reflected, shrinking

REACH = len(SYM6) // 4
"""Pixels by which the low-pass filter, at twice the resolution, looks over a border."""


def matrix(*rows: Sequence[Tensor]) -> Tensor:
    """Return matrices [N, 3, 3] from three rows of three tensors [N]."""
    return torch.stack([torch.stack(list(row), -1) for row in rows], -2)


def rotation(angle: Tensor) -> Tensor:
    """Return the rotations by ``angle`` [N] in radians, from x towards y: [N, 3, 3]."""
    zero, one = torch.zeros_like(angle), torch.ones_like(angle)
    c, s = angle.cos(), angle.sin()
    return matrix([c, -s, zero], [s, c, zero], [zero, zero, one])


def scaling(x: Tensor, y: Tensor) -> Tensor:
    """Return the stretchings by ``x`` and ``y`` [N]: [N, 3, 3]."""
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    return matrix([x, zero, zero], [zero, y, zero], [zero, zero, one])


def translation(x: Tensor, y: Tensor) -> Tensor:
    """Return the translations by ``x`` and ``y`` [N] pixels: [N, 3, 3]."""
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    return matrix([one, zero, x], [zero, one, y], [zero, zero, one])


def blit(images: Tensor, back: Tensor) -> Tensor:
    """Return images [N, C, H, W] whose pixels changed places, for a map ``back`` of pixels on pixels.

    That is a flip, a quarter turn, a shift by whole pixels, or a chain of them. Nothing is interpolated;
    what comes in over a border is reflected.
    """
    n, c, h, w = images.shape
    y, x = torch.meshgrid(_places(h, images), _places(w, images), indexing="ij")
    here = torch.stack([x.flatten(), y.flatten(), torch.ones_like(x).flatten()])  # [3, HW]
    there = back @ here  # [N, 3, HW]
    columns = reflected((there[:, 0] + (w - 1) / 2).round().long(), w)
    rows = reflected((there[:, 1] + (h - 1) / 2).round().long(), h)
    index = (rows * w + columns)[:, None].expand(n, c, h * w)
    return images.flatten(2).gather(2, index).view_as(images)


def resample(images: Tensor, back: Tensor) -> Tensor:
    """Return images [N, C, H, W] under the maps ``back``: enlarged, sampled, shrunk. Borders reflect.

    The resolution is doubled by the low-pass filter of the sym6 wavelet, the map read off with
    bilinear weights, and the result filtered and halved: under the identity the picture comes back
    unchanged, the filter being orthogonal. Karras et al. 2020, appendix B.
    """
    h, w = images.shape[2:]
    left, top, right, bottom = _margins(back, h, w)
    tall, wide = enlarging(h, top, bottom, images), enlarging(w, left, right, images)
    fine = tall @ images @ wide.mT  # [N, C, 2 (top + H + bottom), 2 (left + W + right)]
    high, broad = fine.shape[2:]
    size = (2 * (h + 2 * REACH), 2 * (w + 2 * REACH))
    # Between [-1, 1], as grids have it, and pixels from the centre. A filter of even length lies half a
    # fine pixel beside its sample; that is taken off on both ways.
    inwards = back.new_tensor([[size[1] / 4, 0, 1 / 4], [0, size[0] / 4, 1 / 4], [0, 0, 1]])
    outwards = back.new_tensor(
        [
            [4 / broad, 0, (2 * (left - right) - 1) / broad],
            [0, 4 / high, (2 * (top - bottom) - 1) / high],
            [0, 0, 1],
        ]
    )
    through = (outwards @ back @ inwards)[:, :2]
    grid = F.affine_grid(through, [*images.shape[:2], *size], align_corners=False)
    return shrinking(h, images) @ sample(fine, grid) @ shrinking(w, images).mT


def sample(images: Tensor, grid: Tensor) -> Tensor:
    """Return ``F.grid_sample(images, grid)``, bilinear, 0 outside, whose derivatives have derivatives.

    By ``images`` alone. Torch's own could not be differentiated twice for most of its life; but it is
    linear in the images, so the way back is its transpose, and the way back from there itself again.
    """
    return _Sample.apply(images, grid)


class _Sample(torch.autograd.Function):
    """(images [N, C, H, W], grid [N, h, w, 2]) -> [N, C, h, w]."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, grid: Tensor) -> Tensor:
        ctx.save_for_backward(grid)
        ctx.size = images.shape[2:]
        return F.grid_sample(images, grid, align_corners=False)

    @staticmethod
    def backward(ctx: Any, *above: Tensor) -> tuple[Tensor, None]:
        return _Spread.apply(*above, *ctx.saved_tensors, ctx.size), None


class _Spread(torch.autograd.Function):
    """The transpose of ``_Sample``: ([N, C, h, w], grid [N, h, w, 2], (H, W)) -> [N, C, H, W]."""

    @staticmethod
    def forward(ctx: Any, above: Tensor, grid: Tensor, size: Sequence[int]) -> Tensor:
        ctx.save_for_backward(grid)
        images = above.new_zeros(*above.shape[:2], *size)  # their values do not matter
        kind = (0, 0, False)  # bilinear, zeros outside, corners not aligned
        spread = torch.ops.aten.grid_sampler_2d_backward
        return spread(above.contiguous(), images, grid, *kind, (True, False))[0]

    @staticmethod
    def backward(ctx: Any, *above: Tensor) -> tuple[Tensor, None, None]:
        return _Sample.apply(*above, *ctx.saved_tensors), None, None


def _margins(back: Tensor, h: int, w: int) -> tuple[int, int, int, int]:
    """How far the results look over the borders, filter included: pixels left, top, right, bottom.

    One number for the whole batch; at most what one reflection can give.
    """
    x, y = (w - 1) / 2, (h - 1) / 2
    corners = back.new_tensor([[-x, x, x, -x], [-y, -y, y, y], [1, 1, 1, 1]])
    there = (back @ corners)[:, :2].transpose(0, 1).flatten(1)  # [2, 4N]
    beyond = torch.cat([-there.amin(1), there.amax(1)]) - back.new_tensor([x, y, x, y])
    most = back.new_tensor([w - 1, h - 1, w - 1, h - 1])
    left, top, right, bottom = (beyond + 2 * REACH).clamp(min=0).minimum(most).ceil().tolist()
    return int(left), int(top), int(right), int(bottom)


def _places(side: int, like: Tensor) -> Tensor:
    """Pixels from the centre along a side: [side]."""
    return torch.arange(side, device=like.device, dtype=like.dtype) - (side - 1) / 2
