"""Orthogonal regularisation of the networks' filters (Brock et al. 2016; BigGAN, Brock et al. 2019)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from figment.rounds import Terms, no_terms, penalty
from figment.settings import Settings
from figment.techniques.technique import Technique, at_least_zero

if TYPE_CHECKING:
    from figment.techniques.technique import View


@dataclass(frozen=True, kw_only=True)
class Fields(Settings):
    orthogonal: float = 0.0
    """Weight of the distance of a layer's filters from orthonormal ones."""
    off_diagonal: float = 0.0
    """The same without asking for filters of length 1 (BigGAN's)."""
    orthogonal_players: Literal["both", "generator", "discriminator"] = "both"
    """Networks that these two weights act on; BigGAN's acts on the generator."""


class Orthogonal(Technique[Fields]):
    def on(self, r: Fields) -> bool:
        return r.orthogonal > 0 or r.off_diagonal > 0

    def check(self, r: Fields) -> None:
        at_least_zero(r, "orthogonal", "off_diagonal")

    def idle(self, r: Fields) -> Mapping[str, str]:
        reason = "without --orthogonal or --off-diagonal"
        return {} if self.on(r) else {"orthogonal_players": reason}

    def discriminator(self, r: Fields, view: View) -> Terms:
        return _terms(r, view, "discriminator")

    def generator(self, r: Fields, view: View) -> Terms:
        return _terms(r, view, "generator")


def _terms(r: Fields, view: View, player: str) -> Terms:
    from figment import penalties

    if r.orthogonal_players not in ("both", player):
        return no_terms()
    found = {}
    if r.orthogonal > 0:
        found["orthogonal"] = r.orthogonal * penalties.orthogonal(view.nets[player])
    if r.off_diagonal > 0:
        found["off_diagonal"] = r.off_diagonal * penalties.off_diagonal(view.nets[player])
    return penalty(**found)
