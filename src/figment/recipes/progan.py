"""ProGAN: Karras et al. 2018, arXiv:1710.10196: WGAN-GP on networks that grow from 4 pixels.

Width and latent are an eighth and a quarter of the paper's, for one small machine, batches 16 and rates
twice the paper's, for few rounds; ``PAPER`` has its own, for any size by ``--resolution``. Against the
authors' code: one batch for all stages, the optimisers keep their moments at a doubling (new layers begin
with none), and the discriminator compares neighbours in the batch, not every so manieth.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from figment.objectives import Name
from figment.recipes.growing import Growing

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class ProGAN(Growing):
    """WGAN-GP whose networks grow from 4 pixels to the full size."""

    latent: int = 128
    objective: Name = "wasserstein"
    gradient_penalty: float = 10.0
    drift: float = 1e-3
    generator_lr: float = 1e-3
    discriminator_lr: float = 1e-3
    betas: tuple[float, float] = (0.0, 0.99)

    def tiny(self) -> Self:
        return replace(super().tiny(), resolution=16, width=4, stage_images=12)

    def build(self) -> nn.ModuleDict:
        from torch import nn

        from figment.networks.growing import Discriminator
        from figment.networks.layers.equalised import plain
        from figment.networks.progan import Generator

        size = {"width": self.width, "resolution": self.resolution}
        generator = Generator(inputs=self.inputs, channels=self.channels, **size)
        discriminator = Discriminator(
            channels=self.discriminator_channels,
            dropout=self.dropout,
            head=self.head(plain),
            soft=False,
            **size,
        )
        return nn.ModuleDict({"generator": generator, "discriminator": discriminator})


PROGAN_64 = ProGAN(batch=16, generator_lr=2e-3, discriminator_lr=2e-3)
PAPER = ProGAN(latent=512, width=512, stage_images=1_200_000, images=12_000_000, ema=44_000)
"""600,000 images at each size and as many of fading; its average's .999 a round of 64."""
LIGHT_64 = replace(PAPER, latent=256, width=256)
"""The authors' narrower form."""
