"""Weight clipping (Arjovsky et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from figment.settings import Settings
from figment.techniques.technique import Technique, at_least_zero

if TYPE_CHECKING:
    from torch import nn


LOOSE = 1.0
"""A bound that the weights of a layer of some hundred inputs never come near, so that it bounds nothing;
the paper's is .01."""


@dataclass(frozen=True, kw_only=True)
class Fields(Settings):
    clip: float = 0.0
    """Bound on every weight of the discriminator (WGAN); 0: none."""


class Clipping(Technique[Fields]):
    def on(self, r: Fields) -> bool:
        return r.clip > 0

    def check(self, r: Fields) -> None:
        at_least_zero(r, "clip")

    def bounds(self, r: Fields) -> bool:
        return 0 < r.clip < LOOSE

    def after(self, r: Fields, player: str, nets: nn.ModuleDict) -> None:
        from figment.penalties import clip

        if player == "discriminator":
            clip(nets["discriminator"], r.clip)
