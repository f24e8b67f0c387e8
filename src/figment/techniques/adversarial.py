"""The adversarial game itself: the pair of losses that the two players minimise."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from figment.errors import UserError
from figment.objectives import Name, objective
from figment.rounds import Terms, no_terms
from figment.settings import Settings
from figment.techniques.technique import Technique, at_least_zero

if TYPE_CHECKING:
    from torch import Tensor

    from figment.objectives.adversarial import Objective
    from figment.rounds import Scalars
    from figment.techniques.technique import View

LOG_4 = math.log(4)
"""The game's value is no lower than -log 4, its value at the solution (Goodfellow et al. 2014, thm 1)."""


@dataclass(frozen=True, kw_only=True)
class Fields(Settings):
    objective: Name = "nonsaturating"
    """Loss functions of both networks."""
    real_target: float = 1.0
    """Label of reals in the discriminator's loss; .9 is one-sided smoothing."""
    fake_target: float = 0.0
    """Label of fakes in the discriminator's loss; above 0 is two-sided smoothing."""
    adversarial: float = 1.0
    """Weight of the objective in the generator's loss."""


class Adversarial(Technique[Fields]):
    def on(self, r: Fields) -> bool:
        return True

    def check(self, r: Fields) -> None:
        at_least_zero(r, "adversarial")
        if not 0 <= r.fake_target < r.real_target <= 1:
            raise UserError(
                "label targets need 0 <= fake_target < real_target <= 1, not "
                f"fake_target {r.fake_target} and real_target {r.real_target}"
            )

    def idle(self, r: Fields) -> Mapping[str, str]:
        if objective(r.objective).takes_targets:
            return {}
        reason = (
            f"with --objective {r.objective}, which has no labels to smooth: nonsaturating, minimax and "
            "least_squares have"
        )
        return dict.fromkeys(("real_target", "fake_target"), reason)

    def discriminator(self, r: Fields, view: View) -> Terms:
        pair = objective(r.objective)
        targets = {"real_target": r.real_target, "fake_target": r.fake_target}
        loss = pair.discriminator(view.real, view.fake, **(targets if pair.takes_targets else {}))
        seen = observed(pair, view.real.detach(), view.fake.detach())
        return Terms({"adversarial": loss.mean()}, {}, seen)

    def generator(self, r: Fields, view: View) -> Terms:
        if r.adversarial == 0:
            return no_terms()
        pair = objective(r.objective)
        losses = pair.generator(view.real if pair.paired else view.fake, view.fake)
        for technique in view.game.techniques:
            losses = technique.weigh(view.game, view, losses)
        return Terms({"adversarial": r.adversarial * losses.mean()}, {}, {})


def observed(pair: Objective, real: Tensor, fake: Tensor) -> Scalars:
    """Return what the log says of logits: scores, as probabilities where they are, sign, accuracy."""
    import torch

    from figment.objectives.adversarial import divergence

    shown = torch.sigmoid if pair.probabilities else torch.Tensor.float
    scalars = {"score/real": shown(real).mean(), "score/fake": shown(fake).mean()}
    if pair.boundary is None:
        scalars["score/accuracy"] = (real > fake).float().mean()
    else:
        right = (real > pair.boundary).float().mean() + (fake < pair.boundary).float().mean()
        sign = (real - pair.boundary).sign().mean()
        scalars |= {"score/sign": sign, "score/accuracy": right / 2}
    if pair.probabilities:
        jsd = divergence(real, fake)
        scalars |= {"jsd": jsd, "value/above_minimum": 2 * jsd, "value/game": 2 * jsd - LOG_4}
    return scalars


def observed_held_out(pair: Objective, logits: Tensor) -> Scalars:
    """Return what the log says of logits of pictures that were held out, as ``observed`` does of others."""
    shown = logits.sigmoid() if pair.probabilities else logits.float()
    found = {"score/held_out": shown.mean()}
    if pair.boundary is not None:
        found["score/held_out_sign"] = (logits - pair.boundary).sign().mean()
    return found
