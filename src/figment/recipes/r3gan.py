"""R3GAN: Huang et al. 2024, arXiv:2501.05441: relativistic pairs, R1 and R2, and no other trick (M4).

Five things follow one half-cosine over ``ramp_images``, then stay: the learning rates, Adam's second
decay rate, the weights of R1 and R2, the probability of the augmentation and the half-life of the
average. What falls, or goes from one value to another, is set by its start, and a ``final_`` field says
how it ends; what rises from 0 (``augment_p``, ``ema``) is set by its end.

``SMALL`` is for one processor: maps of many pixels cost most, so its finest map has half of the picture's
side, one block a map, and widths that are halved from smaller maps on; rates are higher, and the ramp is
as long as the training. The others are the authors' own for five data sets. Their weight of R1 and R2
goes from .05 (CIFAR-10) to 150 (faces of 256 px): tune it.

Against the authors' code: both players see the same reals in a round, and lengths count in images shown to
the discriminator.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from figment.errors import UserError
from figment.gan import GAN
from figment.objectives import Name
from figment.recipes import limits
from figment.techniques.augmentation import Augment

if TYPE_CHECKING:
    from torch import nn

    from figment.data import Dataset, Look
    from figment.rounds import Clock


@dataclass(frozen=True, kw_only=True)
class R3GAN(GAN):
    """GAN of residual blocks without norms, with penalties on both sides and one ramp."""

    BY_DATA: ClassVar[tuple[str, ...]] = (*GAN.BY_DATA, "mirror", "finest")

    latent: int = 64
    ema: int = 500_000
    objective: Name = "relativistic"
    betas: tuple[float, float] = (0.0, 0.9)
    r1: float = 2.0
    r2: float = 2.0
    mirror: bool = True
    augment: Augment = "ada-fixed"
    augment_p: float = 0.3
    ada_transforms: Literal["shift", "bg", "bgc", "bgcf", "bgcfn", "bgcfnc", "r3gan"] = "r3gan"
    width: int = 768
    """Channels of maps of 4 to ``widest`` pixels, halved at every doubling above."""
    widest: int = 32
    """Pixels a side up to which maps have the full width."""
    finest: int = 0
    """Pixels a side of the largest map that has blocks; 0: the picture's own."""
    blocks: int = 2
    """Residual blocks at each resolution."""
    group: int = 16
    """Channels in a group of the 3x3 convolutions."""
    ramp_images: int = 20_000_000
    """Images until all that changes has its final value; 0: all of the training."""
    final_rate: float = 0.25
    """What both learning rates are multiplied by in the end."""
    final_beta2: float = 0.99
    """What the second of betas becomes."""
    final_penalty: float = 0.1
    """What the weights of R1 and R2 are multiplied by in the end."""

    def check(self) -> None:
        super().check()
        limits.power_of_two(self, 32, 256)
        limits.at_least(self, 1, "blocks", "group")
        limits.share(self, "final_beta2")
        if self.ramp_images < 0:
            raise UserError(f"ramp_images must be 0 or more, not {self.ramp_images}")
        self.check_maps()
        self.check_width()
        if self.spectral_norm != "none":
            raise UserError(
                "--spectral-norm is not for R3GAN: the last layer of each block starts at 0, which has no "
                "direction"
            )
        for name in ("final_rate", "final_penalty"):
            if getattr(self, name) <= 0:
                raise UserError(f"{name} must be above 0, not {getattr(self, name)}")

    def idle(self) -> Mapping[str, str]:
        needs = {"final_beta2": "with --optimizer sgd"} if self.optimizer == "sgd" else {}
        return {**super().idle(), **needs}

    def check_maps(self) -> None:
        """Refuse maps that these networks do not have."""
        sides = [1 << power for power in range(2, self.resolution.bit_length())]
        if self.finest not in (0, *sides[1:-1]):
            raise UserError(f"finest must be 0 or one of {sides[1:-1]}, not {self.finest}")
        if self.widest not in (4, 8, 16, 32, 64):
            raise UserError(f"widest must be 4, 8, 16, 32 or 64, not {self.widest}")

    def check_width(self) -> None:
        """Refuse widths that the finest map cannot share out to its groups."""
        finest = self.finest or self.resolution
        halved = max(1, finest // self.widest)
        step = halved * self.group // math.gcd(2, self.group)
        if self.width < step or self.width % step:
            raise UserError(
                f"width must be a multiple of {step} with maps up to {finest} px, where convolutions have "
                f"groups of {self.group} channels, not {self.width}: try "
                f"{max(step, self.width // step * step)}"
            )

    def nearest_resolution(self, side: int) -> int:
        return limits.power_below(min(side, self.resolution), 32, 256)

    def fit_to(self, look: Look, pinned: frozenset[str] = frozenset()) -> Self:
        """A finest map below the picture's size has half of its side."""
        fitted = super().fit_to(look, pinned)
        if not fitted.finest or "finest" in pinned:
            return fitted
        return replace(fitted, finest=fitted.resolution // 2)

    def settle(self, dataset: Dataset, pinned: frozenset[str] = frozenset()) -> Self:
        """Mirror reals where the set as a whole has no left and right."""
        from figment.data.symmetry import symmetric

        mirror = not self.mirror and "mirror" not in pinned and symmetric(dataset)
        return super(R3GAN, replace(self, mirror=True) if mirror else self).settle(dataset, pinned)

    def tiny(self) -> Self:
        small = replace(super().tiny(), resolution=32, width=8, widest=32, group=8, blocks=1)
        finest = 16 if self.finest else 0
        return replace(small, ramp_images=64, finest=finest)

    # -- the ramp ---------------------------------------------------------------------------------

    @property
    def ema_warm_up(self) -> float:
        """The ramp of the half-life is all there is."""
        return math.inf

    def ramp(self, clock: Clock, start: float, end: float) -> float:
        """Return where a number that goes from ``start`` to ``end`` is at a moment."""
        gone = min(1.0, clock.images / (self.ramp_images or self.images))
        return end + (start - end) * (1 + math.cos(math.pi * gone)) / 2

    def at(self, clock: Clock) -> Self:
        """All that follows the ramp but the learning rates, beside what all games have."""
        penalty = self.ramp(clock, 1.0, self.final_penalty)
        beta2 = self.ramp(clock, self.betas[1], self.final_beta2)
        return replace(
            super().at(clock),
            r1=self.r1 * penalty,
            r2=self.r2 * penalty,
            betas=(self.betas[0], beta2),
            augment_p=self.ramp(clock, 0.0, self.augment_p),
            ema=round(self.ramp(clock, 0.0, self.ema)),
        )

    def rate(self, clock: Clock) -> float:
        """On the ramp, beside what all games have."""
        return super().rate(clock) * self.ramp(clock, 1.0, self.final_rate)

    # -- networks ---------------------------------------------------------------------------------

    def build(self) -> nn.ModuleDict:
        from torch import nn

        from figment.networks.r3gan import Discriminator, Generator, Size, plain

        size = Size(
            width=self.width,
            resolution=self.resolution,
            channels=self.channels,
            blocks=self.blocks,
            widest=self.widest,
            finest=self.finest,
            group=self.group,
        )
        generator = Generator(size, latent=self.latent, classes=self.inputs - self.latent)
        seen = size._replace(channels=self.discriminator_channels)
        discriminator = Discriminator(seen, dropout=self.dropout, head=self.head(plain))
        return nn.ModuleDict({"generator": generator, "discriminator": discriminator})

    def projection(self, features: int) -> nn.Module:
        from figment.networks.r3gan import ByClass

        return ByClass(features, self.classes)


AS_THEY_ARE: dict[str, Any] = {
    "mirror": False,
    "augment": "none",
    "augment_p": 0.0,
    "ada_transforms": "bgc",
}
"""Reals neither mirrored nor augmented."""
SMALL = R3GAN(
    batch=16,
    images=1_000_000,
    ema=5_000,
    generator_lr=3e-3,
    discriminator_lr=3e-3,
    r1=1.0,
    r2=1.0,
    **AS_THEY_ARE,
    width=64,
    widest=4,
    finest=32,
    blocks=1,
    ramp_images=0,
)
FFHQ_64 = R3GAN(batch=256, images=100_000_000, held_out=0.0)
FFHQ_256 = replace(FFHQ_64, resolution=256, images=200_000_000, r1=150.0, r2=150.0)
CIFAR = R3GAN(
    resolution=32,
    batch=512,
    images=250_000_000,
    r1=0.05,
    r2=0.05,
    ema=5_000_000,
    augment_p=0.55,
    conditioning="projection",
    held_out=0.0,
)
STACKED_MNIST = R3GAN(
    resolution=32,
    batch=512,
    images=10_000_000,
    ramp_images=2_000_000,
    r1=1.0,
    r2=1.0,
    final_rate=1.0,
    **AS_THEY_ARE,
    held_out=0.0,
)
IMAGENET_32 = R3GAN(
    resolution=32,
    width=1536,
    group=32,
    batch=4096,
    images=1_000_000_000,
    ramp_images=200_000_000,
    r1=0.5,
    r2=0.5,
    ema=50_000_000,
    augment_p=0.5,
    conditioning="projection",
    held_out=0.0,
)
IMAGENET_64 = replace(IMAGENET_32, resolution=64, widest=64, r1=1.0, r2=1.0, augment_p=0.4)
