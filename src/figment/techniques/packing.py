"""Packing: the discriminator judges several samples as one (PacGAN, Lin et al. 2018)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from figment.errors import UserError
from figment.settings import Settings
from figment.techniques.technique import Technique, above_zero

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class Fields(Settings):
    packing: int = 1
    """PacGAN: how many pictures are shown to the discriminator as one (its m)."""


class Packing(Technique[Fields]):
    def on(self, r: Fields) -> bool:
        return r.packing > 1

    def check(self, r: Fields) -> None:
        above_zero(r, "packing")
        if r.batch % r.packing:
            raise UserError(
                f"batch {r.batch} is no whole number of packs of {r.packing}: set --batch to a multiple"
            )

    def show(self, r: Fields, nets: nn.ModuleDict, images: Tensor) -> Tensor:
        from figment.networks.layers.packing import pack

        return pack(images, r.packing)
