"""Equalised layers: weights start from N(0, 1) and are scaled as they are used (Karras et al. 2018).

So all learn at one rate, whatever their sizes: Adam's steps do not depend on a gradient's scale, and a step
of one size changes what a layer does by gain / √(inputs).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GAIN = 2**0.5
"""Keeps the length of what passes a layer and LeakyReLU(.2) about as it is."""


class Linear(nn.Module):
    """[N, in] -> [N, out]; `rate` multiplies what it learns by, the bias's too, if it has a `bias`."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        rate: float = 1.0,
        start: float = 0.0,
        gain: float = 1.0,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.rate, self.scale = rate, gain * rate * inputs**-0.5
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), start)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        shift = None if self.bias is None else self.bias * self.rate
        return F.linear(x, self.weight * self.scale, shift)


class Convolution(nn.Module):
    """[N, in, H, W] -> [N, out, H, W]; without `bias` none is added."""

    def __init__(
        self, wide_in: int, wide_out: int, kernel: int, *, gain: float = GAIN, bias: bool = True
    ) -> None:
        super().__init__()
        self.scale, self.padding = gain * (wide_in * kernel**2) ** -0.5, kernel // 2
        self.weight = nn.Parameter(torch.randn(wide_out, wide_in, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(wide_out)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight * self.scale, self.bias, padding=self.padding)


def plain(features: int) -> nn.Module:
    """Return a head of one such layer: [N, F] -> [N, 1]."""
    return Linear(features, 1)


def normalised(x: Tensor) -> Tensor:
    """Return x [N, C, ...] with a mean square of 1 over its channels ("pixel norm")."""
    return x * (x.square().mean(1, keepdim=True) + 1e-8).rsqrt()
