"""Penalties on the slope of the discriminator: R1, R2, WGAN-GP, 0-GP, DRAGAN."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from figment.rounds import Terms, no_terms
from figment.techniques import packing, spectral_norm
from figment.techniques.technique import Technique, above_zero, at_least_zero

if TYPE_CHECKING:
    from torch import Tensor

    from figment.penalties import Critic
    from figment.rounds import Clock, Scalars
    from figment.techniques.technique import View

WEIGHTS = ("r1", "r2", "gradient_penalty", "zero_centred", "dragan")


@dataclass(frozen=True, kw_only=True)
class Fields(packing.Fields, spectral_norm.Fields):
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

    def every(self, r: Fields) -> int:
        return r.penalty_every

    def differentiates(self, r: Fields, clock: Clock) -> Collection[str]:
        """Spectral norm's iteration takes a step a pass, which slopes are not to share."""
        if clock.rounds % r.penalty_every or r.spectral_norm != "none":
            return ()
        return [side for side, weight in (("reals", r.r1), ("fakes", r.r2)) if weight > 0]

    def discriminator(self, r: Fields, view: View) -> Terms:
        """By the pictures themselves (packed): what augments them on their way is part of the function."""
        from figment.microbatch import own_rows
        from figment.networks.layers.packing import pack
        from figment.penalties import hold_statistics

        if view.clock.rounds % r.penalty_every:
            return no_terms()
        reals, fakes = pack(view.batch.images, r.packing), pack(view.fakes, r.packing)

        def of_reals(packed: Tensor) -> Tensor:
            return view.logits(packed.reshape(-1, *r.shape), own_rows(view.batch.labels))

        found: Scalars = {}
        with hold_statistics(view.nets["discriminator"]):
            if r.r1 > 0:
                found["r1"] = r.r1 * view.reals_side.squared_slopes(r.packing) / 2
            if r.r2 > 0:  # where earlier fakes are among them, they have labels of their own
                found["r2"] = r.r2 * view.fakes_side.squared_slopes(r.packing) / 2
            found |= _between(r, of_reals, reals, fakes)
        weighted = {name: r.penalty_every * value.mean() for name, value in found.items()}
        return Terms({}, weighted, {})


def _between(r: Fields, critic: Critic, reals: Tensor, fakes: Tensor) -> Scalars:
    """The penalties [N] at other places that have a weight, weighted, in the order of their draws."""
    from figment import penalties

    found: Scalars = {}
    if r.gradient_penalty > 0:
        one_sided = r.gradient_penalty_sides == 1
        values = penalties.gradient_penalty(critic, reals, fakes, one_sided=one_sided)
        found["gradient_penalty"] = r.gradient_penalty * values
    if r.zero_centred > 0:
        found["zero_centred"] = r.zero_centred * penalties.zero_centred(critic, reals, fakes)
    if r.dragan > 0:
        found["dragan"] = r.dragan * penalties.dragan(critic, reals)
    return found
