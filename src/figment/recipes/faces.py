"""The Faces study's GAN (system F1): a convolutional generator against fully connected layers.

Layer for layer as the study prints it from Keras, latent 4,096 (its parameter counts say so, whatever its
text says). It trained on 128 real and 128 generated CelebA faces a round, labels 1 and 0, the
generator on labels 1: six passes over some 200,000 pictures. Its optimiser is not told; the rates here
are those of the Keras examples of its time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from figment.gan import GAN
from figment.recipes import limits

if TYPE_CHECKING:
    from torch import nn

ROUNDS = 791
"""Rounds of one pass, by the counter that the study prints."""


@dataclass(frozen=True, kw_only=True)
class Faces(GAN):
    """GAN of an up-sampling generator and a fully connected discriminator."""

    batch: int = 128
    images: int = 6 * ROUNDS * 128
    latent: int = 4096

    def check(self) -> None:
        super().check()
        limits.multiple_of(self, 4, 8)
        limits.two_images(self)

    def nearest_resolution(self, side: int) -> int:
        return max(8, min(side, self.resolution) // 4 * 4)

    def tiny(self) -> Self:
        return replace(super().tiny(), resolution=16)

    def build(self) -> nn.ModuleDict:
        from torch import nn

        from figment.networks.faces import Discriminator, Generator
        from figment.networks.layers.head import linear

        generator = Generator(
            latent=self.inputs, resolution=self.resolution, channels=self.channels
        )
        discriminator = Discriminator(
            resolution=self.resolution,
            channels=self.discriminator_channels,
            dropout=self.dropout,
            head=self.head(linear),
        )
        return nn.ModuleDict({"generator": generator, "discriminator": discriminator})


FACES = Faces()
