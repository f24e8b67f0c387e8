"""The residual networks of WGAN-GP (Gulrajani et al. 2017) and SNGAN (Miyato et al. 2018).

At 32 px in colour with 128 latents: WGAN-GP's generator, width 128, has 1 204 483 parameters and SNGAN's,
width 256, 4 276 739; both discriminators, width 128, have 1 053 825, a classifier of ten classes beside
the head 1 290. (SNGAN's own code leaves out the last linear layer's bias.) Each doubling of the
resolution adds one block to either player.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from figment.networks.layers.attention import SelfAttention
from figment.networks.layers.conditional_sequential import ConditionalSequential
from figment.networks.layers.discriminator import FeatureDiscriminator
from figment.networks.layers.dropout import Dropout
from figment.networks.layers.head import Head
from figment.networks.layers.initial import glorot
from figment.networks.layers.residual import DownBlock, FirstDownBlock, UpBlock


def mean_pool(x: Tensor) -> Tensor:
    """Return the mean of each map [N, C]: WGAN-GP's."""
    return x.mean((2, 3))


def sum_pool(x: Tensor) -> Tensor:
    """Return the sum of each map [N, C]: SNGAN's."""
    return x.sum((2, 3))


def plain(features: int) -> nn.Module:
    """Return the papers' head, a linear layer with their initial weights: [N, F] -> [N, 1]."""
    return nn.Linear(features, 1).apply(glorot)


class Generator(nn.Module):
    """Latents [N, L], and labels [N] if its norms are conditional -> images [N, C, R, R] in [-1, 1].

    A linear layer makes a 4x4 map, a block each doubles it; batch norm, ReLU, a 3x3 convolution, tanh.
    The blocks' norms may be given labels, the last one is not (Miyato & Koyama 2018). With `attend`
    self-attention looks at the map of so many pixels. R is a power of two, 8 or more.
    """

    def __init__(
        self, *, latent: int, width: int, resolution: int, channels: int, attend: int = 0
    ) -> None:
        super().__init__()
        self.start = nn.Sequential(
            nn.Linear(latent, width * 16).apply(glorot), nn.Unflatten(1, (width, 4, 4))
        )
        self.blocks = ConditionalSequential()
        for side in _sides(8, resolution):
            self.blocks.append(UpBlock(width, width, norm=nn.BatchNorm2d, up=True))
            if side == attend:
                self.blocks.append(SelfAttention(width))
        self.end = nn.Sequential(
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, channels, 3, padding=1).apply(glorot),
            nn.Tanh(),
        )

    def forward(self, z: Tensor, *condition: Tensor) -> Tensor:
        return self.end(self.blocks(self.start(z), *condition))  # [N, C, R, R]


class Discriminator(FeatureDiscriminator):
    """Images [N, C, R, R], and labels [N] if its head is conditional -> logits [N].

    Blocks halve the map to 8 pixels, two more keep its size; ReLU, and `pool` makes features of it. No
    norm, so that a gradient penalty is one image's own. `head` judges the features: one linear layer
    without it, `Projection` for labels. With `attend` self-attention looks at the map of so many
    pixels. R is a power of two, 16 or more.
    """

    def __init__(
        self,
        *,
        width: int,
        resolution: int,
        channels: int,
        pool: Callable[[Tensor], Tensor],
        dropout: float,
        attend: int = 0,
        head: Head = plain,
    ) -> None:
        super().__init__()
        self.layers = nn.Sequential()
        for side in reversed(_sides(8, resolution // 2)):
            down = DownBlock(width, width, down=True)
            self.layers.append(down if len(self.layers) else FirstDownBlock(channels, width))
            if side == attend:
                self.layers.append(SelfAttention(width))
        self.layers.extend([DownBlock(width, width, down=False) for _ in range(2)])
        self.layers.append(nn.ReLU(inplace=True))
        self.pool, self.dropout = pool, Dropout(dropout)
        self.head = head(width)

    def features(self, x: Tensor) -> Tensor:
        """Return the pooled features [N, F], F the width, before their dropout."""
        return self.pool(self.layers(x))  # [N, F, 8, 8] -> [N, F]


def _sides(least: int, most: int) -> list[int]:
    """Sides of the maps, each twice the one before."""
    return [1 << power for power in range(least.bit_length() - 1, most.bit_length())]
