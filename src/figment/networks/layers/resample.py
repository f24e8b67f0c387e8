"""Twice or half the size without checkerboards: resampling is fixed, the convolution keeps the size.

A strided transposed convolution whose kernel is no multiple of its stride lays uneven numbers of taps
on neighbouring pixels, and even an even one can learn uneven weights; a strided convolution has the
same pattern in its gradient (Odena et al. 2016). Here a constant map stays constant, borders aside.
"""

from __future__ import annotations

from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

Mode = Literal["nearest", "bilinear"]
Padding = Literal["zeros", "reflect"]


def enlarge(x: Tensor, mode: Mode = "nearest") -> Tensor:
    """Return the maps at twice the size: [N, C, H, W] -> [N, C, 2H, 2W].

    Bilinear with pixel centres, not corners, aligned.
    """
    corners = None if mode == "nearest" else False
    return F.interpolate(x, scale_factor=2.0, mode=mode, align_corners=corners)


def shrink(x: Tensor) -> Tensor:
    """Return the mean of each 2x2 square: [N, C, H, W] -> [N, C, H/2, W/2], odd sides rounded down."""
    return F.avg_pool2d(x, 2)


def enlarge_and_convolve(x: Tensor, layer: nn.Conv2d) -> Tensor:
    """Return ``layer(enlarge(x))``, computed at once: [N, in, H, W] -> [N, out, 2H, 2W].

    One transposed convolution has the same sums, up to rounding, without the products that the copies
    of a pixel would have in common. The layer is one of ``same``, with an odd kernel and zeros around.
    """
    kernel = doubling(layer.weight)
    return F.conv_transpose2d(x, kernel, layer.bias, 2, kernel.shape[-1] // 2 - 1)


class UpConvolution(nn.Module):
    """Enlarge, then convolve: [N, in, H, W] -> [N, out, 2H, 2W]; Odena et al. 2016."""

    def __init__(
        self,
        wide_in: int,
        wide_out: int,
        kernel: int = 3,
        *,
        mode: Mode = "nearest",
        padding: Padding = "zeros",
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.mode: Mode = mode
        self.at_once = mode == "nearest" and padding == "zeros" and kernel % 2 == 1
        self.convolution = same(wide_in, wide_out, kernel, padding=padding, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        if self.at_once:
            assert isinstance(self.convolution, nn.Conv2d)
            return enlarge_and_convolve(x, self.convolution)
        return self.convolution(enlarge(x, self.mode))


class DownConvolution(nn.Module):
    """Convolve, then average: [N, in, H, W] -> [N, out, H/2, W/2]."""

    def __init__(
        self,
        wide_in: int,
        wide_out: int,
        kernel: int = 3,
        *,
        padding: Padding = "zeros",
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.convolution = same(wide_in, wide_out, kernel, padding=padding, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        return shrink(self.convolution(x))


def doubling(weight: Tensor) -> Tensor:
    """Return the transposed kernel of stride 2, [in, out, K + 1, K + 1], of enlarging and convolving.

    ``weight`` is the convolution's, [out, in, K, K] with K odd. In both directions a tap meets two copies.
    """
    flipped = weight.transpose(0, 1).flip(2, 3)
    tall = F.pad(flipped, (0, 0, 0, 1)) + F.pad(flipped, (0, 0, 1, 0))
    return F.pad(tall, (0, 1)) + F.pad(tall, (1, 0))


def same(
    wide_in: int, wide_out: int, kernel: int, *, padding: Padding = "zeros", bias: bool = True
) -> nn.Module:
    """Return a convolution of stride 1 that keeps the size.

    An even kernel needs one pixel more on the right and below than on the left and above, as Keras
    and TensorFlow pad "same".
    """
    before, after = (kernel - 1) // 2, kernel // 2
    if before == after:
        return nn.Conv2d(wide_in, wide_out, kernel, padding=before, padding_mode=padding, bias=bias)
    border = nn.ZeroPad2d if padding == "zeros" else nn.ReflectionPad2d
    return nn.Sequential(
        border((before, after, before, after)), nn.Conv2d(wide_in, wide_out, kernel, bias=bias)
    )
