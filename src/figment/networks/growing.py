"""What grows: networks that hold all their stages, and how pictures of a stage lie in those of full size.

Karras et al. 2018, arXiv:1710.10196 (ProGAN), section 2 and appendix A. A *level* is how many times 4
pixels have been doubled; a fraction is the share α of the newest layers, which fade in. Pictures of a level
of side s keep the full size R: each of their pixels is a square of R / s. The discriminator picks one pixel
of each, so that its slope by the picture is its slope by the picture of s pixels (unless an augmentation
between the two resamples, which spreads it over each square).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from figment.networks.layers.discriminator import FeatureDiscriminator
from figment.networks.layers.dropout import Dropout
from figment.networks.layers.equalised import GAIN, Convolution, Linear
from figment.networks.layers.head import Head
from figment.networks.layers.low_pass import Soften
from figment.networks.layers.minibatch_stddev import with_spread
from figment.networks.layers.resample import enlarge, shrink


def widths(width: int, resolution: int) -> list[int]:
    """Return the channels of the maps of 4, 8, ..., R pixels: `width` up to 32, halved at each above."""
    sides = [1 << power for power in range(2, resolution.bit_length())]
    return [max(1, width // max(1, side // 32)) for side in sides]


def stage_of(level: float) -> tuple[int, float]:
    """Return the number of doublings that a level has begun, and the share α of the newest: (0, 1]."""
    stage = math.ceil(level)
    return stage, 1.0 - (stage - level)


def enlarged(x: Tensor, side: int) -> Tensor:
    """Return pictures [N, C, s, s] at R = ``side`` pixels, each pixel a square: [N, C, R, R]."""
    times = side // x.shape[-1]
    return x if times == 1 else F.interpolate(x, scale_factor=float(times), mode="nearest")


def seen_at(images: Tensor, level: float) -> Tensor:
    """Return pictures [N, C, R, R] as a level knows them, in the same size.

    Averaged down to its side; while layers fade in, α of that and 1 - α of what half of its side can show.
    """
    stage, share = stage_of(level)
    small = F.avg_pool2d(images, images.shape[-1] // (4 << stage))  # [N, C, s, s]
    if share < 1:
        small = enlarge(shrink(small)).lerp(small, share)
    return enlarged(small, images.shape[-1])


class Grown(nn.Module):
    """A network that is as far grown as its buffer ``level`` says, which is saved with the weights."""

    level: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("level", torch.zeros(()))
        self._settled: float | None = None

    def train(self, mode: bool = True) -> Self:
        """In evaluation the level stays what it is now: a graph for export must not read it anew."""
        super().train(mode)
        self._settled = None if mode or self.level.is_meta else float(self.level)
        return self

    @torch.no_grad()
    def grow(self, level: float) -> None:
        """Go to a level: done in every pass of a training, since a schedule says where it is."""
        self.level.fill_(level)

    def stage(self) -> tuple[int, float]:
        """Return the doublings begun and the share of the newest."""
        return stage_of(float(self.level) if self._settled is None else self._settled)


class Down(nn.Module):
    """[N, in, 2s, 2s] -> [N, out, s, s]: two convolutions, each with LeakyReLU(.2), and a mean of four.

    As in the authors' code ProGAN's mean comes last; StyleGAN's (``soft``), which blurs between the two,
    takes it before the second bias and LeakyReLU.
    """

    def __init__(self, wide_in: int, wide_out: int, *, soft: bool) -> None:
        super().__init__()
        self.same = Convolution(wide_in, wide_in, 3)
        self.wider = Convolution(wide_in, wide_out, 3)
        self.soft = Soften() if soft else None

    def forward(self, x: Tensor) -> Tensor:
        y = F.leaky_relu(self.same(x), 0.2)
        if self.soft is None:
            return shrink(F.leaky_relu(self.wider(y), 0.2))
        return F.leaky_relu(shrink(self.wider(self.soft(y))), 0.2)


class Discriminator(Grown, FeatureDiscriminator):
    """Images [N, C, R, R], and labels [N] if its head is conditional -> logits [N].

    Blocks halve maps to 4 px; the spread of four neighbours in the batch is set beside them, then a 3x3
    convolution and a linear layer make features. Width 512 is ProGAN's and StyleGAN's.
    """

    def __init__(
        self,
        *,
        width: int,
        resolution: int,
        channels: int,
        dropout: float,
        head: Head,
        soft: bool,
    ) -> None:
        super().__init__()
        wide = widths(width, resolution)
        self.first = nn.ModuleList(Convolution(channels, each, 1) for each in wide)
        self.blocks = nn.ModuleList(
            Down(after, before, soft=soft) for before, after in pairwise(wide)
        )
        self.last = Convolution(width + 1, width, 3)
        self.linear = Linear(width * 16, width, gain=GAIN)
        self.dropout = Dropout(dropout)
        self.head = head(width)

    def from_picture(self) -> Iterable[nn.Module]:
        """Return its parts as a picture of full size meets them, then the layers for smaller ones."""
        rest = [self.last, self.linear, self.head, *self.first[:-1]]
        return [self.first[-1], *reversed(self.blocks), *rest]

    def features(self, x: Tensor) -> Tensor:
        """Return features [N, F], F the width, before their dropout."""
        stage, share = self.stage()
        step = x.shape[-1] // (4 << stage)
        x = x[..., ::step, ::step]  # [N, C, s, s]
        y = F.leaky_relu(self.first[stage](x), 0.2)
        for number in range(stage, 0, -1):
            y = self.blocks[number - 1](y)
            if number == stage and share < 1:
                y = F.leaky_relu(self.first[stage - 1](shrink(x)), 0.2).lerp(y, share)
        y = F.leaky_relu(self.last(with_spread(y)), 0.2)  # [N, F, 4, 4]
        return F.leaky_relu(self.linear(y.flatten(1)), 0.2)
