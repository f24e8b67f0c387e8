"""Spectral norm: layers divided by their largest singular value (Miyato et al. 2018)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from figment.errors import UserError
from figment.settings import Settings
from figment.techniques.technique import Technique

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class Fields(Settings):
    spectral_norm: Literal["none", "discriminator", "both"] = "none"
    """Networks whose layers are divided by their largest singular value."""


class SpectralNorm(Technique[Fields]):
    def on(self, r: Fields) -> bool:
        return r.spectral_norm != "none"

    def bounds(self, r: Fields) -> bool:
        return self.on(r)

    def networks(self, r: Fields, nets: nn.ModuleDict) -> None:
        from figment.networks.surgery import spectrally

        players = (
            ("discriminator", "generator") if r.spectral_norm == "both" else ("discriminator",)
        )
        for player in players:
            if not spectrally(nets[player]):
                raise UserError(f"this {player} has no layer to divide: leave spectral_norm out")
