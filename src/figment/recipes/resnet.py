"""Residual GANs: WGAN-GP's and SNGAN's for CIFAR-10, with attention, with classes.

Networks and numbers are those of the papers' own code:

- WGAN-GP, Gulrajani et al. 2017, arXiv:1704.00028, and its run with classes, an AC-GAN (Odena et al. 2017);
- SNGAN, Miyato et al. 2018, arXiv:1802.05957, and its projection discriminator, Miyato & Koyama 2018,
  arXiv:1802.05637;
- SAGAN, Zhang et al. 2019, arXiv:1805.08318, whose training is played here on the networks above: at 64 px
  instead of 128, equally wide in all blocks, and without classes unless ``conditioning`` asks for them.

Rates fall to 0 in a straight line where the papers' do. Both WGAN-GP and SNGAN take batches of 64, and
of 128 for the generator's moves: here these are of 64, too. WGAN-GP's classifier learns from reals
alone, this one from fakes as well, as the AC-GAN's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from figment.gan import GAN
from figment.recipe import Sizes
from figment.recipes import limits

if TYPE_CHECKING:
    from torch import nn

    from figment.data import Look

SHOWN = 5 * 64
"""Images shown in a round of five critic moves."""


@dataclass(frozen=True, kw_only=True)
class ResNet(GAN):
    """GAN of residual blocks, equally wide at all resolutions."""

    SMALLER: ClassVar[Sizes] = (
        {"width": 128, "discriminator_width": 64, "batch": 32},
        {"width": 64, "discriminator_width": 32, "batch": 32},
    )

    resolution: int = 32
    latent: int = 128
    discriminator_moves: int = 5
    betas: tuple[float, float] = (0.0, 0.9)
    width: int = 256
    """Channels of the generator's blocks."""
    discriminator_width: int = 128
    """The same of the discriminator."""
    pool: Literal["sum", "mean"] = "sum"
    """What makes a feature of the discriminator's last map."""
    attend: int = 0
    """Pixels a side of the map that both networks look at with self-attention; 0: none."""

    def check(self) -> None:
        super().check()
        limits.power_of_two(self, 16)
        limits.at_least(self, 1, "width", "discriminator_width")
        maps = [1 << power for power in range(3, self.resolution.bit_length() - 1)]
        limits.attention_map(self, maps)
        limits.two_images(self)

    def fit_to(self, look: Look, pinned: frozenset[str] = frozenset()) -> Self:
        fitted = super().fit_to(look, pinned)
        if "attend" in pinned:
            return fitted
        return replace(fitted, attend=min(self.attend, fitted.resolution // 2))

    def nearest_resolution(self, side: int) -> int:
        return limits.power_below(min(side, self.resolution), 16)

    def tiny(self) -> Self:
        small = replace(super().tiny(), resolution=16, width=4, discriminator_width=4)
        return replace(small, attend=8 if self.attend else 0)

    def build(self) -> nn.ModuleDict:
        from torch import nn

        return nn.ModuleDict(
            {"generator": self.new_generator(), "discriminator": self.new_discriminator()}
        )

    def new_generator(self) -> nn.Module:
        """Return the generator as it is before fields change layers of it."""
        from figment.networks.resnet import Generator

        return Generator(
            latent=self.inputs,
            width=self.width,
            resolution=self.resolution,
            channels=self.channels,
            attend=self.attend,
        )

    def new_discriminator(self) -> nn.Module:
        """Return the discriminator likewise."""
        from figment.networks.resnet import Discriminator, mean_pool, plain, sum_pool

        return Discriminator(
            width=self.discriminator_width,
            resolution=self.resolution,
            channels=self.discriminator_channels,
            pool=sum_pool if self.pool == "sum" else mean_pool,
            dropout=self.dropout,
            attend=self.attend,
            head=self.head(plain),
        )


WGAN_GP = ResNet(
    width=128,
    pool="mean",
    objective="wasserstein",
    gradient_penalty=10.0,
    images=100_000 * SHOWN,
    rate_decay=1.0,
)
ACGAN = replace(WGAN_GP, conditioning="classifier", class_norm=True, class_loss_generator=0.1)
SNGAN = ResNet(
    objective="hinge",
    spectral_norm="discriminator",
    images=50_000 * SHOWN,
    rate_decay=1.0,
)
PROJECTION = replace(SNGAN, conditioning="projection", class_norm=True)
SAGAN = ResNet(
    resolution=64,
    attend=32,
    objective="hinge",
    spectral_norm="both",
    discriminator_moves=1,
    batch=256,
    generator_lr=1e-4,
    discriminator_lr=4e-4,
    images=1_000_000 * 256,
)
