"""Consistency: a logit should not change with flips and shifts (Zhang et al. 2020, Zhao et al. 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from figment.errors import UserError
from figment.rounds import Terms, penalty
from figment.settings import Settings
from figment.techniques.technique import Technique, at_least_zero, pictures_only

if TYPE_CHECKING:
    from torch import Tensor

    from figment.techniques.technique import View


SHIFT = 4
"""Pixels that a picture is shifted by at most, each way (Zhang et al. 2020, section 4)."""


@dataclass(frozen=True, kw_only=True)
class Fields(Settings):
    consistency: float = 0.0
    """Weight of the change of logits under flips and shifts of reals."""
    consistency_fake: float = 0.0
    """The same of fakes."""


class Consistency(Technique[Fields]):
    def on(self, r: Fields) -> bool:
        return r.consistency > 0 or r.consistency_fake > 0

    def check(self, r: Fields) -> None:
        at_least_zero(r, "consistency", "consistency_fake")
        if self.on(r):
            pictures_only(r, "consistency" if r.consistency else "consistency_fake")
            if r.resolution <= SHIFT:
                raise UserError(
                    f"consistency shifts pictures by up to {SHIFT} pixels: set --resolution above that, "
                    f"not {r.resolution}"
                )

    def discriminator(self, r: Fields, view: View) -> Terms:
        from figment.penalties import consistency, hold_statistics

        found: dict[str, Tensor] = {}
        with hold_statistics(view.nets["discriminator"]):
            if r.consistency > 0:
                values = consistency(
                    lambda images: view.logits_of_shown(images, view.batch.labels),
                    view.shown_reals,
                    view.real,
                    shift=SHIFT,
                )
                found["consistency"] = (r.consistency * values).mean()
            if r.consistency_fake > 0:
                values = consistency(
                    lambda images: view.logits_of_shown(images, view.labels),
                    view.shown_fakes,
                    view.fake,
                    shift=SHIFT,
                )
                found["consistency_fake"] = (r.consistency_fake * values).mean()
        return penalty(**found)
