"""The Cats study's GAN of fully connected networks (systems C1 to C4).

Two mirrored stacks of five linear layers, LeakyReLU(.2), dropout .3 in the discriminator only,
PyTorch's default initialisation, Adam with its default betas, the non-saturating loss and labels
smoothed on one side, trained on 64x64 cat faces: first in grey with learning rate 2e-5 for 30 passes,
then in colour with 2e-4 for 57, then with minibatch discrimination in the discriminator's last layer's
place: 256 kernels of 16. Numbers from the study and its authors' code; that code draws the kernels from
N(0, 1), at which nothing in a batch is near anything, here the first batch sets their scale. C4 is the
unrolled GAN that the study tried and that ran out of memory in its first pass, with the study's loss.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from figment.errors import UserError
from figment.gan import GAN
from figment.recipes import limits

if TYPE_CHECKING:
    from torch import nn

CATS = 13_217
"""Cat faces in one pass."""


@dataclass(frozen=True, kw_only=True)
class MLP(GAN):
    """GAN of fully connected networks."""

    batch: int = 100
    betas: tuple[float, float] = (0.9, 0.999)
    dropout: float = 0.3
    real_target: float = 0.9
    hidden: tuple[int, ...] = (256, 512, 1024, 2048)
    """Units of the generator's hidden layers; the discriminator has them in reverse."""

    def check(self) -> None:
        super().check()
        limits.layers(self, "hidden")
        if self.minibatch_discrimination and len(self.hidden) < 2:
            raise UserError("minibatch discrimination needs two hidden layers or more")

    def tiny(self) -> Self:
        return replace(super().tiny(), resolution=16, hidden=(8, 16))

    def build(self) -> nn.ModuleDict:
        from torch import nn

        from figment.networks.layers.head import activated, linear
        from figment.networks.mlp import Discriminator, Generator

        generator = Generator(latent=self.inputs, hidden=self.hidden, shape=self.shape)
        hidden, plain = self.hidden[::-1], linear
        if self.minibatch_discrimination:
            # The study's kernels stand in the last hidden layer's place, with its activation and dropout.
            hidden, plain = hidden[:-1], activated(self.dropout)
        discriminator = Discriminator(
            shape=(self.discriminator_channels, *self.shape[1:]),
            hidden=hidden,
            dropout=self.dropout,
            head=self.head(plain),
        )
        return nn.ModuleDict({"generator": generator, "discriminator": discriminator})


CATS_GREY = MLP(channels=1, generator_lr=2e-5, discriminator_lr=2e-5, images=30 * CATS)
CATS_COLOUR = MLP(channels=3, generator_lr=2e-4, discriminator_lr=2e-4, images=57 * CATS)
CATS_MINIBATCH = replace(CATS_COLOUR, minibatch_discrimination=256)
CATS_UNROLLED = replace(CATS_COLOUR, play="unrolled", unroll=5)
