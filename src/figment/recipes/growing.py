"""Growing: games whose networks begin with small pictures and get layers for larger ones, one by one.

Karras et al. 2018, arXiv:1710.10196. How far they are grown is a function of the images seen, ``at``; so it
is no state, and a resumed run is where it was. Every network keeps the level that it was last played at,
with its weights: samples and exports of a run in mid-growth are pictures of that level, in full size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self, cast

from figment.errors import UserError
from figment.gan import GAN
from figment.recipes import limits

if TYPE_CHECKING:
    from torch import Tensor, nn

    from figment.networks.growing import Grown
    from figment.rounds import Clock, Scalars

NEIGHBOURS = 4
"""Pictures whose spread the discriminator sees."""


@dataclass(frozen=True, kw_only=True)
class Growing(GAN):
    """GAN whose networks grow."""

    REFUSED: ClassVar[Mapping[str, str]] = limits.EQUALISED

    width: int = 64
    """Channels of maps of 4 to 32 pixels, halved at every doubling above."""
    level: float = 0.0
    """Doublings of 4 pixels that the networks begin with."""
    stage_images: int = 0
    """Images from doubling to doubling, half of them fading; 0: all doublings take half of the training."""

    def check(self) -> None:
        super().check()
        limits.power_of_two(self, 8, 1024)
        limits.at_least(self, max(1, self.resolution // 32), "width")
        if self.level != int(self.level) or not 0 <= self.level <= self.levels:
            raise UserError(
                f"level must be a whole number from 0 to {self.levels} at {self.resolution} px, not "
                f"{self.level:g}"
            )
        limits.at_least(self, 0, "stage_images")
        limits.without(self, self.REFUSED)
        limits.whole_groups(self)

    def idle(self) -> Mapping[str, str]:
        whole = "where --level begins with the full size"
        needs = {"stage_images": whole} if self.level >= self.levels else {}
        return {**super().idle(), **needs}

    @property
    def neighbours(self) -> int:
        from figment.networks.layers.minibatch_stddev import group_size

        return group_size(self.batch, NEIGHBOURS)

    def nearest_resolution(self, side: int) -> int:
        return limits.power_below(min(side, self.resolution), 8)

    def describe(self) -> list[str]:
        grows = f"growing from {4 << int(self.level)} px"
        return [*super().describe(), *([grows] if self.level < self.levels else [])]

    # -- the schedule -----------------------------------------------------------------------------

    @property
    def levels(self) -> int:
        """Doublings from 4 pixels to the full size."""
        return self.resolution.bit_length() - 3

    def at(self, clock: Clock) -> Self:
        """The level of a moment, beside what all games have."""
        return replace(super().at(clock), level=self.level_at(clock))

    def level_at(self, clock: Clock) -> float:
        """Return the level after so many images; a fraction is the share of the newest layers."""
        left = self.levels - self.level
        if left <= 0:
            return self.level
        every = self.stage_images or self.images / 2 / left
        begun, share = divmod(clock.images / every, 1)
        return min(self.level + begun + max(0.0, 2 * share - 1), float(self.levels))

    # -- in a round -------------------------------------------------------------------------------

    def generate(self, generator: nn.Module, latents: Tensor, labels: Tensor | None) -> Tensor:
        """In training mode the generator goes to the level of the moment."""
        if generator.training:
            cast("Grown", generator).grow(self.level)
        return super().generate(generator, latents, labels)

    def logits(self, nets: nn.ModuleDict, shown: Tensor, labels: Tensor | None) -> Tensor:
        cast("Grown", nets["discriminator"]).grow(self.level)
        return super().logits(nets, shown, labels)

    def examine(
        self, nets: nn.ModuleDict, shown: Tensor, labels: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        cast("Grown", nets["discriminator"]).grow(self.level)
        return super().examine(nets, shown, labels)

    def reals(self, images: Tensor, clock: Clock) -> Tensor:
        """Reals lose what a picture of the level cannot show, and fade as fakes do."""
        from figment.networks.growing import seen_at

        return seen_at(super().reals(images, clock), self.level)

    def validate(self, nets: nn.ModuleDict, images: Tensor, labels: Tensor | None) -> Scalars:
        from figment.networks.growing import seen_at

        seen = {"level": images.new_tensor(self.level)}
        return super().validate(nets, seen_at(images, self.level), labels) | seen
