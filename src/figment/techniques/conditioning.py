"""Conditioning: how both players are given a picture's class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from figment.errors import UserError
from figment.settings import Settings
from figment.techniques.technique import Technique, at_least_zero

if TYPE_CHECKING:
    from torch import Tensor, nn

    from figment.networks.layers.head import Head


@dataclass(frozen=True, kw_only=True)
class Fields(Settings):
    conditioning: Literal["none", "concat", "projection", "classifier"] = "none"
    """How the discriminator takes classes: as constant maps, by projection, by predicting them (AC-GAN)."""
    class_norm: bool = False
    """The generator takes classes by gains of its batch norms, in place of a one-hot beside the latent."""
    classes: int = 0
    """Classes there are; 0: as many as the data have."""
    class_shares: tuple[float, ...] = ()
    """Share of each class in samples that name none: those of the data, unless given; empty: all alike."""

    def projection(self, features: int) -> nn.Module:
        """Return the head that takes classes by projection; a family may have a form of its own."""
        from figment.networks.layers.projection import Projection

        return Projection(features, self.classes)


class Conditioning(Technique[Fields]):
    def on(self, r: Fields) -> bool:
        return r.conditioning != "none"

    def check(self, r: Fields) -> None:
        at_least_zero(r, "classes")
        shares = r.class_shares
        if (
            self.on(r)
            and shares
            and not (len(shares) == r.classes and min(shares) >= 0 < sum(shares))
        ):
            raise UserError(
                f"class_shares must be {r.classes} shares, one a class, not {shares}: leave it out for "
                "those of the data"
            )
        if self.on(r) and r.kind == "points":
            raise UserError("points have no classes: leave conditioning out")

    def idle(self, r: Fields) -> Mapping[str, str]:
        needs = "without --conditioning"
        return {} if self.on(r) else dict.fromkeys(("class_norm", "class_shares"), needs)

    def asks_for_class(self, r: Fields) -> bool:
        return r.conditioning in ("concat", "projection")

    def describe(self, r: Fields) -> list[str]:
        return [f"conditional on {r.classes} classes"]

    def head(self, r: Fields, head: Head) -> Head:
        return r.projection if r.conditioning == "projection" else head

    def networks(self, r: Fields, nets: nn.ModuleDict) -> None:
        from figment.networks import surgery

        if r.class_norm and not surgery.by_classes(nets["generator"], r.classes):
            raise UserError("this generator has no batch norm to replace: leave class_norm out")

    def generator_inputs(
        self, r: Fields, inputs: tuple[Tensor, ...], labels: Tensor
    ) -> tuple[Tensor, ...]:
        from figment.networks.layers.one_hot import beside

        if r.class_norm:
            return (*inputs, labels)
        return (beside(inputs[0], labels, r.classes), *inputs[1:])

    def discriminator_inputs(
        self, r: Fields, inputs: tuple[Tensor, ...], labels: Tensor
    ) -> tuple[Tensor, ...]:
        from figment.networks.layers.one_hot import beside

        if r.conditioning == "concat":
            return (beside(inputs[0], labels, r.classes), *inputs[1:])
        return (*inputs, labels) if r.conditioning == "projection" else inputs
