"""R3GAN's networks: Huang et al. 2024, arXiv:2501.05441, "Config E", as the authors' code has them.

Residual blocks of 1x1, grouped 3x3 and 1x1 convolutions without any norm. What keeps them stable is how
they start: weights shrink with the number of blocks, and each block's last convolution is 0 (Zhang et al.
2019, "Fixup initialization"), so that a new network is a linear map. At 32 px and width 96 the generator
has 527 136 parameters and the discriminator 521 088, at 256 px and 768 (the paper's) 23 057 952 and
23 009 568.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TypeVar

import torch
from torch import Tensor, nn

from figment.networks.layers.discriminator import FeatureDiscriminator
from figment.networks.layers.dropout import Dropout
from figment.networks.layers.head import Head
from figment.networks.layers.low_pass import Double, Halve

Layer = TypeVar("Layer", nn.Linear, nn.Conv2d)
BLOCKS = 2
"""Residual blocks at each resolution."""
GROUP = 16
"""Channels in a group of the 3x3 convolutions."""
EMBEDDED = 64
"""Numbers that a class becomes beside the latent."""


def widths(width: int, resolution: int) -> list[int]:
    """Return the channels of the maps of 4, 8, ..., R pixels: `width` up to 32, halved at each above."""
    sides = [1 << power for power in range(2, resolution.bit_length())]
    return [width // max(1, side // 32) for side in sides]


def plain(features: int) -> nn.Module:
    """Return the paper's head: [N, F] -> [N, 1]. Logits count by their differences: no bias."""
    return _normal(nn.Linear(features, 1, bias=False))


class Block(nn.Module):
    """[N, C, H, W] -> [N, C, H, W]: twice as wide inside, the 3x3 convolution in groups."""

    def __init__(self, width: int, blocks: int) -> None:
        super().__init__()
        wide, gain = 2 * width, (2 / 1.04) ** 0.5 * blocks**-0.25
        last = nn.Conv2d(wide, width, 1, bias=False)
        nn.init.zeros_(last.weight)
        self.layers = nn.Sequential(
            _normal(nn.Conv2d(width, wide, 1), gain),
            nn.LeakyReLU(0.2, inplace=True),
            _normal(nn.Conv2d(wide, wide, 3, padding=1, groups=wide // GROUP), gain),
            nn.LeakyReLU(0.2, inplace=True),
            last,
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


class Generator(nn.Module):
    """Latents [N, L], behind them one-hot classes [N, K] if there are any -> images [N, C, R, R].

    A learned 4x4 map is scaled, channel by channel, by a linear map of the latent; then blocks, and
    doublings between them. No tanh: images leave [-1, 1] a little. R is a power of two.
    """

    def __init__(
        self, *, latent: int, classes: int = 0, width: int, resolution: int, channels: int
    ) -> None:
        super().__init__()
        wide = widths(width, resolution)
        self.latent = latent
        self.embed = _normal(nn.Linear(classes, EMBEDDED, bias=False)) if classes else None
        given = latent + (EMBEDDED if classes else 0)
        self.scale = _normal(nn.Linear(given, wide[0], bias=False))
        self.basis = nn.Parameter(torch.randn(wide[0], 4, 4))
        self.layers = nn.Sequential(*_blocks(wide[0], len(wide)))
        for before, after in pairwise(wide):
            self.layers.extend([*_projected(before, after), Double(), *_blocks(after, len(wide))])
        self.layers.append(_normal(nn.Conv2d(wide[-1], channels, 1, bias=False)))

    def forward(self, z: Tensor) -> Tensor:
        if self.embed is not None:
            z = torch.cat([z[:, : self.latent], self.embed(z[:, self.latent :])], dim=1)
        scales = self.scale(z)[:, :, None, None]  # [N, C, 1, 1]
        return self.layers(self.basis * scales)  # [N, C, 4, 4] -> [N, C, R, R]


class Discriminator(FeatureDiscriminator):
    """Images [N, C, R, R], and labels [N] if its head is conditional -> logits [N]: the mirror image."""

    def __init__(
        self, *, width: int, resolution: int, channels: int, dropout: float, head: Head = plain
    ) -> None:
        super().__init__()
        wide = widths(width, resolution)[::-1]
        self.layers = nn.Sequential(_normal(nn.Conv2d(channels, wide[0], 1, bias=False)))
        for before, after in pairwise(wide):
            self.layers.extend([*_blocks(before, len(wide)), Halve(), *_projected(before, after)])
        last = nn.Conv2d(wide[-1], wide[-1], 4, groups=wide[-1], bias=False)
        self.layers.extend([*_blocks(wide[-1], len(wide)), _normal(last)])
        self.dropout = Dropout(dropout)
        self.head = head(wide[-1])

    def features(self, x: Tensor) -> Tensor:
        """Return a number a channel, [N, F], F the width at 4 px, before its dropout."""
        return self.layers(x).flatten(1)  # [N, F, 1, 1] -> [N, F]


def _blocks(width: int, maps: int) -> list[nn.Module]:
    """The blocks of one resolution in a network with so many."""
    return [Block(width, maps * BLOCKS) for _ in range(BLOCKS)]


def _projected(before: int, after: int) -> list[nn.Module]:
    """A 1x1 convolution where the width changes, none where it stays."""
    return [] if before == after else [_normal(nn.Conv2d(before, after, 1, bias=False))]


def _normal(layer: Layer, gain: float = 1.0) -> Layer:
    """The layer with weights from N(0, gain² / fan in) and its bias, if it has one, 0."""
    nn.init.normal_(layer.weight, std=gain * layer.weight[0].numel() ** -0.5)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
