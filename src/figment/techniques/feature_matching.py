"""Feature matching: fakes with the mean features of reals (Salimans et al. 2016, section 3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from figment.errors import UserError
from figment.rounds import Terms, penalty
from figment.techniques import adversarial
from figment.techniques.technique import Technique, at_least_zero

if TYPE_CHECKING:
    from figment.techniques.technique import View


@dataclass(frozen=True, kw_only=True)
class Fields(adversarial.Fields):
    feature_matching: float = 0.0
    """Weight of the distance of mean discriminator features in the generator's loss."""


class FeatureMatching(Technique[Fields]):
    reads_features: ClassVar[bool] = True

    def on(self, r: Fields) -> bool:
        return r.feature_matching > 0

    def check(self, r: Fields) -> None:
        at_least_zero(r, "feature_matching")
        if r.adversarial == r.feature_matching == 0:
            raise UserError(
                "the generator has nothing to learn: set adversarial or feature_matching"
            )

    def generator(self, r: Fields, view: View) -> Terms:
        fakes = view.fake_features  # first: reals draw their noise after the fakes
        distance = view.game.match(view.real_features, fakes)
        return penalty(feature_matching=r.feature_matching * distance)
