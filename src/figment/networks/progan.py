"""ProGAN's generator: Karras et al. 2018, arXiv:1710.10196, tables 2 and 6.

Its maps are normalised at each pixel, its layers equalised; every size has a layer that makes a picture, so
all stages are there from the start. Width 512 at 1024 px is the paper's: 23 079 115 parameters, against
23 087 249 of the discriminator (``figment.networks.growing``).
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from figment.networks.growing import Grown, enlarged, widths
from figment.networks.layers.equalised import GAIN, Convolution, Linear, normalised
from figment.networks.layers.resample import doubling, enlarge


class Up(nn.Module):
    """[N, in, s, s] -> [N, out, 2s, 2s]: pixels repeated, two convolutions."""

    def __init__(self, wide_in: int, wide_out: int) -> None:
        super().__init__()
        self.up = Convolution(wide_in, wide_out, 3)
        self.same = Convolution(wide_out, wide_out, 3)

    def forward(self, x: Tensor) -> Tensor:
        return activated(self.same(activated(repeated(x, self.up))))


class Generator(Grown):
    """Latents [N, L], behind them one-hot classes if there are any -> images [N, C, R, R], without tanh."""

    def __init__(self, *, inputs: int, width: int, resolution: int, channels: int) -> None:
        super().__init__()
        self.side = resolution
        wide = widths(width, resolution)
        self.dense = Linear(inputs, width * 16, gain=GAIN / 4, bias=False)
        self.bias = nn.Parameter(torch.zeros(width))
        self.same = Convolution(width, width, 3)
        self.blocks = nn.ModuleList(Up(before, after) for before, after in pairwise(wide))
        self.pictures = nn.ModuleList(Convolution(each, channels, 1, gain=1.0) for each in wide)

    def forward(self, z: Tensor) -> Tensor:
        stage, share = self.stage()
        x = self.dense(normalised(z)).unflatten(1, (-1, 4, 4))  # [N, 16 F] -> [N, F, 4, 4]
        x = activated(self.same(activated(x + self.bias[:, None, None])))
        before = x
        for block in self.blocks[:stage]:
            before, x = x, block(x)
        image = self.pictures[stage](x)
        if share < 1:
            image = enlarge(self.pictures[stage - 1](before)).lerp(image, share)
        return enlarged(image, self.side)


def activated(x: Tensor) -> Tensor:
    """Return LeakyReLU(.2) of maps, then normalised at each pixel."""
    return normalised(F.leaky_relu(x, 0.2))


def repeated(x: Tensor, layer: Convolution) -> Tensor:
    """Return ``layer(enlarge(x))``, computed at once (see ``layers.resample``)."""
    return F.conv_transpose2d(x, doubling(layer.weight * layer.scale), layer.bias, 2, 1)
