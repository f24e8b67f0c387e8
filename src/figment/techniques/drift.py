"""Drift: keeps a critic's logits near 0 (Karras et al. 2018)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from figment.rounds import Terms, penalty
from figment.settings import Settings
from figment.techniques.technique import Technique, at_least_zero

if TYPE_CHECKING:
    from figment.techniques.technique import View


@dataclass(frozen=True, kw_only=True)
class Fields(Settings):
    drift: float = 0.0
    """Weight of the squared logits of reals."""


class Drift(Technique[Fields]):
    def on(self, r: Fields) -> bool:
        return r.drift > 0

    def check(self, r: Fields) -> None:
        at_least_zero(r, "drift")

    def discriminator(self, r: Fields, view: View) -> Terms:
        from figment.penalties import drift

        return penalty(drift=r.drift * drift(view.real).mean())
