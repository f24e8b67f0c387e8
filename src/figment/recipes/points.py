"""A small GAN for points in the plane: ``ring`` and ``grid``, where every mode can be counted.

Learning rates, depth and latent are those of five settings tried that kept all modes of the ring; see
docs/recipes.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from figment.errors import UserError
from figment.fields import neutral
from figment.gan import GAN
from figment.recipes import limits

if TYPE_CHECKING:
    from torch import Tensor, nn

    from figment.data import Dataset
    from figment.rounds import Turns


@dataclass(frozen=True, kw_only=True)
class Points(GAN):
    """GAN of fully connected networks for points."""

    batch: int = 256
    images: int = 2_000_000
    tick: int = 20_000
    latent: int = 2
    generator_lr: float = 2e-4
    discriminator_lr: float = 1e-3
    hidden: tuple[int, ...] = (128, 128, 128)
    """Units of the hidden layers of both networks."""
    judge_hidden: tuple[int, ...] = ()
    """Units of the discriminator's hidden layers where they are others."""
    divisor: float = 4.0
    """What the discriminator divides the points by."""
    orthogonal_gain: float = 0.0
    """Scale of orthogonal initial weights of the generator; 0: torch's own uniform ones."""
    judge_initial: Literal["torch", "glorot"] = "torch"
    """Initial weights of the discriminator: torch's own, or Glorot's uniform ones with biases of 0."""

    kind: ClassVar[Literal["images", "points"]] = "points"
    BY_DATA: ClassVar[tuple[str, ...]] = (*GAN.BY_DATA, "metrics")

    @property
    def shape(self) -> tuple[int, ...]:
        return (2,)

    def check(self) -> None:
        super().check()
        limits.layers(self, "hidden")
        if any(units < 1 for units in self.judge_hidden):
            raise UserError(
                f"judge_hidden needs layers of 1 or more units, not {self.judge_hidden}"
            )
        if self.divisor <= 0:
            raise UserError(f"divisor must be above 0, not {self.divisor}")
        if self.orthogonal_gain < 0:
            raise UserError(f"orthogonal_gain must be 0 or more, not {self.orthogonal_gain}")

    def tiny(self) -> Self:
        return replace(super().tiny(), hidden=(16, 16), judge_hidden=self.judge_hidden and (16,))

    def settle(self, dataset: Dataset, pinned: frozenset[str] = frozenset()) -> Self:
        """Rank weights by the modes where the data tell them apart, unless other scores were asked for.

        KID on coordinates compares moments: it takes a smear around the ring, as even as the ring, for
        better than eight tight modes of uneven weight (docs/judging.md).
        """
        settled, usual = self, self.metrics == neutral(type(self), "metrics")
        if usual and "metrics" not in pinned and len(set(dataset.labels.tolist())) > 1:
            settled = replace(self, metrics=("modes", *self.metrics))
        return super(Points, settled).settle(dataset, pinned)

    def build(self) -> nn.ModuleDict:
        from torch import nn

        from figment.networks.layers.head import linear
        from figment.networks.layers.initial import glorot, orthogonal
        from figment.networks.mlp import PointDiscriminator, PointGenerator

        generator = PointGenerator(
            latent=self.latent,
            hidden=self.hidden,
            initialise=orthogonal(self.orthogonal_gain) if self.orthogonal_gain else None,
        )
        discriminator = PointDiscriminator(
            hidden=self.judge_hidden or self.hidden,
            dropout=self.dropout,
            inputs=self.discriminator_channels,
            divisor=self.divisor,
            head=self.head(linear),
            initialise=glorot if self.judge_initial == "glorot" else None,
        )
        return nn.ModuleDict({"generator": generator, "discriminator": discriminator})

    def judged(self, nets: nn.ModuleDict, examples: Tensor) -> Tensor | None:
        """As every recipe's; None where the discriminator is given more than one point."""
        together = self.minibatch_discrimination or self.minibatch_stddev
        if self.discriminator_channels != 2 or self.classed or together:
            return None
        net = nets["discriminator"]
        training = net.training
        net.eval()  # without dropout
        logits = self.logits(nets, examples, None)
        net.train(training)
        return logits

    def turns(self) -> Turns:
        from figment.turns.unrolled import Unrolled

        play = super().turns()
        # So few weights: to keep the graph of every step costs little, to compute it again much.
        return replace(play, checkpoint=False) if isinstance(play, Unrolled) else play


POINTS = Points()
