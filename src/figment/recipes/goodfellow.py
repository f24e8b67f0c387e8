"""The first GAN: Goodfellow et al. 2014, arXiv:1406.2661, in the numbers of its code (system L1).

For MNIST: ReLU units against maxout units, dropout in the discriminator, plain gradient steps of .1 on
100 pictures, one move each. The discriminator's rate is .05 because their code halves its loss. Rates are
divided by 1.000004 after every batch and the momentum rises from .5 to .7 over 250 passes; they name no
end, here it is that one. Players alternate as in the paper's algorithm 1; in their code both move at
once (``--play simultaneous``). The generator minimises -log D(G(z)), as there; the paper's game in so
many words, log(1 - D(G(z))), is the minimax system.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Self

from figment.errors import UserError
from figment.gan import GAN
from figment.recipes import limits

if TYPE_CHECKING:
    from torch import nn

    from figment.rounds import Clock

MNIST = 50_000
"""Digits in one pass: the first of the training set."""


@dataclass(frozen=True, kw_only=True)
class Goodfellow(GAN):
    """GAN of a generator of ReLU units and a discriminator of maxout units."""

    resolution: int = 28
    channels: int = 1
    batch: int = 100
    images: int = 250 * MNIST
    dropout: float = 0.5
    optimizer: Literal["adam", "rmsprop", "sgd"] = "sgd"
    generator_lr: float = 0.1
    discriminator_lr: float = 0.05
    rate_divisor: float = 1.000004
    """What the learning rates are divided by after every round."""
    final_momentum: float = 0.7
    """What the momentum, the first of betas, rises to."""
    momentum_images: int = 250 * MNIST
    """Images until it is there."""
    input_dropout: float = 0.2
    """Share of the pixels that are dropped before the discriminator while it learns."""
    hidden: tuple[int, ...] = (1200, 1200)
    """Units of the generator's hidden layers."""
    judge_hidden: tuple[int, ...] = (240, 240)
    """Maxout units of the discriminator's hidden layers."""
    pieces: int = 5
    """Linear maps of which a maxout unit is the largest."""

    def check(self) -> None:
        super().check()
        limits.layers(self, "hidden", "judge_hidden")
        limits.share(self, "input_dropout", "final_momentum")
        limits.at_least(self, 1, "pieces", "momentum_images")
        if self.betas[0] == 0 < self.final_momentum:
            raise UserError(
                "momentum cannot rise from 0: set the first of betas above 0, or final_momentum to 0"
            )
        if self.rate_divisor < 1:
            raise UserError(f"rate_divisor must be 1 or more, not {self.rate_divisor}")

    def tiny(self) -> Self:
        return replace(super().tiny(), resolution=16, hidden=(8, 16), judge_hidden=(16, 8))

    def idle(self) -> Mapping[str, str]:
        same = self.final_momentum == self.betas[0]
        reason = "where --final-momentum is the first of --betas: set another"
        return {**super().idle(), **({"momentum_images": reason} if same else {})}

    def at(self, clock: Clock) -> Self:
        """The momentum rises in a straight line, beside what all games have."""
        risen = min(1.0, clock.images / self.momentum_images)
        momentum = self.betas[0] + risen * (self.final_momentum - self.betas[0])
        return replace(super().at(clock), betas=(momentum, self.betas[1]))

    def rate(self, clock: Clock) -> float:
        """Divided by the same number after every round, beside what all games have."""
        return super().rate(clock) * self.rate_divisor**-clock.rounds

    def build(self) -> nn.ModuleDict:
        from torch import nn

        from figment.networks.layers.head import linear
        from figment.networks.maxout import Discriminator, Generator

        generator = Generator(latent=self.inputs, hidden=self.hidden, shape=self.shape)
        discriminator = Discriminator(
            shape=(self.discriminator_channels, *self.shape[1:]),
            hidden=self.judge_hidden,
            pieces=self.pieces,
            dropout=self.dropout,
            input_dropout=self.input_dropout,
            head=self.head(linear),
        )
        return nn.ModuleDict({"generator": generator, "discriminator": discriminator})


GOODFELLOW = Goodfellow()
MINIMAX = Goodfellow(objective="minimax")
