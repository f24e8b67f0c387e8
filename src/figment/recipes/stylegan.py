"""StyleGAN: Karras et al. 2019, arXiv:1812.04948: styles by AdaIN, noise, mixing, on networks that grow.

Width and latent are an eighth and a quarter of the paper's, for one small machine, batches 16, rates twice
the paper's for few rounds, and R1's weight near their later rule (Karras et al. 2020a: .0002 px² / batch);
``PAPER_1024`` has the paper's numbers. Against the authors' code: one batch and one rate for all stages,
mixing drawn for each image, and truncation acts on all layers, not on the first eight.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self, cast

from figment.recipes.growing import Growing
from figment.recipes.styled import Styled

if TYPE_CHECKING:
    from torch import nn

    from figment.networks.growing import Grown


@dataclass(frozen=True, kw_only=True)
class StyleGAN(Growing, Styled):
    """GAN whose generator is told a style at every layer, and grows from 8 pixels."""

    REFUSED: ClassVar[Mapping[str, str]] = {
        **Growing.REFUSED,
        "latent_consistency": "its fakes draw noise and styles anew",
    }

    latent: int = 128
    level: float = 1.0
    mapping_layers: int = 8
    r1: float = 0.1
    generator_lr: float = 1e-3
    discriminator_lr: float = 1e-3
    betas: tuple[float, float] = (0.0, 0.99)

    def tiny(self) -> Self:
        short = replace(super().tiny(), resolution=16, width=4, stage_images=12)
        return replace(short, mapping_layers=2)

    def build(self) -> nn.ModuleDict:
        from torch import nn

        from figment.networks.growing import Discriminator
        from figment.networks.layers.equalised import plain
        from figment.networks.stylegan import Generator

        size = {"width": self.width, "resolution": self.resolution}
        generator = Generator(
            latent=self.latent,
            classes=self.inputs - self.latent,
            mapping_layers=self.mapping_layers,
            channels=self.channels,
            **size,
        )
        discriminator = Discriminator(
            channels=self.discriminator_channels,
            dropout=self.dropout,
            head=self.head(plain),
            soft=True,
            **size,
        )
        return nn.ModuleDict({"generator": generator, "discriminator": discriminator})

    def layers_used(self, generator: nn.Module) -> int:
        return 2 * (cast("Grown", generator).stage()[0] + 1)


STYLEGAN_64 = StyleGAN(batch=16, generator_lr=2e-3, discriminator_lr=2e-3)
PAPER_1024 = StyleGAN(
    resolution=1024,
    latent=512,
    width=512,
    r1=10.0,
    stage_images=1_200_000,
    images=25_000_000,
    batch=32,
    mirror=True,
)
