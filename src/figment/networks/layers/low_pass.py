"""Twice or half the size through the filter [1, 3, 3, 1]: how StyleGAN2 and R3GAN resample; and a blur.

Inside a picture it is bilinear resampling with pixel centres aligned. Beyond the border there are zeros,
as in the authors' code: a constant map of ones comes out as 3/4 along the edges when doubled, 9/16 in
the corners. Each is a depthwise convolution, which is the same for a fraction of the work.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class LowPass(nn.Module):
    """What the resamplings share: the filter, its 16 taps adding up to ``gain``."""

    taps: Tensor

    def __init__(self, gain: float = 1.0) -> None:
        super().__init__()
        row = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
        self.register_buffer("taps", gain * row[:, None] * row, persistent=False)

    def kernel(self, x: Tensor) -> Tensor:
        """Return the filter once for each channel of ``x``: [C, 1, 4, 4]."""
        return self.taps.expand(x.shape[1], 1, 4, 4)

    def filtered(self, x: Tensor, *, stride: int = 1, padding: int, back: bool = False) -> Tensor:
        """Return ``x`` convolved with the filter, or by the transpose of that."""
        kernel = self.kernel(x)
        again = torch.is_grad_enabled() and x.requires_grad
        if again and not torch.compiler.is_compiling():  # which would lose the derivatives' own
            return _Filtered.apply(x, kernel, stride, padding, back)
        return _filtered(x, kernel, stride, padding, back)


def _filtered(x: Tensor, kernel: Tensor, stride: int, padding: int, back: bool) -> Tensor:
    convolve: Any = F.conv_transpose2d if back else F.conv2d
    return convolve(x, kernel, stride=stride, padding=padding, groups=x.shape[1])


class _Filtered(torch.autograd.Function):
    """A depthwise convolution or its adjoint, each the derivative of the other, to any order.

    torch's second derivative of a depthwise convolution also finds that of its filter, channel by channel.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, kernel: Tensor, stride: int, padding: int, back: bool
    ) -> Tensor:
        ctx.save_for_backward(kernel)
        ctx.how = stride, padding, not back
        return _filtered(x, kernel.to(x.dtype), stride, padding, back)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None, None]:
        return _Filtered.apply(*grads, *ctx.saved_tensors, *ctx.how), None, None, None, None


class Double(LowPass):
    """[N, C, H, W] -> [N, C, 2H, 2W]."""

    def __init__(self) -> None:
        super().__init__(gain=4.0)  # of each four pixels of a doubled map three are new

    def forward(self, x: Tensor) -> Tensor:
        return self.filtered(x, stride=2, padding=1, back=True)


class Halve(LowPass):
    """[N, C, H, W] -> [N, C, H/2, W/2]."""

    def forward(self, x: Tensor) -> Tensor:
        return self.filtered(x, stride=2, padding=1)


class Blur(LowPass):
    """[N, C, H, W] -> [N, C, H + 2p - 3, W + 2p - 3]: filtered, with p zeros around."""

    def __init__(self, padding: int, gain: float = 1.0) -> None:
        super().__init__(gain)
        self.padding = padding

    def forward(self, x: Tensor) -> Tensor:
        return self.filtered(x, padding=self.padding)


class Soften(nn.Module):
    """[N, C, H, W] -> the same, through the filter [1, 2, 1]: how StyleGAN resamples; zeros around."""

    taps: Tensor

    def __init__(self) -> None:
        super().__init__()
        row = torch.tensor([1.0, 2.0, 1.0]) / 4
        self.register_buffer("taps", row[:, None] * row, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.taps.expand(x.shape[1], 1, 3, 3), padding=1, groups=x.shape[1])
