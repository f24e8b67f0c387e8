"""Strided 4x4 convolutions that can be computed in several equal ways.

The same weights, names and, up to rounding, sums as torch's own layers, in three lowerings:

- ``library``: what torch does.
- ``product``: patches times weights. Wins where matrix units are fast and the library's convolutions
  are not (bfloat16 on small maps).
- ``winograd``: nine products in place of sixteen (see ``figment.networks.layers.lowerings``).

Which one runs is a fixed rule of device, number format and shape, so that a run can be repeated to the
bit; ``benchmarks/lowerings.py`` measures what the rule rests on. A kernel that covers its whole input,
or a transposed one that starts from 1x1, is always a product.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from figment.networks.layers.lowerings import double, halve

Lowering = Literal["library", "product", "winograd"]
SMALL_MAP = {torch.float32: 8, torch.bfloat16: 16}
MANY_CHANNELS = 96
"""On a CPU the library is beaten on maps of at most so many pixels and at least so many channels."""


def lowering_for(x: Tensor, side: int, channels: int) -> Lowering:
    """Return how a layer between maps of ``side`` and ``side / 2`` pixels is best computed for ``x``.

    ``channels`` counts those of the larger map. Measured on a CPU in float32: Winograd takes .6 of the
    library's time at 8 px, and loses above. bfloat16 is only chosen on matrix units, where products run
    at more than twice the rate of the library's convolutions at 8 px; 16 px is taken to be alike.
    """
    if torch.compiler.is_compiling():  # it would lose derivatives of the lowerings' own
        return "library"
    dtype = _dtype(x)
    if x.device.type != "cpu" or side > SMALL_MAP.get(dtype, 0) or channels < MANY_CHANNELS:
        return "library"
    return "product" if dtype == torch.bfloat16 else "winograd"


class Convolution(nn.Conv2d):
    """`nn.Conv2d` with a choice of `lowering`; weights, names and sums are the same."""

    lowering: Lowering | None = None
    """Set to have it computed one way; by the rule without."""

    def forward(self, input: Tensor) -> Tensor:
        if self.covers(input):
            rows = input.permute(0, 2, 3, 1).flatten(1)  # [N, kh kw in]
            y = F.linear(rows, self.weight.permute(0, 2, 3, 1).flatten(1), self.bias)
            return y[:, :, None, None]  # [N, out, 1, 1]
        lowering = self.lowering or lowering_for(input, input.shape[2], self.in_channels)
        if not (self.training and self.can(lowering, input)):
            return super().forward(input)
        return _plus(halve(_cast(input), self.weight, lowering), self.bias)

    def covers(self, x: Tensor) -> bool:
        """Whether one kernel covers the whole of `x`, so that the layer is a product."""
        return _plain(self) and x.shape[2:] == self.kernel_size and self.padding == (0, 0)

    def can(self, lowering: str, x: Tensor) -> bool:
        """Whether this layer has that lowering, other than the library's, for `x` [N, C, H, W]."""
        if lowering == "library" or self.covers(x) or not _halves(self):
            return False
        return all(side % (4 if lowering == "winograd" else 2) == 0 for side in x.shape[2:])


class TransposedConvolution(nn.ConvTranspose2d):
    """`nn.ConvTranspose2d` with a choice of `lowering`; weights, names and sums are the same."""

    lowering: Lowering | None = None
    """Set to have it computed one way; by the rule without."""

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        if self.covers(input) and output_size is None:
            (kh, kw), rows = self.kernel_size, input.flatten(1)  # [N, in]
            y = rows @ self.weight.permute(0, 2, 3, 1).flatten(1)  # [N, kh kw out]
            y = y.unflatten(1, (kh, kw, self.out_channels)).permute(0, 3, 1, 2)
            return _plus(y, self.bias)  # [N, out, kh, kw]
        lowering = self.lowering or lowering_for(input, 2 * input.shape[2], self.out_channels)
        if output_size or not (self.training and self.can(lowering, input)):
            return super().forward(input, output_size)
        return _plus(double(_cast(input), self.weight, lowering), self.bias)

    def covers(self, x: Tensor) -> bool:
        """Whether `x` is 1x1 and unpadded, so that the layer is a product."""
        return _plain(self) and x.shape[2:] == (1, 1) and self.padding == (0, 0)

    def can(self, lowering: str, x: Tensor) -> bool:
        """Whether this layer has that lowering, other than the library's, for `x` [N, C, H, W]."""
        if lowering == "library" or self.covers(x) or not _halves(self):
            return False
        return lowering == "product" or all(side % 2 == 0 for side in x.shape[2:])


_Layer = Convolution | TransposedConvolution


def _plain(layer: _Layer) -> bool:
    extra = getattr(layer, "output_padding", (0, 0))
    return layer.groups == 1 and layer.dilation == (1, 1) and extra == (0, 0)


def _halves(layer: _Layer) -> bool:
    geometry = layer.kernel_size, layer.stride, layer.padding, layer.padding_mode
    return _plain(layer) and geometry == ((4, 4), (2, 2), (1, 1), "zeros")


def _cast(x: Tensor) -> Tensor:
    """`x` in autocast's type: before the transforms, not at the product, moves half the bytes."""
    return x.to(_dtype(x))


def _dtype(x: Tensor) -> torch.dtype:
    device = x.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x.dtype


def _plus(y: Tensor, bias: Tensor | None) -> Tensor:
    return y if bias is None else y + bias.to(y.dtype)[:, None, None]
