"""DCGAN's networks (Radford et al. 2015), layer for layer as in PyTorch's tutorial.

At 64 px and width 64: generator 3 576 704 parameters, discriminator 2 765 568.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from figment.networks.layers.attention import SelfAttention
from figment.networks.layers.conditional_sequential import ConditionalSequential
from figment.networks.layers.convolution import Convolution, TransposedConvolution
from figment.networks.layers.discriminator import FeatureDiscriminator
from figment.networks.layers.dropout import Dropout
from figment.networks.layers.head import Head
from figment.networks.layers.initial import normal
from figment.networks.layers.resample import UpConvolution

Up = Literal["transposed", "nearest"]


def whole_map(features: int) -> nn.Module:
    """Return the head of the paper: a convolution over the whole last map, [N, F] -> [N, 1]."""
    return nn.Linear(features, 1, bias=False).apply(normal(0.02))


class Generator(nn.Module):
    """Latents [N, L], and labels [N] if its norms are conditional -> images [N, C, R, R] in [-1, 1].

    4x4 transposed convolutions: the first makes a 4x4 map, each further one doubles it; batch norm and
    ReLU after all but the last, tanh there. With `up` "nearest" maps are doubled by repeating pixels, and
    3x3 convolutions follow: no checkerboard. With `attend` self-attention looks at the map of so many
    pixels.
    """

    def __init__(
        self,
        *,
        latent: int,
        width: int,
        resolution: int,
        channels: int,
        attend: int = 0,
        up: Up = "transposed",
    ) -> None:
        super().__init__()
        wide = _widths(width, resolution)[::-1]
        first = TransposedConvolution(latent, wide[0], 4, bias=False)
        self.layers = ConditionalSequential(first, *_activated(wide[0]))
        side = 4
        for wide_in, wide_out in pairwise(wide):
            self.layers.extend([_doubled(wide_in, wide_out, up), *_activated(wide_out)])
            side *= 2
            if side == attend:
                self.layers.append(SelfAttention(wide_out))
        self.layers.append(_doubled(wide[-1], channels, up))
        self.apply(_initialise)

    def forward(self, z: Tensor, *condition: Tensor) -> Tensor:
        maps = self.layers(z[:, :, None, None], *condition)  # [N, L, 1, 1] -> [N, C, R, R]
        return maps.tanh()


class Discriminator(FeatureDiscriminator):
    """Images [N, C, R, R] -> logits [N].

    4x4 convolutions: each halves the map down to 4x4, the last makes it one number; batch norm on all
    but the first and the last, LeakyReLU(.2) between. With `attend` self-attention looks at the map of
    so many pixels.
    """

    def __init__(
        self,
        *,
        width: int,
        resolution: int,
        channels: int,
        dropout: float,
        attend: int = 0,
        head: Head = whole_map,
    ) -> None:
        super().__init__()
        wide = _widths(width, resolution)
        self.layers = nn.Sequential(
            Convolution(channels, wide[0], 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True)
        )
        side = resolution // 2
        for wide_in, wide_out in pairwise(wide):
            if side == attend:
                self.layers.append(SelfAttention(wide_in))
            side //= 2
            self.layers.extend(
                [
                    Dropout(dropout),
                    Convolution(wide_in, wide_out, 4, 2, 1, bias=False),
                    nn.BatchNorm2d(wide_out),
                    nn.LeakyReLU(0.2, inplace=True),
                ]
            )
        self.apply(_initialise)
        self.dropout = Dropout(dropout)
        self.head = head(wide[-1] * 16)

    def features(self, x: Tensor) -> Tensor:
        """Return the last hidden layer [N, F] before its dropout."""
        return self.layers(x).flatten(1)  # [N, C, 4, 4] -> [N, 16 C]


def _widths(width: int, resolution: int) -> list[int]:
    """Channels from the map next to the picture down to the 4x4 map."""
    maps = resolution.bit_length() - 3  # maps of R/2, R/4, ..., 4 pixels
    return [width << level for level in range(maps)]


def _doubled(wide_in: int, wide_out: int, up: Up) -> nn.Module:
    """Return the layer that makes maps of twice the size."""
    if up == "nearest":
        return UpConvolution(wide_in, wide_out, 3, bias=False)
    return TransposedConvolution(wide_in, wide_out, 4, 2, 1, bias=False)


def _activated(width: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(width), nn.ReLU(inplace=True)]


def _initialise(module: nn.Module) -> None:
    """Weights from N(0, .02), batch norm's gains from N(1, .02): the paper's section 4."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
