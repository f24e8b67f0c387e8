"""R3GAN's networks: Huang et al. 2024, arXiv:2501.05441, "Config E", as the authors' code has them.

Residual blocks of 1x1, grouped 3x3 and 1x1 convolutions without any norm. What keeps them stable is how
they start: weights shrink with the number of blocks, and each block's last convolution is 0 (Zhang et al.
2019, "Fixup initialization"), so that a new network is a linear map. At 32 px and width 96 the generator
has 527 136 parameters and the discriminator 521 088, at 256 px and 768 (the paper's) 23 057 952 and
23 009 568.

Three numbers make them small enough for a processor, where maps of many pixels cost most: fewer blocks,
widths that are halved from smaller maps on, and a finest map that is smaller than the picture, which
then is reached by doubling and a 3x3 convolution, and read by a strided one.
"""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar, NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from figment.networks.layers.discriminator import FeatureDiscriminator
from figment.networks.layers.dropout import Dropout
from figment.networks.layers.head import Head
from figment.networks.layers.low_pass import Double, Halve

Layer = TypeVar("Layer", nn.Linear, nn.Conv2d)
EMBEDDED = 64
"""Numbers that a class becomes beside the latent."""


class Size(NamedTuple):
    """How large both networks are."""

    width: int
    """Channels of the maps of 4 to `widest` pixels, halved at every doubling above."""
    resolution: int
    channels: int
    """Of a picture."""
    blocks: int = 2
    """Residual blocks at each resolution."""
    widest: int = 32
    finest: int = 0
    """Pixels a side of the largest map that has blocks; 0: the picture's own."""
    group: int = 16
    """Channels in a group of the 3x3 convolutions."""

    @property
    def largest(self) -> int:
        """Pixels a side of the largest map with blocks."""
        return self.finest or self.resolution

    @property
    def widths(self) -> list[int]:
        """The channels of the maps of 4, 8, ... pixels up to the largest."""
        sides = [1 << power for power in range(2, self.largest.bit_length())]
        return [self.width // max(1, side // self.widest) for side in sides]


def plain(features: int) -> nn.Module:
    """Return the paper's head: [N, F] -> [N, 1]. Logits count by their differences: no bias."""
    return _normal(nn.Linear(features, 1, bias=False))


class Whole(nn.Conv2d):
    """[N, C, 4, 4] -> [N, C, 1, 1]: a depthwise convolution over the whole map, as a product.

    torch's second derivative of the convolution goes channel by channel.
    """

    def forward(self, input: Tensor) -> Tensor:
        return (input * self.weight[:, 0]).sum((2, 3), keepdim=True)


class ByClass(nn.Module):
    """Features [N, F] and labels [N] -> logits [N]: <a linear map of the features, the class's row>.

    What stands in the place of ``Projection`` in the authors' code: no logit without a class.
    """

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.linear = _normal(nn.Linear(features, features, bias=False))
        self.embedding = nn.Embedding(classes, features)
        nn.init.normal_(self.embedding.weight, std=classes**-0.5)
        self.scale = features**-0.5

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        return (self.linear(x) * self.embedding(labels) * self.scale).sum(1)


class Block(nn.Module):
    """[N, C, H, W] -> [N, C, H, W]: twice as wide inside, the 3x3 convolution in groups.

    ``blocks`` is how many the whole network has.
    """

    def __init__(self, width: int, blocks: int, group: int = 16) -> None:
        super().__init__()
        wide, gain = 2 * width, (2 / 1.04) ** 0.5 * blocks**-0.25
        last = nn.Conv2d(wide, width, 1, bias=False)
        nn.init.zeros_(last.weight)
        self.layers = nn.Sequential(
            _normal(nn.Conv2d(width, wide, 1), gain),
            nn.LeakyReLU(0.2, inplace=True),
            _normal(nn.Conv2d(wide, wide, 3, padding=1, groups=wide // group), gain),
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

    memory_format: ClassVar = torch.contiguous_format
    """Grouped convolutions on a processor are a third slower with channels last."""

    def __init__(self, size: Size, *, latent: int, classes: int = 0) -> None:
        super().__init__()
        wide = size.widths
        self.latent = latent
        self.embed = _normal(nn.Linear(classes, EMBEDDED, bias=False)) if classes else None
        given = latent + (EMBEDDED if classes else 0)
        self.scale = _normal(nn.Linear(given, wide[0], bias=False))
        self.basis = nn.Parameter(torch.randn(wide[0], 4, 4))
        self.layers = nn.Sequential(*_blocks(size, wide[0]))
        for before, after in pairwise(wide):
            self.layers.extend([*_projected(before, after), Double(), *_blocks(size, after)])
        self.layers.extend(_to_picture(wide[-1], size))

    def forward(self, z: Tensor) -> Tensor:
        if self.embed is not None:
            z = torch.cat([z[:, : self.latent], self.embed(z[:, self.latent :])], dim=1)
        scales = self.scale(z)[:, :, None, None]  # [N, C, 1, 1]
        return self.layers(self.basis * scales)  # [N, C, 4, 4] -> [N, C, R, R]


class Discriminator(FeatureDiscriminator):
    """Images [N, C, R, R], and labels [N] if its head is conditional -> logits [N]: the mirror image."""

    memory_format: ClassVar = torch.contiguous_format

    def __init__(self, size: Size, *, dropout: float, head: Head = plain) -> None:
        super().__init__()
        wide = size.widths[::-1]
        self.layers = nn.Sequential(_from_picture(wide[0], size))
        for before, after in pairwise(wide):
            self.layers.extend([*_blocks(size, before), Halve(), *_projected(before, after)])
        last = Whole(wide[-1], wide[-1], 4, groups=wide[-1], bias=False)
        self.layers.extend([*_blocks(size, wide[-1]), _normal(last)])
        self.dropout = Dropout(dropout)
        self.head = head(wide[-1])

    def features(self, x: Tensor) -> Tensor:
        """Return a number a channel, [N, F], F the width at 4 px, before its dropout."""
        return self.layers(x.contiguous()).flatten(1)  # [N, F, 1, 1] -> [N, F]


def _blocks(size: Size, width: int) -> list[nn.Module]:
    """The blocks of one resolution."""
    total = len(size.widths) * size.blocks
    return [Block(width, total, size.group) for _ in range(size.blocks)]


def _projected(before: int, after: int) -> list[nn.Module]:
    """A 1x1 convolution where the width changes, none where it stays."""
    return [] if before == after else [_normal(nn.Conv2d(before, after, 1, bias=False))]


def _to_picture(width: int, size: Size) -> list[nn.Module]:
    """A 1x1 convolution, or doublings and a 3x3 one where the largest map is smaller than the picture."""
    doublings = (size.resolution // size.largest).bit_length() - 1
    kernel = 3 if doublings else 1
    last = nn.Conv2d(width, size.channels, kernel, padding=kernel // 2, bias=False)
    return [*(Double() for _ in range(doublings)), _normal(last)]


def _from_picture(width: int, size: Size) -> nn.Module:
    """A 1x1 convolution, or one of overlapping patches where the largest map is smaller."""
    step = size.resolution // size.largest
    if step == 1:
        return _normal(nn.Conv2d(size.channels, width, 1, bias=False))
    return _normal(nn.Conv2d(size.channels, width, 2 * step, step, step // 2, bias=False))


def _normal(layer: Layer, gain: float = 1.0) -> Layer:
    """The layer with weights from N(0, gain² / fan in) and its bias, if it has one, 0."""
    nn.init.normal_(layer.weight, std=gain * layer.weight[0].numel() ** -0.5)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
