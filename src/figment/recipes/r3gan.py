"""R3GAN: Huang et al. 2024, arXiv:2501.05441: relativistic pairs, R1 and R2, and no other trick.

A starting point: not in the table of systems until a benchmark of its own stands behind its numbers.

Five things follow one half-cosine over ``ramp_images``, then stay: the learning rates, Adam's second
decay rate, the weights of R1 and R2, the probability of the augmentation and the half-life of the
average. What falls, or goes from one value to another, is set by its start, and a ``final_`` field says
how it ends; what rises from 0 (``augment_p``, ``ema``) is set by its end. The numbers are those for faces
of 64 px; width, batch and lengths are a tenth or so of theirs, for one small machine (``FFHQ_64`` has
the authors' own). Their weight of R1 and R2 goes from .05 (CIFAR-10) to 150 (faces of 256 px): tune it.

Against the authors' code: both players see the same reals in a round, and classes enter the discriminator
as all systems' here do, by projection without their linear layer before.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Self

from figment.errors import UserError
from figment.gan import GAN
from figment.objectives import Name
from figment.recipes import limits
from figment.techniques.augmentation import Augment

if TYPE_CHECKING:
    from torch import nn

    from figment.rounds import Clock


@dataclass(frozen=True, kw_only=True)
class R3GAN(GAN):
    """GAN of residual blocks without norms, with penalties on both sides and one ramp."""

    latent: int = 64
    ema: int = 100_000
    objective: Name = "relativistic"
    betas: tuple[float, float] = (0.0, 0.9)
    r1: float = 2.0
    r2: float = 2.0
    mirror: bool = True
    augment: Augment = "ada-fixed"
    augment_p: float = 0.3
    ada_transforms: Literal["bg", "bgc", "bgcf", "bgcfn", "bgcfnc", "r3gan"] = "r3gan"
    width: int = 64
    """Channels of maps of 4 to 32 pixels, halved at every doubling above."""
    ramp_images: int = 1_000_000
    """Images until all that changes has its final value."""
    final_rate: float = 0.25
    """What both learning rates are multiplied by in the end."""
    final_beta2: float = 0.99
    """What the second of betas becomes."""
    final_penalty: float = 0.1
    """What the weights of R1 and R2 are multiplied by in the end."""

    def check(self) -> None:
        super().check()
        limits.power_of_two(self, 32, 256)
        limits.at_least(self, 1, "ramp_images")
        limits.share(self, "final_beta2")
        step = 8 * self.resolution // 32
        if self.width < step or self.width % step:
            raise UserError(
                f"width must be a multiple of {step} at {self.resolution} px, where convolutions have "
                f"groups of 16 channels, not {self.width}: try {max(step, self.width // step * step)}"
            )
        if self.spectral_norm != "none":
            raise UserError(
                "--spectral-norm is not for R3GAN: the last layer of each block starts at 0, which has no "
                "direction"
            )
        for name in ("final_rate", "final_penalty"):
            if getattr(self, name) <= 0:
                raise UserError(f"{name} must be above 0, not {getattr(self, name)}")

    def nearest_resolution(self, side: int) -> int:
        return limits.power_below(min(side, self.resolution), 32, 256)

    def tiny(self) -> Self:
        return replace(super().tiny(), resolution=32, width=16, ramp_images=64)

    # -- the ramp ---------------------------------------------------------------------------------

    def ramp(self, clock: Clock, start: float, end: float) -> float:
        """Return where a number that goes from ``start`` to ``end`` is at a moment."""
        gone = min(1.0, clock.images / self.ramp_images)
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

        from figment.networks.r3gan import Discriminator, Generator, plain

        size = {"width": self.width, "resolution": self.resolution}
        generator = Generator(
            latent=self.latent, classes=self.inputs - self.latent, channels=self.channels, **size
        )
        discriminator = Discriminator(
            channels=self.discriminator_channels,
            dropout=self.dropout,
            head=self.head(plain),
            **size,
        )
        return nn.ModuleDict({"generator": generator, "discriminator": discriminator})


R3GAN_64 = R3GAN()
FFHQ_64 = R3GAN(
    width=768, batch=256, images=100_000_000, ramp_images=20_000_000, ema=500_000, held_out=0.0
)
FFHQ_256 = replace(FFHQ_64, resolution=256, images=200_000_000, r1=150.0, r2=150.0)
