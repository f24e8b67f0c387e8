"""Strided convolutions that can be computed in several equal ways, the fastest found by timing.

A 4x4 convolution of stride 2 and padding 1 is, on the 2x2 blocks of its padded input, a 2x2
convolution of stride 1. Read so, it has three lowerings with the same weights and, up to rounding,
the same sums:

- `library`: what `torch.nn.functional` does.
- `product`: patches [positions, 16 in] times weights [16 in, out]. Wins where matrix units are
  fast and the library's convolutions are not (bf16 on small maps, three-channel images).
- `winograd`: Winograd's F(2x2, 2x2), nine products in place of sixteen (Winograd 1980, "Arithmetic
  Complexity of Computations"; Lavin & Gray 2016, section 4). Its transforms only add and subtract.

The transposed convolution is the adjoint of the convolution, so it runs the same steps backwards.
A kernel that covers its whole input, or a transposed one that starts from 1x1, is always a product.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LOWERINGS = ("library", "product", "winograd")

_Map = Callable[[Tensor], Tensor]


def tune(
    network: nn.Module, example: Tensor | tuple, dtype: torch.dtype = torch.float32
) -> dict[str, str]:
    """The fastest lowering of each layer of `network`, by the layer's name; sets nothing.

    `example` is an input, or a tuple of them, of the shape and memory format of the training; a
    `dtype` other than float32 is tried under autocast. Only layers that have a choice are named.
    """
    return fastest(measure(network, example, dtype))


def apply(network: nn.Module, choices: dict[str, str]) -> None:
    """Sets the lowerings that `tune` found; layers not named go back to the library."""
    layers = {name: m for name, m in network.named_modules() if isinstance(m, _LAYERS)}
    unknown = {n: c for n, c in choices.items() if n not in layers or c not in LOWERINGS}
    if unknown:
        raise ValueError(f"no such layer or lowering: {unknown}; lowerings are {LOWERINGS}")
    for name, layer in layers.items():
        layer.lowering = choices.get(name, "library")


def fastest(timings: dict[str, dict[str, float]], margin: float = 0.05) -> dict[str, str]:
    """The quickest lowering of each layer, `library` unless beaten by more than `margin`."""
    choices = {}
    for name, seconds in timings.items():
        best = min(seconds, key=lambda lowering: seconds[lowering])
        pays = seconds[best] < (1 - margin) * seconds["library"]
        choices[name] = best if pays else "library"
    return choices


def measure(
    network: nn.Module,
    example: Tensor | tuple,
    dtype: torch.dtype = torch.float32,
    repeats: int = 4,
) -> dict[str, dict[str, float]]:
    """Seconds of forward plus backward of each layer that has a choice, by name and lowering.

    The best of `repeats`; the lowerings take turns, so that a busy moment of the machine is shared.
    `network` is left as it was.
    """
    probe = copy.deepcopy(network).eval()
    layers = {name: m for name, m in probe.named_modules() if isinstance(m, _LAYERS)}
    inputs: dict[str, Tensor] = {}
    for name, layer in layers.items():
        layer.register_forward_pre_hook(lambda _, args, name=name: inputs.update({name: args[0]}))
    device = next(network.parameters()).device.type
    with torch.autocast(device, dtype, enabled=dtype != torch.float32):
        with torch.no_grad():
            probe(*example) if isinstance(example, tuple) else probe(example)
        return {
            name: _race(layers[name].requires_grad_(), x, repeats)
            for name, x in inputs.copy().items()
            if layers[name].can("product", x)
        }


def _race(layer: _Layer, x: Tensor, repeats: int) -> dict[str, float]:
    """The least seconds of each lowering; one that is far behind is not tried again."""
    best = {lowering: float("inf") for lowering in LOWERINGS if layer.can(lowering, x)}
    for turn in range(1 + repeats):
        limit = 1.5 * min(best.values())
        for lowering in best:
            if best[lowering] <= limit:
                layer.lowering = lowering
                seconds = _seconds(layer, x)
                if turn > 0:  # the first only warms up
                    best[lowering] = min(best[lowering], seconds)
    return best


def _seconds(layer: _Layer, x: Tensor) -> float:
    x = x.detach().requires_grad_()
    _finish(x)
    start = time.perf_counter()
    y = layer(x)
    torch.autograd.grad(y, [x, layer.weight], torch.ones_like(y))
    _finish(x)
    return time.perf_counter() - start


def _finish(x: Tensor) -> None:
    if x.is_cuda:
        torch.cuda.synchronize(x.device)
    elif x.device.type == "mps":
        torch.mps.synchronize()


class Convolution(nn.Conv2d):
    """`nn.Conv2d` with a choice of `lowering`; weights, names and sums are the same."""

    lowering = "library"

    def forward(self, input: Tensor) -> Tensor:
        if self.covers(input):
            rows = input.permute(0, 2, 3, 1).flatten(1)  # [N, kh kw in]
            y = F.linear(rows, self.weight.permute(0, 2, 3, 1).flatten(1), self.bias)
            return y[:, :, None, None]  # [N, out, 1, 1]
        if self.lowering == "library" or not self.can(self.lowering, input):
            return super().forward(input)
        return _plus(_halve(_cast(input), self.weight, self.lowering), self.bias)

    def covers(self, x: Tensor) -> bool:
        """Whether one kernel covers the whole of `x`, so that the layer is a product."""
        return _plain(self) and x.shape[2:] == self.kernel_size and self.padding == (0, 0)

    def can(self, lowering: str, x: Tensor) -> bool:
        """Whether this layer, given `x` [N, C, H, W], has that lowering."""
        if lowering == "library" or self.covers(x) or not _halves(self):
            return lowering == "library"
        return all(side % (4 if lowering == "winograd" else 2) == 0 for side in x.shape[2:])


class TransposedConvolution(nn.ConvTranspose2d):
    """`nn.ConvTranspose2d` with a choice of `lowering`; weights, names and sums are the same."""

    lowering = "library"

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        if self.covers(input) and output_size is None:
            (kh, kw), rows = self.kernel_size, input.flatten(1)  # [N, in]
            y = rows @ self.weight.permute(0, 2, 3, 1).flatten(1)  # [N, kh kw out]
            y = y.unflatten(1, (kh, kw, self.out_channels)).permute(0, 3, 1, 2)
            return _plus(y, self.bias)  # [N, out, kh, kw]
        if self.lowering == "library" or output_size or not self.can(self.lowering, input):
            return super().forward(input, output_size)
        return _plus(_double(_cast(input), self.weight, self.lowering), self.bias)

    def covers(self, x: Tensor) -> bool:
        """Whether `x` is 1x1 and unpadded, so that the layer is a product."""
        return _plain(self) and x.shape[2:] == (1, 1) and self.padding == (0, 0)

    def can(self, lowering: str, x: Tensor) -> bool:
        """Whether this layer, given `x` [N, C, H, W], has that lowering."""
        if lowering == "library" or self.covers(x) or not _halves(self):
            return lowering == "library"
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
    device = x.device.type
    return x.to(torch.get_autocast_dtype(device)) if torch.is_autocast_enabled(device) else x


def _plus(y: Tensor, bias: Tensor | None) -> Tensor:
    return y if bias is None else y + bias.to(y.dtype)[:, None, None]


class _Linear(torch.autograd.Function):
    """A linear map and its adjoint, each the derivative of the other, to any order."""

    @staticmethod
    def forward(ctx, x: Tensor, there: _Map, back: _Map) -> Tensor:
        ctx.maps = back, there
        return there(x)

    @staticmethod
    def backward(ctx, *grads: Tensor) -> tuple[Tensor, None, None]:
        return _Linear.apply(*grads, *ctx.maps), None, None


def _halve(x: Tensor, weight: Tensor, lowering: str) -> Tensor:
    """The convolution of `x` [N, in, H, W] with [out, in, 4, 4]: [N, out, H/2, W/2]."""
    n, _, h, w = x.shape
    columns = _columns(weight, lowering).mT
    if lowering == "product":
        y = _Linear.apply(x, _patches, lambda p: _overlap(p, n, h, w)) @ columns
        return y.view(n, h // 2, w // 2, -1).permute(0, 3, 1, 2)
    products = _Linear.apply(x, _tiles, lambda v: _untile(v, n, h, w)) @ columns
    return _Linear.apply(products, lambda m: _gather(m, n, h // 2, w // 2), _spread)


def _double(x: Tensor, weight: Tensor, lowering: str) -> Tensor:
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


_LAYERS = (Convolution, TransposedConvolution)
