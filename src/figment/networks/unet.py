"""A small U-Net that is told a time: the velocity of flow matching.

Residual blocks of two 3x3 convolutions with group norm (Ho et al. 2020, arXiv:2006.11239, after Ronneberger
et al. 2015), on maps of R/2, R/4 and R/8 pixels: the first layer takes patches of 2x2 pixels and the last
one gives them, since on a CPU the maps as large as the picture would take most of the time. No dropout, no
attention, no batch norm.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDER = (1, 2, 4)
"""Channels of the three levels, over ``width``."""
PERIOD = 100.0
"""Longest wave of the time's embedding over the shortest: times are in [0, 1]."""


class UNet(nn.Module):
    """Images [N, C, R, R] at times [N] -> velocities [N, C, R, R]; R is a multiple of 8."""

    def __init__(self, *, width: int, channels: int) -> None:
        super().__init__()
        wide = [width * times for times in WIDER]
        told = 4 * width
        self.waves = 2 * width
        self.time = nn.Sequential(
            nn.Linear(2 * self.waves, told), nn.SiLU(), nn.Linear(told, told), nn.SiLU()
        )
        self.passed = nn.Linear(told, 4 * channels)
        self.first = nn.Conv2d(4 * channels, width, 3, 1, 1)
        self.down = nn.ModuleList(Block(each, each, told) for each in wide)
        self.halving = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1) for a, b in pairwise(wide))
        self.middle = Block(wide[-1], wide[-1], told)
        self.doubling = nn.ModuleList(nn.Conv2d(b, a, 3, 1, 1) for a, b in pairwise(wide))
        self.up = nn.ModuleList(Block(2 * each, each, told) for each in wide)
        self.last = nn.Sequential(
            nn.GroupNorm(groups(width), width), nn.SiLU(), nn.Conv2d(width, 4 * channels, 3, 1, 1)
        )

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        told = self.time(waves(t, self.waves).to(x.dtype))  # [N, 4 W]
        patches = F.pixel_unshuffle(x, 2)  # [N, C, R, R] -> [N, 4 C, R/2, R/2]
        # Its own noise is most of a velocity, and more numbers than a narrow network's maps can carry.
        own = self.passed(told)[:, :, None, None] * patches
        x = self.first(patches)  # [N, W, R/2, R/2]
        kept = []
        for level, block in enumerate(self.down):
            x = block(x if level == 0 else self.halving[level - 1](x), told)
            kept.append(x)
        x = self.middle(x, told)
        for level in (2, 1, 0):
            if level < 2:
                x = self.doubling[level](F.interpolate(x, scale_factor=2.0))
            x = self.up[level](torch.cat([x, kept[level]], 1), told)
        return F.pixel_shuffle(self.last(x) + own, 2)


class Block(nn.Module):
    """Maps [N, A, H, W] and what all are told [N, T] -> maps [N, B, H, W], a step away from themselves."""

    def __init__(self, before: int, after: int, told: int) -> None:
        super().__init__()
        self.norm, self.normed = (
            nn.GroupNorm(groups(before), before),
            nn.GroupNorm(groups(after), after),
        )
        self.one = nn.Conv2d(before, after, 3, 1, 1)
        self.two = nn.Conv2d(after, after, 3, 1, 1)
        self.told = nn.Linear(told, 2 * after)
        self.past = nn.Conv2d(before, after, 1) if before != after else nn.Identity()

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        gain, shift = self.told(told)[:, :, None, None].chunk(2, dim=1)  # [N, B, 1, 1] each
        inner = self.one(F.silu(self.norm(x)))
        inner = self.two(F.silu(self.normed(inner) * (1 + gain) + shift))
        return (self.past(x) + inner) / math.sqrt(2)


def waves(t: Tensor, count: int) -> Tensor:
    """Return sines and cosines of times [N] in [0, 1] at ``count`` wave lengths: [N, 2 count]."""
    rates = torch.logspace(0, 1, count, base=PERIOD, device=t.device) * math.pi / 2
    turns = t[:, None] * rates  # [N, count]
    return torch.cat([turns.sin(), turns.cos()], 1)


def groups(channels: int) -> int:
    """Return into how many groups a norm divides so many channels: up to 8, of 4 or more if it can.

    In a group of one channel the bias before it would do nothing.
    """
    fitting = (count for count in (8, 4, 2) if channels % count == 0 and channels >= 4 * count)
    return next(fitting, 1)
