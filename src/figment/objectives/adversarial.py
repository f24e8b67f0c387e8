"""Objectives: the two players' losses, as pure functions of logits.

Every loss takes the discriminator's logits on reals [N] and on fakes [N], gives one value per pair
[N], and is to be minimised by its player. A larger logit means "more real" (the code of Arjovsky et al.
2017 has it the other way round). All are computed in float32 from logits, never from probabilities, so
that they stay finite where the sigmoid saturates.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from figment import mesh

Loss = Callable[[Tensor, Tensor], Tensor]


class Objective(NamedTuple):
    """One game: what each player minimises, and what may be said of its logits."""

    discriminator: Callable[..., Tensor]
    generator: Loss
    paired: bool = False
    """Whether the generator's loss looks at the logits of reals (relativistic games do)."""
    takes_targets: bool = False
    """Whether the discriminator's loss takes ``real_target`` and ``fake_target``."""
    probabilities: bool = False
    """Whether the sigmoid of a logit is the probability of "real": scores and JSD mean something."""
    zero_sum: bool = False
    """Whether the generator's loss is minus the discriminator's, up to what its samples do not reach."""
    bounded: bool = True
    """Whether the discriminator's loss has a minimum by itself, whatever the slope of its logits."""
    boundary: float | None = None
    """The logit above which the discriminator says "real"; None where only differences count."""


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


def least_squares_discriminator(
    real: Tensor, fake: Tensor, *, real_target: float = 1.0, fake_target: float = 0.0
) -> Tensor:
    """(real - b)^2 / 2 + (fake - a)^2 / 2: [N]; Mao et al. 2017, eq. 2, with its halves.

    ``real_target`` is b and ``fake_target`` a, 1 and 0 as in eq. 9. The optimal logit is
    (b p_data + a p_generator) / (p_data + p_generator): no sigmoid, although it lies between a and b.
    """
    return (real - real_target).square() / 2 + (fake - fake_target).square() / 2


def least_squares_generator(real: Tensor, fake: Tensor, *, target: float = 1.0) -> Tensor:
    """(fake - c)^2 / 2: [N]; Mao et al. 2017, eq. 2. ``target`` is c, 1 as in eq. 9.

    c = 0 with labels -1 and 1 minimises Pearson's chi-squared divergence (eq. 8).
    """
    return (fake - target).square() / 2


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """max(0, 1 - real) + max(0, 1 + fake): [N]; Lim & Ye 2017; Miyato et al. 2018, eq. 16.

    What is on the right side by 1 or more teaches nothing.
    """
    return F.relu(1 - real) + F.relu(1 + fake)


def wasserstein_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """fake - real: [N]; Arjovsky et al. 2017, eq. 2, as a loss.

    Minus its mean is the Wasserstein distance, times the critic's Lipschitz constant. It has no
    minimum unless that constant is bounded: by clipping, spectral norm or a gradient penalty.
    """
    return fake - real


def critic_generator(real: Tensor, fake: Tensor) -> Tensor:
    """-fake: [N]; Arjovsky et al. 2017, algorithm 1; also the hinge game's, Miyato et al. 2018, eq. 17."""
    return -fake


def relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """-log s(real - fake): [N], pair by pair; Jolicoeur-Martineau 2018 (RSGAN), RpGAN since.

    A constant added to all logits changes nothing, so the bias of the last layer never moves.
    """
    return F.softplus(fake - real)


def relativistic_generator(real: Tensor, fake: Tensor) -> Tensor:
    """-log s(fake - real): [N]; Jolicoeur-Martineau 2018.

    The non-saturating mirror image of the discriminator's loss, which R3GAN's code uses; the zero-sum
    form of its paper (Huang et al. 2024, eq. 2) would be minus that loss.
    """
    return F.softplus(real - fake)


def relativistic_average_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """(-log s(real - mean fake) - log s(mean real - fake)) / 2: [N]; Jolicoeur-Martineau 2018.

    The means are over the whole batch, of all processes. Halved as in the author's code (not in her
    equations), which puts it on the scale of the pairing form: log 2 at equal logits.
    """
    mean_real, mean_fake = _means(real, fake)
    return (F.softplus(mean_fake - real) + F.softplus(fake - mean_real)) / 2


def relativistic_average_generator(real: Tensor, fake: Tensor) -> Tensor:
    """(-log s(fake - mean real) - log s(mean fake - real)) / 2: [N]; Jolicoeur-Martineau 2018."""
    return relativistic_average_discriminator(fake, real)


OBJECTIVES = {
    "nonsaturating": Objective(
        logistic_discriminator,
        nonsaturating_generator,
        takes_targets=True,
        probabilities=True,
        boundary=0.0,
    ),
    "minimax": Objective(
        logistic_discriminator,
        minimax_generator,
        takes_targets=True,
        probabilities=True,
        zero_sum=True,
        boundary=0.0,
    ),
    "least_squares": Objective(
        least_squares_discriminator, least_squares_generator, takes_targets=True, boundary=0.5
    ),
    "hinge": Objective(hinge_discriminator, critic_generator, boundary=0.0),
    "wasserstein": Objective(
        wasserstein_discriminator, critic_generator, zero_sum=True, bounded=False
    ),
    "relativistic": Objective(relativistic_discriminator, relativistic_generator, paired=True),
    "relativistic_average": Objective(
        relativistic_average_discriminator, relativistic_average_generator, paired=True
    ),
}


def divergence(real: Tensor, fake: Tensor) -> Tensor:
    """Estimate, in nats, of the Jensen-Shannon divergence: a scalar, at most log 2.

    (V + log 4) / 2 with V the value of the game at hard labels: a lower bound that is tight for the
    optimal discriminator (Goodfellow et al. 2014, theorem 1). Of objectives with ``probabilities`` only.
    """
    value = -F.softplus(-real).mean() - F.softplus(fake).mean()
    return (value + 1.3862943611198906) / 2


class _MeanOverProcesses(torch.autograd.Function):
    """The mean of a tensor over the processes, for losses whose gradients are then averaged over them.

    Equal shares make the map its own adjoint, so it is its own derivative, to any order.
    """

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        mean = x.clone()
        mesh.average([mean])
        return mean

    @staticmethod
    def backward(ctx, *grads: Tensor) -> Tensor:
        return _MeanOverProcesses.apply(*grads)


def _means(*logits: Tensor) -> tuple[Tensor, ...]:
    """Means over the batch of all processes."""
    means = torch.stack([each.mean() for each in logits])
    return (_MeanOverProcesses.apply(means) if mesh.size() > 1 else means).unbind()
