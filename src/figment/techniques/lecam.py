"""LeCam: logits must not run away from where those of the other side have been (Tseng et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from figment.rounds import Terms, no_terms, penalty
from figment.settings import Settings
from figment.techniques.technique import Technique, at_least_zero

if TYPE_CHECKING:
    from torch import nn

    from figment.techniques.technique import View

START = 1_000
"""Rounds before the anchors are steady enough to pull at (the authors' code)."""


@dataclass(frozen=True, kw_only=True)
class Fields(Settings):
    lecam: float = 0.0
    """Weight of LeCam's pull on the logits, from round 1,000 on."""


class LeCam(Technique[Fields]):
    def on(self, r: Fields) -> bool:
        return r.lecam > 0

    def check(self, r: Fields) -> None:
        at_least_zero(r, "lecam")

    def memory(self, r: Fields, nets: nn.ModuleDict) -> dict[str, nn.Module]:
        from figment.penalties import LeCamAnchors

        return {"anchors": LeCamAnchors()}

    def discriminator(self, r: Fields, view: View) -> Terms:
        from figment.penalties import LeCamAnchors

        anchors = cast(LeCamAnchors, view.nets["anchors"])
        anchors.follow(view.real.detach(), view.fake.detach())
        if view.clock.rounds < START:
            return no_terms()
        return penalty(lecam=r.lecam * anchors(view.real, view.fake).mean())
