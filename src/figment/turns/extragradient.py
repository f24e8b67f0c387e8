"""Extragradient play: look one step ahead, come back, and step by what was seen there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from figment.turns.simultaneous import differentiate_both, elsewhere, step_both

if TYPE_CHECKING:
    from figment.rounds import Engine, Scalars


@dataclass(frozen=True, kw_only=True)
class Extragradient:
    """w' = w - η F(w); w <- w - η F(w'), both players together.

    Korpelevich 1976; Gidel et al. 2019, alg. 2. With Adam it is their ExtraAdam (alg. 4): both steps
    are Adam's and both update its moments, so that a round counts as two of its steps. Weights that a
    move clips are clipped at w' too. On min_x max_y xy the squared norm changes by the factor
    1 - η² + η⁴ a round.
    """

    fresh: bool = True
    """Look at a new batch for the second gradient, as they do; otherwise at the first one again."""

    def __call__(self, engine: Engine) -> Scalars:
        """Play one round and return the scalars seen at w, before it."""
        batch = engine.next_batch()
        seen = differentiate_both(engine, batch)
        with elsewhere(engine):
            step_both(engine)
            differentiate_both(engine, engine.next_batch() if self.fresh else batch)
        step_both(engine)
        return seen
