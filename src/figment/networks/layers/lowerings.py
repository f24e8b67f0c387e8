"""Two ways to compute a 4x4 convolution of stride 2 and padding 1, and its transpose, as products.

On the 2x2 blocks of its padded input such a convolution is a 2x2 convolution of stride 1. Read so:

- ``product``: patches [positions, 16 in] times weights [16 in, out].
- ``winograd``: Winograd's F(2x2, 2x2), nine products in place of sixteen (Winograd 1980, "Arithmetic
  Complexity of Computations"; Lavin & Gray 2016, section 4). Its transforms only add and subtract.

The transposed convolution is the adjoint of the convolution, so it runs the same steps backwards. Each
step is a linear map paired with its adjoint, each the derivative of the other, so gradients of any order
work.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

_Map = Callable[[Tensor], Tensor]
CHUNK = 16
"""Pictures whose tiles are made at a time: they stay in the cache."""


class _Linear(torch.autograd.Function):
    """A linear map and its adjoint, each the derivative of the other, to any order."""

    @staticmethod
    def forward(ctx, x: Tensor, there: _Map, back: _Map) -> Tensor:
        ctx.maps = back, there
        return there(x)

    @staticmethod
    def backward(ctx, *grads: Tensor) -> tuple[Tensor, None, None]:
        return _Linear.apply(*grads, *ctx.maps), None, None


def halve(x: Tensor, weight: Tensor, lowering: str) -> Tensor:
    """The convolution of `x` [N, in, H, W] with [out, in, 4, 4]: [N, out, H/2, W/2]."""
    n, _, h, w = x.shape
    columns = _columns(weight, lowering).mT
    if lowering == "product":
        y = _Linear.apply(x, _patches, lambda p: _overlap(p, n, h, w)) @ columns
        return y.view(n, h // 2, w // 2, -1).permute(0, 3, 1, 2)
    products = _Linear.apply(x, _tiles, lambda v: _untile(v, n, h, w)) @ columns
    return _Linear.apply(products, lambda m: _gather(m, n, h // 2, w // 2), _spread)


def double(x: Tensor, weight: Tensor, lowering: str) -> Tensor:
    """The transposed convolution of `x` [N, in, H, W] with [in, out, 4, 4]: [N, out, 2H, 2W]."""
    n, c, h, w = x.shape
    columns = _columns(weight, lowering)
    if lowering == "product":
        patches = x.permute(0, 2, 3, 1).reshape(-1, c) @ columns
        return _Linear.apply(patches, lambda p: _overlap(p, n, 2 * h, 2 * w), _patches)
    products = _Linear.apply(x, _spread, lambda m: _gather(m, n, h, w)) @ columns
    return _Linear.apply(products, lambda v: _untile(v, n, 2 * h, 2 * w), _tiles)


def _columns(weight: Tensor, lowering: str) -> Tensor:
    """Weights [out, in, 4, 4] as [out, 16 in], or [9, out, 4 in] for Winograd."""
    weight = weight.permute(0, 2, 3, 1)  # [out, 4, 4, in]
    if lowering == "product":
        return weight.flatten(1)
    outs, ins = weight.shape[0], weight.shape[3]
    taps = weight.reshape(outs, 2, 2, 2, 2 * ins).permute(1, 3, 0, 2, 4)  # [2, 2, out, 2, 2 in]
    return _Linear.apply(taps, _widen, _narrow).view(9, outs, 4 * ins)


def _patches(x: Tensor) -> Tensor:
    """The 4x4 patches at every second pixel of padded [N, C, H, W], as [N H/2 W/2, 16 C]."""
    padded = F.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))  # [N, H+2, W+2, C]
    patches = padded.unfold(1, 4, 2).unfold(2, 4, 2)  # [N, H/2, W/2, C, 4, 4]
    return patches.permute(0, 1, 2, 4, 5, 3).reshape(-1, 16 * x.shape[1])


def _overlap(patches: Tensor, n: int, h: int, w: int) -> Tensor:
    """The adjoint of `_patches`: overlapping patches added up, [N, C, H, W]."""
    p = patches.view(n, h // 2, w // 2, 2, 2, 2, -1)  # [N, H/2, W/2, 2, 2, 2, 2 C]
    padded = p.new_zeros(n, h // 2 + 1, 2, w // 2 + 1, p.shape[-1])
    for i in (0, 1):
        for j in (0, 1):
            window = padded[:, i : i + h // 2, :, j : j + w // 2]
            window += p[:, :, :, i, :, j].transpose(2, 3)
    return _unpad(padded, n, h, w)


def _unpad(padded: Tensor, n: int, h: int, w: int) -> Tensor:
    """[N, H/2+1, 2, W/2+1, 2 C] without its border, [N, C, H, W]."""
    x = _picture(padded, n, padded.shape[-1] // 2, h, w)
    x.permute(0, 2, 3, 1).copy_(padded.view(n, h + 2, w + 2, -1)[:, 1:-1, 1:-1])
    return x


def _picture(like: Tensor, n: int, c: int, h: int, w: int) -> Tensor:
    """Empty channels-last [N, C, H, W], not a view: the next layer may work in place."""
    size, layout = (n, c, h, w), torch.channels_last
    return torch.empty(size, dtype=like.dtype, device=like.device, memory_format=layout)


def _tiles(x: Tensor) -> Tensor:
    """Winograd's input transform of padded [N, C, H, W]: [9, N H/4 W/4, 4 C]."""
    n, c, h, w = x.shape
    padded = F.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))
    blocks = padded.view(n, h // 2 + 1, 2, w // 2 + 1, 2 * c)  # [N, H/2+1, 2, W/2+1, 2 C]
    rows = x.new_empty(3, n, h // 4, 2, w // 2 + 1, 2 * c)
    _differences(blocks.movedim(1, 0), rows.movedim(2, 1))
    tiles = x.new_empty(3, 3, n, h // 4, w // 4, 2, 2 * c)
    _differences(rows.movedim(4, 0), tiles.permute(1, 4, 0, 2, 3, 5, 6))
    return tiles.view(9, -1, 4 * c)


def _untile(tiles: Tensor, n: int, h: int, w: int) -> Tensor:
    """The adjoint of `_tiles`: [N, C, H, W]."""
    tiles = tiles.view(3, 3, n, h // 4, w // 4, 2, -1)
    cc = tiles.shape[-1]  # 2 C
    rows = tiles.new_empty(3, n, h // 4, 2, w // 2 + 1, cc)
    _undifference(tiles.permute(1, 4, 0, 2, 3, 5, 6), rows.movedim(4, 0))
    blocks = tiles.new_empty(n, h // 2 + 1, 2, w // 2 + 1, cc)
    _undifference(rows.movedim(2, 1), blocks.movedim(1, 0))
    return _unpad(blocks, n, h, w)


def _differences(blocks: Tensor, out: Tensor) -> None:
    """Blocks d [2T+1, ...] to `out` [3, T, ...]: d0 - d1, d1, d2 - d1 of each overlapping three."""
    even, odd = blocks[0::2], blocks[1::2]
    torch.sub(even[:-1], odd, out=out[0])
    out[1].copy_(odd)
    torch.sub(even[1:], odd, out=out[2])


def _undifference(v: Tensor, out: Tensor) -> None:
    """The adjoint of `_differences`: [3, T, ...] to `out` [2T+1, ...]."""
    even, odd = out[0::2], out[1::2]
    torch.sub(v[1], v[0], out=odd)
    odd -= v[2]
    even[0], even[-1] = v[0][0], v[2][-1]
    torch.add(v[0][1:], v[2][:-1], out=even[1:-1])


def _spread(y: Tensor) -> Tensor:
    """[N, C, H, W] as [9, N H/2 W/2, C], the adjoint of Winograd's output transform."""
    n, c, h, w = y.shape
    y = y.permute(0, 2, 3, 1).reshape(n, h // 2, 2, w // 2, 2, c)
    return _widen(y.permute(2, 4, 0, 1, 3, 5)).view(9, -1, c)


def _gather(m: Tensor, n: int, h: int, w: int) -> Tensor:
    """Winograd's output transform, [9, N H/2 W/2, C] to [N, C, H, W]."""
    m = m.view(3, 3, n, h // 2, w // 2, -1)
    y = _picture(m, n, m.shape[-1], h, w)
    squares = y.permute(0, 2, 3, 1).view(n, h // 2, 2, w // 2, 2, -1)
    _narrow(m, squares.permute(2, 4, 0, 1, 3, 5))
    return y


def _widen(y: Tensor) -> Tensor:
    """y0, y0 + y1, y1 along both leading dimensions: [2, 2, ...] to [3, 3, ...]."""
    m = y.new_empty(3, 3, *y.shape[2:])
    m[::2, ::2] = y
    torch.add(y[0], y[1], out=m[1, ::2])
    torch.add(m[:, 0], m[:, 2], out=m[:, 1])
    return m


def _narrow(m: Tensor, out: Tensor | None = None) -> Tensor:
    """The adjoint of `_widen`: m0 + m1, m1 + m2, [3, 3, ...] to [2, 2, ...]."""
    rows = m[:2] + m[1:]
    return torch.add(rows[:, :2], rows[:, 1:], out=out)
