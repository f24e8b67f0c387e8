"""A small GAN for points in the plane: ``ring`` and ``grid``, where every mode can be counted.

Learning rates, depth and latent are those of five settings tried that kept all modes of the ring; see
docs/recipes.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from figment.errors import UserError
from figment.recipe import Recipe

if TYPE_CHECKING:
    from torch import nn

    from figment.data import Look


@dataclass(frozen=True, kw_only=True)
class Points(Recipe):
    """GAN of fully connected networks for points."""

    batch: int = 256
    images: int = 2_000_000
    tick: int = 20_000
    latent: int = 2
    generator_lr: float = 2e-4
    discriminator_lr: float = 1e-3
    hidden: tuple[int, ...] = (128, 128, 128)
    """Units of the hidden layers of both networks."""

    kind: ClassVar[Literal["images", "points"]] = "points"

    @property
    def shape(self) -> tuple[int, ...]:
        return (2,)

    def check(self) -> None:
        super().check()
        if not self.hidden or min(self.hidden) < 1:
            raise UserError(
                f"hidden needs one or more layers of 1 or more units, not {self.hidden}"
            )
        if self.mirror:
            raise UserError("points have no left and right: leave --mirror out")

    def fit_to(self, look: Look, pinned: frozenset[str] = frozenset()) -> Self:
        for field in ("resolution", "channels", "fit"):
            if field in pinned and getattr(self, field) != getattr(Recipe, field):
                raise UserError(f"points have no pixels: leave --{field} out")
        return super().fit_to(look, pinned)

    def tiny(self) -> Self:
        return replace(super().tiny(), hidden=(16, 16))

    def build(self) -> nn.ModuleDict:
        from torch import nn

        from figment.networks.mlp import PointDiscriminator, PointGenerator

        generator = PointGenerator(latent=self.latent, hidden=self.hidden)
        discriminator = PointDiscriminator(
            hidden=self.hidden, dropout=self.dropout, inputs=2 * self.packing
        )
        return nn.ModuleDict({"generator": generator, "discriminator": discriminator})


POINTS = Points()
