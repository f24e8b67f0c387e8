"""FastGAN: Liu et al. 2021, arXiv:2101.04775: 50 to 2,000 pictures, a small batch, a short training (M4f).

The generator's small maps gate its large ones; the discriminator, whose reals and fakes go through
DiffAugment, draws its reals again, so that it cannot look at a corner of them alone. Both have spectral
norm. ``PUBLISHED`` is the paper's size at 256 px, ``SMALL`` one for a processor.

Against the paper: pixels in place of a pretrained network's features say how far a picture drawn again
is from its real; margins of the hinge loss are 1, not drawn anew; see ``figment.networks.fastgan`` for
the networks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal, Self, cast

from figment.gan import GAN
from figment.objectives import Name
from figment.recipes import limits
from figment.rounds import penalty
from figment.techniques.augmentation import Augment
from figment.techniques.technique import at_least_zero

if TYPE_CHECKING:
    from torch import Tensor, nn

    from figment.data import Dataset
    from figment.networks.fastgan import Discriminator
    from figment.rounds import Batch, Clock, Terms


@dataclass(frozen=True, kw_only=True)
class FastGAN(GAN):
    """GAN of gated maps for few pictures."""

    BY_DATA: ClassVar[tuple[str, ...]] = (*GAN.BY_DATA, "mirror")

    resolution: int = 256
    latent: int = 256
    batch: int = 8
    images: int = 400_000
    ema: int = 5_500
    objective: Name = "hinge"
    augment: Augment = "diffaugment"
    spectral_norm: Literal["none", "discriminator", "both"] = "both"
    width: int = 64
    """Channels of maps of 128 pixels; smaller ones have up to 16 times as many."""
    reconstruction: float = 1.0
    """Weight of how far reals are from what the discriminator's decoders draw of them."""

    def check(self) -> None:
        super().check()
        limits.power_of_two(self, 32)
        limits.at_least(self, 1, "width")
        limits.two_images(self)
        at_least_zero(self, "reconstruction")

    def nearest_resolution(self, side: int) -> int:
        return limits.power_below(min(side, self.resolution), 32)

    def settle(self, dataset: Dataset, pinned: frozenset[str] = frozenset()) -> Self:
        """Mirror reals where the set as a whole has no left and right."""
        from figment.data.symmetry import symmetric

        mirror = "mirror" not in pinned and symmetric(dataset)
        settled = replace(self, mirror=True) if mirror else self
        return super(FastGAN, settled).settle(dataset, pinned)

    def tiny(self) -> Self:
        return replace(super().tiny(), resolution=32, width=1)

    def build(self) -> nn.ModuleDict:
        from torch import nn

        from figment.networks.fastgan import Discriminator, Generator, plain

        size = {"width": self.width, "resolution": self.resolution}
        generator = Generator(
            latent=self.latent,
            classes=self.inputs - self.latent,
            channels=self.channels,
            **size,
        )
        discriminator = Discriminator(
            channels=self.discriminator_channels,
            dropout=self.dropout,
            head=self.head(plain),
            **size,
        )
        return nn.ModuleDict({"generator": generator, "discriminator": discriminator})

    def discriminator_terms(
        self, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms:
        terms = super().discriminator_terms(nets, batch, fakes, clock)
        if not self.reconstruction:
            return terms
        from figment.microbatch import in_parts
        from figment.randomness_per_image import integers

        shown = self.show(nets, batch.images)
        inputs = self.discriminator_inputs(shown, batch.labels)[0]
        corner = integers(len(inputs), 4, like=inputs)
        far = in_parts(cast("Discriminator", nets["discriminator"]).decode, inputs, corner)
        return terms.and_(penalty(reconstruction=self.reconstruction * far.mean()))


PUBLISHED = FastGAN()
SMALL = FastGAN(
    resolution=64,
    width=4,
    batch=16,
    images=500_000,
    generator_lr=4e-4,
    discriminator_lr=4e-4,
)
