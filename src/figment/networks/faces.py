"""The Faces study's networks (2019, Keras): convolutions against fully connected layers.

At 64 px in colour: generator 16 850 691 parameters (16 859 139 with the moving statistics that Keras
counts), discriminator 6 423 553. Almost all of them sit in the two layers next to the latent and the
picture.
"""

from __future__ import annotations

from torch import Tensor, nn

from figment.networks import mlp
from figment.networks.layers.conditional_sequential import ConditionalSequential
from figment.networks.layers.head import Head, linear
from figment.networks.layers.initial import glorot
from figment.networks.layers.resample import UpConvolution

SLOPE = 0.2
"""Of LeakyReLU: the study prints none; this is what Keras GANs of its time have."""


class Generator(nn.Module):
    """Latents [N, L] -> images [N, C, R, R] in [-1, 1].

    A linear layer makes a map of 16 channels and R / 4 pixels a side; twice nearest-neighbour doubling
    and a 5x5 convolution, to 128 channels and to the picture; tanh last. LeakyReLU comes before batch
    norm, as the study prints it; batch norm and initialisation are Keras's. R is a multiple of 4.
    """

    def __init__(self, *, latent: int, resolution: int, channels: int) -> None:
        super().__init__()
        grid = resolution // 4
        self.layers = ConditionalSequential(
            nn.Linear(latent, 16 * grid * grid),
            nn.LeakyReLU(SLOPE),
            nn.BatchNorm1d(16 * grid * grid, eps=1e-3, momentum=0.01),
            nn.Unflatten(1, (16, grid, grid)),  # [N, 16, R/4, R/4]
            UpConvolution(16, 128, 5),
            nn.LeakyReLU(SLOPE),
            nn.BatchNorm2d(128, eps=1e-3, momentum=0.01),
            UpConvolution(128, channels, 5),
            nn.Tanh(),
        )
        self.apply(glorot)

    def forward(self, z: Tensor, *condition: Tensor) -> Tensor:
        return self.layers(z, *condition)  # [N, C, R, R]


class Discriminator(mlp.Discriminator):
    """Images [N, C, R, R] -> logits [N]: two hidden layers of 512 and 256 units with LeakyReLU."""

    def __init__(
        self, *, resolution: int, channels: int, dropout: float, head: Head = linear
    ) -> None:
        shape = (channels, resolution, resolution)
        super().__init__(shape=shape, hidden=(512, 256), dropout=dropout, head=head)
        self.apply(glorot)
