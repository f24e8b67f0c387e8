"""An auxiliary classifier beside the discriminator's head (AC-GAN, Odena et al. 2017)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from figment.rounds import Terms, penalty
from figment.techniques import conditioning
from figment.techniques.technique import Technique, at_least_zero

if TYPE_CHECKING:
    from torch import Tensor, nn

    from figment.networks.layers.head import Head
    from figment.techniques.technique import View


@dataclass(frozen=True, kw_only=True)
class Fields(conditioning.Fields):
    class_loss: float = 1.0
    """Weight of an auxiliary classifier's loss for the discriminator."""
    class_loss_generator: float = 1.0
    """The same for the generator."""


class AuxiliaryClassifier(Technique[Fields]):
    reads_features: ClassVar[bool] = True

    def on(self, r: Fields) -> bool:
        return r.conditioning == "classifier"

    def check(self, r: Fields) -> None:
        at_least_zero(r, "class_loss", "class_loss_generator")

    def idle(self, r: Fields) -> Mapping[str, str]:
        if self.on(r):
            return {}
        needs = "without --conditioning classifier"
        return dict.fromkeys(("class_loss", "class_loss_generator"), needs)

    def asks_for_class(self, r: Fields) -> bool:
        return self.on(r) and min(r.class_loss, r.class_loss_generator) > 0

    def head(self, r: Fields, head: Head) -> Head:
        from figment.networks.layers.head import Auxiliary

        return lambda features: Auxiliary(features, r.classes, head(features))

    def discriminator(self, r: Fields, view: View) -> Terms:
        from figment.objectives.classes import supervised

        classes = _classes(view.nets, view.real_features)
        loss = supervised(classes, view.batch.labels)
        loss = loss + supervised(_classes(view.nets, view.fake_features), view.labels)
        right = (classes.detach().argmax(1) == view.batch.labels).float().mean()
        return Terms({}, {"class": r.class_loss * loss.mean()}, {"score/class": right})

    def generator(self, r: Fields, view: View) -> Terms:
        from figment.objectives.classes import supervised

        loss = supervised(_classes(view.nets, view.fake_features), view.batch.labels)
        return penalty(**{"class": r.class_loss_generator * loss.mean()})


def _classes(nets: nn.ModuleDict, features: Tensor) -> Tensor:
    """Return the auxiliary classifier's logits [N, K]."""
    from figment.networks.layers.discriminator import FeatureDiscriminator
    from figment.networks.layers.head import Auxiliary

    head = cast(FeatureDiscriminator, nets["discriminator"]).head
    return cast(Auxiliary, head).classify(features)
