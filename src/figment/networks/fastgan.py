"""FastGAN's networks: Liu et al. 2021, arXiv:2101.04775, for few pictures.

The generator's small maps gate its large ones ("skip-layer excitation"), and every activation is a gated
linear unit. The discriminator has to keep enough of a real to draw it again: two decoders read its maps.

Against the paper: no noise inside the generator, so that a picture is a function of its latent; one
output, so that the discriminator's second look is at the picture of half the size, not at a second
picture; all maps end at 4x4 and are judged as one, not patch by patch; no batch norm in the
discriminator.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from figment.networks.layers.discriminator import FeatureDiscriminator
from figment.networks.layers.dropout import Dropout
from figment.networks.layers.head import Head
from figment.networks.layers.initial import normal
from figment.networks.stylegan2 import normalised

GENERATOR = {4: 16, 8: 8, 16: 4, 32: 2, 64: 2, 128: 1, 256: 1 / 2, 512: 1 / 4, 1024: 1 / 8}
"""Channels of the generator's maps by their side, in widths."""
DISCRIMINATOR = {4: 16, 8: 16, 16: 8, 32: 4, 64: 2, 128: 1, 256: 1 / 2, 512: 1 / 4, 1024: 1 / 8}
"""The same of the discriminator."""
DECODED = 8
"""Pixels a side of the maps that decoders read."""


def plain(features: int) -> nn.Module:
    """Return the head, a linear layer over both looks' last maps: [N, F] -> [N, 1]."""
    return nn.Linear(features, 1).apply(normal(0.02))


def leap(resolution: int) -> int:
    """Return how many times larger a map is than the one that gates it: 16, 8 at 32 px."""
    return min(16, resolution // 4)


class Up(nn.Sequential):
    """[N, in, H, W] -> [N, out, 2H, 2W]: repeated pixels, 3x3 convolution, batch norm, gated linear units.

    ``twice`` adds a convolution at the new size.
    """

    def __init__(self, wide_in: int, wide_out: int, *, twice: bool = False) -> None:
        super().__init__(nn.Upsample(scale_factor=2), *_gated(wide_in, wide_out))
        if twice:
            self.extend(_gated(wide_out, wide_out))


class Excitation(nn.Module):
    """A large map [N, C, H, W] and a small one [N, c, h, w] -> the large one, each channel times a gate.

    The gates, in (0, 1), are made of the small map's 4x4 means: section 3.1 of the paper.
    """

    def __init__(self, small: int, large: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.AdaptiveAvgPool2d(4),
            nn.Conv2d(small, large, 4, bias=False),
            nn.SiLU(inplace=True),
            nn.Conv2d(large, large, 1, bias=False),
            nn.Sigmoid(),
        )

    def gates(self, small: Tensor) -> Tensor:
        """Return the gates [N, C, 1, 1]."""
        return self.layers(small)

    def forward(self, large: Tensor, small: Tensor) -> Tensor:
        return large * self.gates(small)


class Generator(nn.Module):
    """Latents [N, L], behind them any one-hot classes [N, K] -> images [N, C, R, R] in [-1, 1].

    R is a power of two from 32 to 1024. Latents are scaled to a mean square of 1.
    """

    def __init__(
        self, *, latent: int, classes: int = 0, width: int, resolution: int, channels: int
    ) -> None:
        super().__init__()
        self.latent = latent
        sides = [1 << power for power in range(2, resolution.bit_length())]
        wide = {side: _wide(GENERATOR, side, width) for side in sides}
        first = nn.ConvTranspose2d(latent + classes, 2 * wide[4], 4, bias=False)
        self.start = nn.Sequential(first, nn.BatchNorm2d(2 * wide[4]), nn.GLU(1))
        self.ups = nn.ModuleDict()
        self.excitations = nn.ModuleDict()
        for number, (before, side) in enumerate(pairwise(sides)):
            self.ups[str(side)] = Up(wide[before], wide[side], twice=number % 2 == 0)
            gate = side // leap(resolution)
            if gate in wide:
                self.excitations[str(side)] = Excitation(wide[gate], wide[side])
        self.end = nn.Conv2d(wide[resolution], channels, 3, padding=1, bias=False)
        self.leap = leap(resolution)
        self.apply(normal(0.02))

    def forward(self, z: Tensor) -> Tensor:
        z = torch.cat([normalised(z[:, : self.latent]), z[:, self.latent :]], dim=1)
        x = self.start(z[:, :, None, None])  # [N, L, 1, 1] -> [N, F, 4, 4]
        maps = {4: x}
        for name, up in self.ups.items():
            x = up(x)
            if name in self.excitations:
                x = self.excitations[name](x, maps[int(name) // self.leap])
            maps[int(name)] = x
        return self.end(x).tanh()


class Down(nn.Module):
    """[N, in, H, W] -> [N, out, H/2, W/2]: the mean of two convolutions' and of a pooled 1x1 one's maps."""

    def __init__(self, wide_in: int, wide_out: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(wide_in, wide_out, 4, 2, 1, bias=False),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(wide_out, wide_out, 3, padding=1, bias=False),
            nn.LeakyReLU(0.2, inplace=True),
        )
        self.aside = nn.Sequential(
            nn.AvgPool2d(2),
            nn.Conv2d(wide_in, wide_out, 1, bias=False),
            nn.LeakyReLU(0.2, inplace=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        return (self.main(x) + self.aside(x)) / 2


class Decoder(nn.Sequential):
    """A map [N, F, 8, 8] -> a picture [N, C, S, S] in [-1, 1]."""

    def __init__(self, features: int, width: int, channels: int, side: int) -> None:
        super().__init__()
        steps = (side // DECODED).bit_length() - 1
        wide = [features, *(max(4, 2 * width >> step) for step in range(steps))]
        for before, after in pairwise(wide):
            self.append(Up(before, after))
        self.extend([nn.Conv2d(wide[-1], channels, 3, padding=1, bias=False), nn.Tanh()])


class Discriminator(FeatureDiscriminator):
    """Images [N, C, R, R], and labels [N] if its head is conditional -> logits [N].

    Two looks, at the picture and at the picture of half the size, both down to 4x4. ``decode`` draws the
    picture again, which is asked of it for reals.
    """

    def __init__(
        self, *, width: int, resolution: int, channels: int, dropout: float, head: Head = plain
    ) -> None:
        super().__init__()
        sides = [1 << power for power in range(2, resolution.bit_length() - 1)][::-1]  # R/2 ... 4
        wide = [_wide(DISCRIMINATOR, side, width) for side in sides]
        self.first = nn.Sequential(
            nn.Conv2d(channels, wide[0], 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True)
        )
        self.downs = nn.ModuleList(Down(a, b) for a, b in pairwise(wide))
        self.small = nn.Sequential(nn.AvgPool2d(2))
        for before, after in pairwise([channels, *wide[1:]]):
            layer = nn.Conv2d(before, after, 4, 2, 1, bias=False)
            self.small.extend([layer, nn.LeakyReLU(0.2, inplace=True)])
        decoded = dict(zip(sides, wide, strict=True))
        size = {"width": width, "channels": channels, "side": resolution // 2}
        self.whole = Decoder(decoded[DECODED], **size)
        self.quarter = Decoder(decoded[2 * DECODED], **size)
        self.dropout = Dropout(dropout)
        self.apply(normal(0.02))
        self.head = head(2 * 16 * wide[-1])

    def maps(self, x: Tensor) -> list[Tensor]:
        """Return the maps of R/2, R/4, ..., 4 pixels."""
        found = [self.first(x)]
        for down in self.downs:
            found.append(down(found[-1]))
        return found

    def features(self, x: Tensor) -> Tensor:
        """Return the last maps of both looks, [N, F], before their dropout."""
        return torch.cat([self.maps(x)[-1].flatten(1), self.small(x).flatten(1)], dim=1)

    def decode(self, x: Tensor, corner: Tensor) -> Tensor:
        """Return how far images [N, C, R, R] are from what the decoders draw: [N].

        The mean distance of pixels, of the whole at half the size and of a quarter of it: 0 to 3 are the
        ``corner`` [N] that it lies in.
        """
        maps = {each.shape[2]: each for each in self.maps(x)}
        drawn = self.whole(maps[DECODED])
        part = self.quarter(quarters(maps[2 * DECODED], corner))
        far = (drawn - F.avg_pool2d(x, 2)).abs() + (part - quarters(x, corner)).abs()
        return far.flatten(1).mean(1)


def quarters(x: Tensor, corner: Tensor) -> Tensor:
    """Return the quarter of each map [N, C, H, W] in its ``corner`` [N], 0 to 3: [N, C, H/2, W/2]."""
    n, c, h, w = x.shape
    parts = x.reshape(n, c, 2, h // 2, 2, w // 2).permute(0, 2, 4, 1, 3, 5).flatten(1, 2)
    return parts[torch.arange(n, device=x.device), corner]  # of [N, 4, C, H/2, W/2]


def _wide(table: dict[int, float], side: int, width: int) -> int:
    """The channels of maps of ``side`` pixels, at least four."""
    return max(4, int(table[side] * width))


def _gated(wide_in: int, wide_out: int) -> list[nn.Module]:
    convolution = nn.Conv2d(wide_in, 2 * wide_out, 3, padding=1, bias=False)
    return [convolution, nn.BatchNorm2d(2 * wide_out), nn.GLU(1)]
