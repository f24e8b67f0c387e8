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

    BY_LENGTH: ClassVar[tuple[str, ...]] = (*GAN.BY_LENGTH, "level", "stage_images")
    REFUSED: ClassVar[Mapping[str, str]] = {
        **limits.EQUALISED,
        "compile": "networks that grow would be compiled anew at every step",
    }

    width: int = 64
    """Channels of maps of 4 to 32 pixels, halved at every doubling above."""
    level: float = 0.0
    """Doublings of 4 pixels that the networks begin with."""
    stage_images: int = 0
    """Images from doubling to doubling, half of them fading; 0: all doublings take half of the plan."""

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
        whole = "where --level begins with the full size, as it does --from networks full grown"
        needs = {"stage_images": whole} if self.level >= self.levels else {}
        return {**super().idle(), **needs}

    @property
    def neighbours(self) -> int:
        from figment.networks.layers.minibatch_stddev import group_size

        return group_size(max(1, self.batch // self.packing), NEIGHBOURS)

    def nearest_resolution(self, side: int) -> int:
        return limits.power_below(min(side, self.resolution), 8)

    def begun_from(
        self, tensors: Mapping[str, Tensor], pinned: frozenset[str] = frozenset()
    ) -> Self:
        """Its level is theirs; where layers were fading in, that before, so that they fade in anew."""
        level = tensors.get("generator.level")
        if "level" in pinned or level is None or level.numel() != 1 or not level.isfinite():
            return self
        whole = min(max(int(level), 0), self.levels)
        return replace(self, level=float(whole)).without_idle(pinned)

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
        if self.level >= self.levels:
            return self.level
        begun, share = divmod(clock.images / self.stage, 1)
        return min(self.level + begun + max(0.0, 2 * share - 1), float(self.levels))

    @property
    def stage(self) -> float:
        """Images from doubling to doubling; of the length, where no run has begun with it."""
        return self.stage_images or self.images / 2 / (self.levels - self.level)

    def at_this_length(self) -> Self:
        """Stages keep their length, for networks are never to shrink."""
        if self.stage_images or self.level >= self.levels:
            return self
        return replace(self, stage_images=max(1, int(self.stage)))

    def stages(self) -> list[int]:
        """From the first images on in which layers fade in."""
        left = int(self.levels - self.level)
        return [0, *(int(self.stage * (number + 0.5)) for number in range(left))]

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
