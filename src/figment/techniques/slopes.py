"""Penalties on the slope of the discriminator: R1, R2, WGAN-GP, 0-GP, DRAGAN."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from figment.rounds import Terms, no_terms
from figment.techniques import packing
from figment.techniques.technique import Technique, above_zero, at_least_zero

if TYPE_CHECKING:
    from torch import Tensor

    from figment.rounds import Scalars
    from figment.techniques.technique import View

WEIGHTS = ("r1", "r2", "gradient_penalty", "zero_centred", "dragan")


@dataclass(frozen=True, kw_only=True)
class Fields(packing.Fields):
    r1: float = 0.0
    """R1 penalty's gamma: weight of half the squared gradient on reals; usual .01 to 150."""
    r2: float = 0.0
    """R2 penalty's gamma: weight of half the squared gradient on fakes."""
    gradient_penalty: float = 0.0
    """Weight of the gradient's squared distance from 1 between reals and fakes (WGAN-GP)."""
    gradient_penalty_sides: Literal[1, 2] = 2
    """2: any gradient that is not 1 costs; 1: only steeper ones."""
    zero_centred: float = 0.0
    """Weight of the squared gradient between reals and fakes."""
    dragan: float = 0.0
    """Weight of the gradient's squared distance from 1 around reals."""
    penalty_every: int = 1
    """Rounds between two applications of these penalties, each multiplied by it to compensate."""


def sloped(r: Fields) -> bool:
    """Return whether any of these penalties has a weight."""
    return any(getattr(r, name) > 0 for name in WEIGHTS)


class Slopes(Technique[Fields]):
    def on(self, r: Fields) -> bool:
        return sloped(r)

    def check(self, r: Fields) -> None:
        at_least_zero(r, *WEIGHTS)
        above_zero(r, "penalty_every")

    def idle(self, r: Fields) -> Mapping[str, str]:
        found = {}
        if not r.gradient_penalty:
            found["gradient_penalty_sides"] = "without --gradient-penalty"
        if not sloped(r):
            listed = ", ".join(f"--{name.replace('_', '-')}" for name in WEIGHTS)
            found["penalty_every"] = f"without a penalty on gradients ({listed})"
        return found

    def bounds(self, r: Fields) -> bool:
        return sloped(r)

    def discriminator(self, r: Fields, view: View) -> Terms:
        """By the pictures themselves (packed): what augments them on their way is part of the function."""
        from figment.microbatch import own_rows
        from figment.networks.layers.packing import pack
        from figment.penalties import hold_statistics

        if view.clock.rounds % r.penalty_every:
            return no_terms()
        reals, fakes = pack(view.batch.images, r.packing), pack(view.fakes, r.packing)

        def logits_as(labels: Tensor, packed: Tensor) -> Tensor:
            return view.logits(packed.reshape(-1, *r.shape), own_rows(labels))

        # Where earlier fakes are among them, fakes have labels of their own.
        of_reals, of_fakes = (partial(logits_as, each) for each in (view.batch.labels, view.labels))
        with hold_statistics(view.nets["discriminator"]):
            found = _penalties(r, of_reals, of_fakes, reals, fakes)
        weighted = {name: r.penalty_every * value.mean() for name, value in found.items()}
        return Terms({}, weighted, {})


def _penalties(
    r: Fields, of_reals: partial, of_fakes: partial, reals: Tensor, fakes: Tensor
) -> Scalars:
    """The penalties [N] that have a weight, weighted, in the order in which they draw random numbers."""
    from figment import penalties

    found: Scalars = {}
    if r.r1 > 0:
        found["r1"] = r.r1 * penalties.r1(of_reals, reals)
    if r.r2 > 0:
        found["r2"] = r.r2 * penalties.r2(of_fakes, fakes)
    if r.gradient_penalty > 0:
        one_sided = r.gradient_penalty_sides == 1
        values = penalties.gradient_penalty(of_reals, reals, fakes, one_sided=one_sided)
        found["gradient_penalty"] = r.gradient_penalty * values
    if r.zero_centred > 0:
        found["zero_centred"] = r.zero_centred * penalties.zero_centred(of_reals, reals, fakes)
    if r.dragan > 0:
        found["dragan"] = r.dragan * penalties.dragan(of_reals, reals)
    return found
