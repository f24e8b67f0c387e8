"""What the rule in figment.networks.layers.convolution rests on: each lowering's time, layer by layer.

    python benchmarks/lowerings.py [--width 64] [--batch 128]

Milliseconds of forward and backward (input and weights) of DCGAN's layers at 64 px, best of several, the
lowerings taking turns; the rule's choice is starred.
"""

from __future__ import annotations

import argparse
import time
from typing import get_args

import torch
from torch import nn

from figment.networks.layers.convolution import (
    Convolution,
    Lowering,
    TransposedConvolution,
    lowering_for,
)
from figment.training.devices import set_up


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=4)
    args = parser.parse_args()
    set_up(torch.device("cpu"))
    print(
        f"width {args.width}, batch {args.batch}, {torch.get_num_threads()} threads, milliseconds"
    )
    print(f"{'layer':34}" + "".join(f"{name:>12}" for name in get_args(Lowering)))
    w = args.width
    for dtype in (torch.float32, torch.bfloat16):
        for narrow, wide, side in (
            (3, w, 64),
            (w, 2 * w, 32),
            (2 * w, 4 * w, 16),
            (4 * w, 8 * w, 8),
        ):
            down = Convolution(narrow, wide, 4, 2, 1, bias=False)
            up = TransposedConvolution(wide, narrow, 4, 2, 1, bias=False)
            for layer, channels, pixels in ((down, narrow, side), (up, wide, side // 2)):
                x = torch.randn(args.batch, channels, pixels, pixels)
                x = x.contiguous(memory_format=torch.channels_last)
                _row(layer, x, dtype, args.repeats, (narrow, wide, side))


def _row(
    layer: Convolution | TransposedConvolution,
    x: torch.Tensor,
    dtype: torch.dtype,
    repeats: int,
    shape: tuple[int, int, int],
) -> None:
    narrow, wide, side = shape
    layer.to(memory_format=torch.channels_last)  # ty: ignore[no-matching-overload]
    best = dict.fromkeys(get_args(Lowering), float("inf"))
    with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
        chosen = lowering_for(x, side, narrow)
        for _ in range(repeats + 1):
            for lowering in best:
                layer.lowering = lowering
                best[lowering] = min(best[lowering], _seconds(layer, x))
    kind = "conv" if isinstance(layer, Convolution) else "transposed"
    cells = "".join(
        f"{1e3 * seconds:11.1f}{'*' if name == chosen else ' '}" for name, seconds in best.items()
    )
    name = str(dtype).removeprefix("torch.")
    print(f"{name:9} {kind:10} {narrow:4}-{wide:<4} {side:2} px{cells}", flush=True)


def _seconds(layer: nn.Module, x: torch.Tensor) -> float:
    x = x.detach().requires_grad_()
    start = time.perf_counter()
    y = layer(x)
    y.backward(torch.ones_like(y))
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
