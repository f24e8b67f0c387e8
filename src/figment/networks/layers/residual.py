"""Residual blocks of WGAN-GP's and SNGAN's networks for 32 px: activation first, 3x3 kernels.

Gulrajani et al. 2017 and Miyato et al. 2018, appendices. Where a 1x1 shortcut and a resampling
meet, the shortcut runs at the smaller size: the two commute, so it is the same for a quarter of the work.
Initial weights are uniform with variance 4 / (fan in + fan out), shortcuts 2 / (fan in + fan out), biases
0, as in both papers' code; they are set before ``wrap`` is called.
"""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from figment.networks.layers.resample import enlarge, enlarge_and_convolve, shrink
from figment.networks.layers.wrapping import Wrap, identity


class UpBlock(nn.Module):
    """[N, in, H, W] -> [N, out, 2H, 2W], or H, W kept without ``up``: a generator's block.

    norm, ReLU, enlarge, convolution, norm, ReLU, convolution, plus the input, enlarged (nearest) and
    put through a 1x1 convolution (none where neither size nor width changes). ``norm`` makes a layer
    for so many channels. What follows the maps in a call, such as labels, goes on to both norms.
    """

    def __init__(
        self,
        cin: int,
        cout: int,
        *,
        norm: Callable[[int], nn.Module],
        up: bool,
        wrap: Wrap = identity,
    ) -> None:
        super().__init__()
        self.up = up
        self.norm1, self.norm2 = norm(cin), norm(cout)
        self.convolution1 = wrap(convolution(cin, cout, 3))
        self.convolution2 = wrap(convolution(cout, cout, 3))
        self.shortcut = wrap(convolution(cin, cout, 1)) if up or cin != cout else nn.Identity()

    def forward(self, x: Tensor, *condition: Tensor) -> Tensor:
        y = F.relu(self.norm1(x, *condition))
        y = self._first(y)
        y = self.convolution2(F.relu(self.norm2(y, *condition)))
        aside = self.shortcut(x)
        return y + (enlarge(aside) if self.up else aside)

    def _first(self, y: Tensor) -> Tensor:
        if not self.up:
            return self.convolution1(y)
        assert isinstance(self.convolution1, nn.Conv2d)
        return enlarge_and_convolve(y, self.convolution1)


class DownBlock(nn.Module):
    """[N, in, H, W] -> [N, out, H/2, W/2], or H, W kept without ``down``: a critic's block.

    ReLU, convolution, ReLU, convolution, average, plus the input, averaged and put through a 1x1
    convolution (none where neither size nor width changes). No norm.
    """

    def __init__(self, cin: int, cout: int, *, down: bool, wrap: Wrap = identity) -> None:
        super().__init__()
        self.down = down
        self.convolution1 = wrap(convolution(cin, cout, 3))
        self.convolution2 = wrap(convolution(cout, cout, 3))
        self.shortcut = wrap(convolution(cin, cout, 1)) if down or cin != cout else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = self.convolution2(F.relu(self.convolution1(F.relu(x))))
        if not self.down:
            return y + self.shortcut(x)
        return shrink(y) + self.shortcut(shrink(x))


class FirstDownBlock(nn.Module):
    """Images [N, in, H, W] -> [N, out, H/2, W/2]: a critic's first block, with no activation in front."""

    def __init__(self, cin: int, cout: int, *, wrap: Wrap = identity) -> None:
        super().__init__()
        self.convolution1 = wrap(convolution(cin, cout, 3))
        self.convolution2 = wrap(convolution(cout, cout, 3))
        self.shortcut = wrap(convolution(cin, cout, 1))

    def forward(self, x: Tensor) -> Tensor:
        y = self.convolution2(F.relu(self.convolution1(x)))
        return shrink(y) + self.shortcut(shrink(x))


def convolution(wide_in: int, wide_out: int, kernel: int) -> nn.Conv2d:
    """Return a convolution that keeps the size (kernel odd), initialised as said above."""
    layer = nn.Conv2d(wide_in, wide_out, kernel, padding=kernel // 2)
    nn.init.xavier_uniform_(layer.weight, gain=2**0.5 if kernel > 1 else 1.0)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer
