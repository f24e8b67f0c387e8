"""The Flowers study's WGAN-GP, stage by stage from 28 to 128 pixels (systems W1 to W6).

The study fixes the networks of its six stages and little else. The rest is WGAN-GP's (Gulrajani et al.
2017, arXiv:1704.00028): five critic moves a round, batches of 64, a penalty of weight 10 on the gradient
for the image, which is taken before the maps of its class are put beside it, between a real and a fake of
one class. Adam's decay rates are (.5, .9), those of the authors' code for networks without residual
blocks; its rate is DCGAN's 2e-4, twice theirs, for runs shorter than their 200,000 rounds. Lengths are
those of the study's published weights: 5,000 passes over 900 photographs, 3,500 at 128 pixels. Reals are
turned, flipped and transposed as in the study (``--augment study``), so that samples are, too.

**The critic's norm.** The study puts batch norm into the critic. A value then depends on the whole batch,
and the penalty no longer bounds the slope at each image (Gulrajani et al. 2017, section 4). Here layer
norm stands in its place, with as many parameters. ``--discriminator-norm batch`` has it as in the study;
``none`` and ``instance`` are the others that treat an image by itself.

**Truncation.** The study draws its samples with latents cut off at .01, at 1.5 and not at all, without
rescaling: a number's deviation is then .005773, .742647 and 1. It finds near copies at .01 and takes 1.5
as the compromise between variety and failures: ``figment sample RUN --truncation 1.5``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Self

from figment.errors import UserError
from figment.gan import GAN
from figment.recipes import limits
from figment.techniques.augmentation import Augment

if TYPE_CHECKING:
    from torch import nn

PHOTOGRAPHS = 900
"""Pictures in one pass over the study's data: 450 dandelions, 450 marigolds."""


@dataclass(frozen=True, kw_only=True)
class Flowers(GAN):
    """GAN of the Flowers study's networks."""

    latent: int = 64
    augment: Augment = "study"
    images: int = 5_000 * PHOTOGRAPHS
    width: int = 64
    """Channels next to the picture; the smallest maps have four times as many."""
    up: Literal["unpadded", "kernel3", "kernel4", "bilinear"] = "bilinear"
    """How the generator doubles maps: by one of three transposed convolutions, or by up-sampling."""

    def check(self) -> None:
        super().check()
        sides = self._resolutions()
        if self.resolution not in sides:
            listed = f"{', '.join(map(str, sides[:-1]))} or {sides[-1]}"
            raise UserError(
                f"resolution must be {listed}, not {self.resolution}: "
                f"try {self._at_most(self.resolution)}"
            )
        limits.at_least(self, 1, "width")
        limits.two_images(self)

    def nearest_resolution(self, side: int) -> int:
        return self._at_most(min(side, self.resolution))

    def tiny(self) -> Self:
        return replace(super().tiny(), resolution=self._resolutions()[0], width=4)

    def _resolutions(self) -> list[int]:
        """Sides that the networks can learn: a stage's own, its halves and doubles."""
        smallest = 28 if self.up == "unpadded" else 16
        return [smallest << doublings for doublings in range(7)]

    def _at_most(self, side: int) -> int:
        """The largest of them that is no larger than ``side``, or else the smallest."""
        sides = self._resolutions()
        return max([sides[0], *(each for each in sides if each <= side)])

    def build(self) -> nn.ModuleDict:
        from torch import nn

        from figment.networks.flowers import Critic, Generator
        from figment.networks.layers.head import linear

        generator = Generator(
            latent=self.inputs,
            width=self.width,
            resolution=self.resolution,
            channels=self.channels,
            up=self.up,
        )
        critic = Critic(
            channels=self.discriminator_channels,
            width=self.width,
            resolution=self.resolution,
            up=self.up,
            dropout=self.dropout,
            head=self.head(linear),
        )
        return nn.ModuleDict({"generator": generator, "discriminator": critic})


STAGE_1 = Flowers(
    up="unpadded",
    resolution=28,
    objective="wasserstein",
    gradient_penalty=10.0,
    discriminator_moves=5,
    discriminator_norm="layer",
    betas=(0.5, 0.9),
)
"""WGAN-GP_28, without classes."""
STAGE_2 = replace(STAGE_1, conditioning="concat")
"""CWGAN-GP_28: the class as numbers beside the latent, as maps beside the image."""
STAGE_3 = replace(STAGE_2, up="kernel3", resolution=64)
"""CWGAN-GP_64 with a checkerboard."""
STAGE_4 = replace(STAGE_3, up="kernel4")
"""The same with a weaker grid."""
STAGE_5 = replace(STAGE_3, up="bilinear")
"""The same without one."""
STAGE_6 = replace(STAGE_5, resolution=128, images=3_500 * PHOTOGRAPHS)
"""CWGAN-GP_128."""
