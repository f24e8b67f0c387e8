"""The residual networks of WGAN-GP (Gulrajani et al. 2017) and SNGAN (Miyato et al. 2018).

At 32 px in colour with 128 latents: WGAN-GP's generator, width 128, has 1 204 483 parameters and SNGAN's,
width 256, 4 276 739; both discriminators, width 128, have 1 053 825, a head for ten classes beside it
1 290. (SNGAN's own code leaves out the last linear layer's bias.) Each doubling of the resolution adds
one block to either player.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from figment.networks.layers.dropout import Dropout
from figment.networks.layers.head import Head
from figment.networks.layers.initial import glorot
from figment.networks.layers.judge import Judge
from figment.networks.layers.residual import DownBlock, FirstDownBlock, UpBlock
from figment.networks.layers.wrapping import Wrap, identity

Make = Callable[[int], nn.Module]
"""Makes a layer for so many channels."""


def mean_pool(x: Tensor) -> Tensor:
    """Return the mean of each map [N, C]: WGAN-GP's."""
    return x.mean((2, 3))


def sum_pool(x: Tensor) -> Tensor:
    """Return the sum of each map [N, C]: SNGAN's."""
    return x.sum((2, 3))


class Generator(nn.Module):
    """Latents [N, L] -> images [N, C, R, R] in [-1, 1].

    A linear layer makes a 4x4 map, a block each doubles it; batch norm, ReLU, a 3x3 convolution, tanh.
    `norm` makes the blocks' norms; those that are conditional are given what follows the latents in a
    call, such as labels [N]. `attention` makes a layer for the map of R / 2 pixels. `wrap` goes around
    all convolutions and the linear layer. R is a power of two, 8 or more.
    """

    def __init__(
        self,
        *,
        latent: int,
        width: int,
        resolution: int,
        channels: int,
        norm: Make = nn.BatchNorm2d,
        attention: Make | None = None,
        wrap: Wrap = identity,
    ) -> None:
        super().__init__()
        self.width, self.attend_at = width, resolution // 2
        self.start = wrap(_started(nn.Linear(latent, width * 16)))
        self.blocks = nn.ModuleList(
            UpBlock(width, width, norm=norm, up=True, wrap=wrap)
            for _ in range(_doublings(resolution))
        )
        self.attention = attention(width) if attention else None
        self.norm = nn.BatchNorm2d(width)
        self.activation = nn.ReLU(inplace=True)
        self.to_image = wrap(_started(nn.Conv2d(width, channels, 3, padding=1)))

    def forward(self, z: Tensor, *condition: Tensor) -> Tensor:
        x = self.start(z).unflatten(1, (self.width, 4, 4))
        for block in self.blocks:
            x = block(x, *condition)
            if self.attention and x.shape[2] == self.attend_at:
                x = self.attention(x)
        return self.to_image(self.activation(self.norm(x))).tanh()  # [N, C, R, R]


class Discriminator(Judge):
    """Images [N, C, R, R], and labels [N] if its head is conditional -> logits [N].

    Blocks halve the map to 8 pixels, two more keep its size; ReLU, and `pool` makes features of it. No
    norm, so that a gradient penalty is one image's own. `wrap` goes around every layer with weights:
    spectral norm for SNGAN. `head` judges the features: one linear layer without it, `Projection` for
    labels. `attention` makes a layer for the map of R / 2 pixels. R is a power of two, 16 or more.
    """

    def __init__(
        self,
        *,
        width: int,
        resolution: int,
        channels: int,
        pool: Callable[[Tensor], Tensor],
        dropout: float,
        attention: Make | None = None,
        wrap: Wrap = identity,
        head: Head | None = None,
    ) -> None:
        super().__init__()
        downs = _doublings(resolution) - 2
        self.first = FirstDownBlock(channels, width, wrap=wrap)
        self.attention = attention(width) if attention else nn.Identity()
        self.blocks = nn.Sequential(
            *(DownBlock(width, width, down=True, wrap=wrap) for _ in range(downs)),
            *(DownBlock(width, width, down=False, wrap=wrap) for _ in range(2)),
        )
        self.activation, self.pool = nn.ReLU(inplace=True), pool
        self.dropout = Dropout(dropout)
        self.head = head(width) if head else wrap(_started(nn.Linear(width, 1)))

    def features(self, x: Tensor) -> Tensor:
        """Return the pooled features [N, F], F the width, before their dropout."""
        x = self.blocks(self.attention(self.first(x)))  # [N, F, 8, 8]
        return self.pool(self.activation(x))


def _doublings(resolution: int) -> int:
    """Doublings from 4 pixels to `resolution`."""
    return resolution.bit_length() - 3


def _started(layer: nn.Module) -> nn.Module:
    """The layer with both papers' initial weights, which must be there before it is wrapped."""
    return layer.apply(glorot)
