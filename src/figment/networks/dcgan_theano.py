"""DCGAN's networks as its authors' own code has them for faces (Radford et al. 2015).

5x5 kernels, twice as wide as PyTorch's tutorial, linear layers next to the latent and the verdict, and
uniform latents. At 64 px and width 128: generator 18 885 760 parameters, discriminator 17 232 768.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from figment.networks.layers.conditional_sequential import ConditionalSequential
from figment.networks.layers.discriminator import FeatureDiscriminator
from figment.networks.layers.dropout import Dropout
from figment.networks.layers.head import Head
from figment.networks.layers.initial import normal
from figment.networks.layers.uniform import uniform_latents

EPS = 1e-8
"""What the authors' batch norm adds to a variance."""


def whole_map(features: int) -> nn.Module:
    """Return the head of the authors' code, a linear layer of the last map: [N, F] -> [N, 1]."""
    return nn.Linear(features, 1, bias=False).apply(normal(0.02))


class Generator(nn.Module):
    """Latents [N, L] from N(0, 1), made uniform on (-1, 1) -> images [N, C, R, R] in [-1, 1].

    A linear layer makes a 4x4 map, 5x5 transposed convolutions double it; batch norm and ReLU after all
    but the last, tanh there; no bias but batch norm's.
    """

    def __init__(self, *, latent: int, width: int, resolution: int, channels: int) -> None:
        super().__init__()
        wide = _widths(width, resolution)[::-1]
        self.layers = ConditionalSequential(
            nn.Linear(latent, wide[0] * 16, bias=False),
            nn.BatchNorm1d(wide[0] * 16, eps=EPS),
            nn.ReLU(inplace=True),
            nn.Unflatten(1, (wide[0], 4, 4)),
        )
        for wide_in, wide_out in pairwise(wide):
            self.layers.extend(
                [
                    nn.ConvTranspose2d(wide_in, wide_out, 5, 2, 2, 1, bias=False),
                    nn.BatchNorm2d(wide_out, eps=EPS),
                    nn.ReLU(inplace=True),
                ]
            )
        self.layers.append(nn.ConvTranspose2d(wide[-1], channels, 5, 2, 2, 1, bias=False))
        self.apply(_initialise)

    def forward(self, z: Tensor, *condition: Tensor) -> Tensor:
        return self.layers(uniform_latents(z, -1, 1), *condition).tanh()  # [N, C, R, R]


class Discriminator(FeatureDiscriminator):
    """Images [N, C, R, R] -> logits [N].

    5x5 convolutions halve the map down to 4x4, a linear layer judges it; batch norm on all but the
    first, LeakyReLU(.2) between; no bias but batch norm's.
    """

    def __init__(
        self,
        *,
        width: int,
        resolution: int,
        channels: int,
        dropout: float,
        head: Head = whole_map,
    ) -> None:
        super().__init__()
        wide = _widths(width, resolution)
        self.layers = nn.Sequential(
            nn.Conv2d(channels, wide[0], 5, 2, 2, bias=False),
            nn.LeakyReLU(0.2, inplace=True),
        )
        for wide_in, wide_out in pairwise(wide):
            self.layers.extend(
                [
                    Dropout(dropout),
                    nn.Conv2d(wide_in, wide_out, 5, 2, 2, bias=False),
                    nn.BatchNorm2d(wide_out, eps=EPS),
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


def _initialise(module: nn.Module) -> None:
    """Weights from N(0, .02), batch norm's gains from N(1, .02): the paper's section 4."""
    normal(0.02)(module)
    if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
