"""Minibatch discrimination: the discriminator compares the pictures of a batch (Salimans et al. 2016)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from figment.errors import UserError
from figment.techniques import slopes
from figment.techniques.technique import Technique, above_zero, at_least_zero

if TYPE_CHECKING:
    from torch import nn

    from figment.networks.layers.head import Head
    from figment.rounds import Engine, TwoPlayer


@dataclass(frozen=True, kw_only=True)
class Fields(slopes.Fields):
    minibatch_discrimination: int = 0
    """Kernels that compare the pictures of a batch, scaled by the first batch of reals; 0: none."""
    minibatch_dimensions: int = 16
    """Numbers that each of these kernels compares."""


class MinibatchDiscrimination(Technique[Fields]):
    def on(self, r: Fields) -> bool:
        return r.minibatch_discrimination > 0

    def check(self, r: Fields) -> None:
        at_least_zero(r, "minibatch_discrimination")
        above_zero(r, "minibatch_dimensions")
        if self.on(r) and r.batch < 2 * r.packing:
            raise UserError(
                "minibatch discrimination compares a batch: set --batch to two packs or more"
            )
        if self.on(r):
            whole_slopes(r, "minibatch_discrimination")

    def idle(self, r: Fields) -> Mapping[str, str]:
        needs = "without --minibatch-discrimination"
        return {} if self.on(r) else {"minibatch_dimensions": needs}

    def head(self, r: Fields, head: Head) -> Head:
        from figment.networks.layers import minibatch_discrimination as layer
        from figment.networks.layers.head import compared

        kernels, dimensions = r.minibatch_discrimination, r.minibatch_dimensions

        def with_kernels(features: int) -> nn.Module:
            kernel = layer.MinibatchDiscrimination(features, kernels, dimensions)
            return compared([kernel], head(features + kernels))

        return with_kernels

    def begin(self, r: Fields, engine: Engine) -> None:
        """Set the scale of the kernels by the first batch of reals, as Salimans et al. 2016 do.

        At any fixed scale some networks' features lie so far apart that nothing in a batch is near
        anything.
        """
        from figment.networks.layers.calibration import calibrate
        from figment.penalties import hold_statistics

        game, net = cast("TwoPlayer", r), engine.nets["discriminator"]
        images, labels = engine.feed.first(r.batch)
        shown = game.show(engine.nets, images)
        with hold_statistics(net):
            calibrate(net, *game.discriminator_inputs(shown, labels))


def whole_slopes(r: slopes.Fields, field: str) -> None:
    """Refuse micro-batches where the slope at one picture hangs on all others of its batch."""
    if r.micro_batch and slopes.sloped(r):
        raise UserError(
            f"--micro-batch cannot be used with --{field.replace('_', '-')} and a penalty on gradients, "
            "which needs the whole batch at once: leave one of the three out"
        )
