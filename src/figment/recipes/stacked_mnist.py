"""Small DCGAN-like networks for stacked MNIST (system K1): Metz et al. 2016, Lin et al. 2018.

Three digits as the colours of one picture make 1,000 modes that can be counted. The numbers are those of
PacGAN's replica of the unrolled paper's setting, with a discriminator half as wide as the generator, in
which modes are lost; what wider players keep is measured in docs/results/stacked-mnist.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from figment.errors import UserError
from figment.gan import GAN
from figment.recipes import limits

if TYPE_CHECKING:
    from torch import nn

ITERATIONS = 500_000
"""Rounds of the published runs."""


@dataclass(frozen=True, kw_only=True)
class StackedMNIST(GAN):
    """GAN of three strided 3x3 layers a player, for pictures of any size."""

    resolution: int = 28
    batch: int = 128
    images: int = 128 * ITERATIONS
    latent: int = 256
    generator_lr: float = 1e-4
    discriminator_lr: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.99)
    width: int = 8
    """Generator's channels next to the picture, doubled at every halving of the resolution."""
    discriminator_width: int = 4
    """The same of the discriminator; the unrolled paper takes 4 and 2."""

    def check(self) -> None:
        super().check()
        if self.resolution < 8:
            raise UserError(f"resolution must be 8 or more, not {self.resolution}: try 28")
        limits.at_least(self, 1, "width", "discriminator_width")
        limits.two_images(self)

    def nearest_resolution(self, side: int) -> int:
        return max(8, min(side, self.resolution))

    def tiny(self) -> Self:
        return replace(super().tiny(), resolution=16)

    def build(self) -> nn.ModuleDict:
        from torch import nn

        from figment.networks.layers.head import linear
        from figment.networks.stacked_mnist import Discriminator, Generator

        generator = Generator(
            latent=self.inputs,
            channels=self.channels,
            width=self.width,
            resolution=self.resolution,
        )
        discriminator = Discriminator(
            channels=self.discriminator_channels,
            width=self.discriminator_width,
            resolution=self.resolution,
            dropout=self.dropout,
            head=self.head(linear),
        )
        return nn.ModuleDict({"generator": generator, "discriminator": discriminator})


HALF = StackedMNIST()
"""The unrolled paper's D = 1/2, before any unrolling."""
