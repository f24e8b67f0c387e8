"""The Flowers study's networks: six stages of a WGAN-GP, from 28 to 128 pixels (systems W1 to W6).

The stages differ in how the generator's maps grow, which is what the study is about:

- ``unpadded`` (stages 1, 2): transposed convolutions without padding, to maps of 3, 6, 13 and 28 pixels;
- ``kernel3`` (3): 3x3 ones of stride 2, to 3, 7, 15, 31, and 64 by a last one of 4x4: their taps overlap
  unevenly, which leaves a checkerboard;
- ``kernel4`` (4): 4x4 ones with padding, to 4, 8, 16, 32, 64: even overlaps, a weaker grid;
- ``bilinear`` (5, 6): 3x3 convolutions, and up-sampling by two before every one or two of them: no grid.

At width 64 in colour, with latents of 64 numbers and two classes beside them, parameters are:

| stage | pixels | generator | critic |
|---|---|---|---|
| 1, no classes | 28 | 749 891 | 136 769 |
| 2 | 28 | 754 499 | 138 817 |
| 3 | 64 | 672 963 | 523 009 |
| 4 | 64 | 1 192 643 | 928 449 |
| 5 | 64 | 1 048 899 | 928 449 |
| 6 | 128 | 1 123 011 | 994 177 |

Further doublings, or fewer, add or leave out blocks next to the picture: stage 6 is stage 5 with one more.
The study leaves the critics' layers open; these end in exactly one number. Layers keep their bias although
batch norm follows, and are initialised as torch does it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from figment.networks.layers.conditional_sequential import ConditionalSequential
from figment.networks.layers.convolution import Convolution, TransposedConvolution
from figment.networks.layers.discriminator import FeatureDiscriminator
from figment.networks.layers.dropout import Dropout
from figment.networks.layers.head import Head, linear
from figment.networks.layers.resample import UpConvolution

Up = Literal["unpadded", "kernel3", "kernel4", "bilinear"]


class Generator(nn.Module):
    """Latents [N, L], and labels [N] if its norms are conditional -> images [N, C, R, R] in [-1, 1].

    Batch norm and ReLU after every convolution but the last, tanh there.
    """

    def __init__(self, *, latent: int, width: int, resolution: int, channels: int, up: Up) -> None:
        super().__init__()
        halvings = _halvings(resolution)
        if up == "bilinear":
            layers = _resampled(latent, _widths(width, (4, 2, 2), halvings + 1), channels)
        elif up == "unpadded":
            layers = _transposed(latent, _widths(width, (4, 2), halvings + 1), channels, up)
        else:
            layers = _transposed(latent, _widths(width, (4, 2, 2), halvings), channels, up)
        self.layers = ConditionalSequential(*layers)

    def forward(self, z: Tensor, *condition: Tensor) -> Tensor:
        maps = self.layers(z[:, :, None, None], *condition)  # [N, L, 1, 1] -> [N, C, R, R]
        return maps.tanh()


class Critic(FeatureDiscriminator):
    """Images [N, C, R, R] -> values [N]; more is more real.

    Convolutions of stride 2, batch norm and LeakyReLU(.2) after each, then one over the last map. They
    match the generator's `up`: 4x4 ones with padding, for ``unpadded`` without it, for ``kernel3`` 3x3
    ones without it.
    """

    def __init__(
        self,
        *,
        channels: int,
        width: int,
        resolution: int,
        up: Up,
        dropout: float,
        head: Head = linear,
    ) -> None:
        super().__init__()
        kernel = 3 if up == "kernel3" else 4
        padding = 1 if up in ("kernel4", "bilinear") else 0
        widest = (2,) if up == "unpadded" else (4, 2, 2)
        wide = _widths(width, widest, _halvings(resolution))[::-1]
        self.layers = nn.Sequential()
        for wide_in, wide_out in pairwise((channels, *wide)):
            if len(self.layers):
                self.layers.append(Dropout(dropout))
            self.layers.extend(
                [
                    Convolution(wide_in, wide_out, kernel, 2, padding),
                    nn.BatchNorm2d(wide_out),
                    nn.LeakyReLU(0.2, inplace=True),
                ]
            )
        self.side = kernel
        self.dropout = Dropout(dropout)
        self.head = head(wide[-1] * kernel**2)

    def features(self, x: Tensor) -> Tensor:
        """Return the last hidden layer [N, F] before its dropout."""
        maps = self.layers(x)  # [N, C, S, S]
        # Of 28 pixels the last map is 5x5, of which a 4x4 kernel of stride 2 reads 4x4.
        return maps[:, :, : self.side, : self.side].flatten(1)


def _halvings(resolution: int) -> int:
    """How often a picture is halved on the way to a map of 3x3, 4x4 or (of 28 pixels) 5x5."""
    return resolution.bit_length() - 3


def _widths(width: int, widest: tuple[int, ...], count: int) -> list[int]:
    """Channels of so many maps from the smallest on: ``widest`` times ``width``, then ``width``."""
    return [factor * width for factor in (*widest, *[1] * count)][:count]


def _transposed(latent: int, wide: list[int], channels: int, up: Up) -> list[nn.Module]:
    """Transposed convolutions from the latent over maps of ``wide`` channels to the picture."""
    further = len(wide) - 1
    # Kernel, stride and padding of each: they make maps of
    steps = {
        "unpadded": [(3, 2, 0), (4, 1, 0), *[(3, 2, 0)] * (further - 1), (4, 2, 0)],  # 3 6 13 28
        "kernel3": [(3, 2, 0), *[(3, 2, 0)] * further, (4, 2, 0)],  # 3 7 15 31 64
        "kernel4": [(4, 1, 0), *[(4, 2, 1)] * further, (4, 2, 1)],  # 4 8 16 32 64
    }[up]
    layers: list[nn.Module] = []
    for wide_in, wide_out, step in zip((latent, *wide), (*wide, channels), steps, strict=True):
        layers += [TransposedConvolution(wide_in, wide_out, *step), *_activated(wide_out)]
    return layers[:-2]


def _resampled(latent: int, wide: list[int], channels: int) -> list[nn.Module]:
    """Convolutions and bilinear up-sampling: one of them at 8 pixels, two at each size after that."""
    layers = [nn.Conv2d(latent, wide[0], 4, padding=3), *_activated(wide[0])]  # 1 -> 4 pixels
    for number, (wide_in, wide_out) in enumerate(pairwise(wide)):
        layers += [UpConvolution(wide_in, wide_out, mode="bilinear"), *_activated(wide_out)]
        if number:
            layers += [nn.Conv2d(wide_out, wide_out, 3, padding=1), *_activated(wide_out)]
    return [*layers, nn.Conv2d(wide[-1], channels, 3, padding=1)]


def _activated(width: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
