"""Objectives: the two players' losses, as pure functions of logits.

Every loss takes the discriminator's logits on reals [N] and on fakes [N], gives one value per pair
[N], and is to be minimised by its player. A positive logit means "real". All are computed in float32
from logits, never from probabilities, so that they stay finite where the sigmoid saturates.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor

Loss = Callable[[Tensor, Tensor], Tensor]


class Objective(NamedTuple):
    """One game: what each player minimises."""

    discriminator: Callable[..., Tensor]
    generator: Loss
    paired: bool = False
    """Whether the generator's loss looks at the logits of reals (relativistic games do)."""


def logistic_discriminator(
    real: Tensor, fake: Tensor, *, real_target: float = 1.0, fake_target: float = 0.0
) -> Tensor:
    """-a log s(real) - (1-a) log s(-real) - b log s(fake) - (1-b) log s(-fake), s the sigmoid: [N].

    ``real_target`` a and ``fake_target`` b are the labels. a = 1, b = 0 is Goodfellow et al. 2014,
    eq. 1; a = .9, b = 0 is one-sided label smoothing (Salimans et al. 2016, section 3.4). With b > 0
    the optimal discriminator rewards fakes where there are no data at all.
    """
    return F.softplus(real) - real_target * real + F.softplus(fake) - fake_target * fake


def nonsaturating_generator(real: Tensor, fake: Tensor) -> Tensor:
    """-log s(fake): [N]; Goodfellow et al. 2014, section 3. Its gradient survives a sure opponent."""
    return F.softplus(-fake)


def minimax_generator(real: Tensor, fake: Tensor) -> Tensor:
    """log(1 - s(fake)): [N]; Goodfellow et al. 2014, eq. 1. Vanishes where the opponent is sure."""
    return -F.softplus(fake)


OBJECTIVES = {
    "nonsaturating": Objective(logistic_discriminator, nonsaturating_generator),
    "minimax": Objective(logistic_discriminator, minimax_generator),
}


def divergence(real: Tensor, fake: Tensor) -> Tensor:
    """Estimate, in nats, of the Jensen-Shannon divergence: a scalar, at most log 2.

    (V + log 4) / 2 with V the value of the game at hard labels: a lower bound that is tight for the
    optimal discriminator (Goodfellow et al. 2014, theorem 1).
    """
    value = -F.softplus(-real).mean() - F.softplus(fake).mean()
    return (value + 1.3862943611198906) / 2
