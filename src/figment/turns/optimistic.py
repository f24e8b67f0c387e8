"""Optimistic play: the step ahead is guessed from the last round, so that one gradient is enough."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from figment.turns.memory import Remembering, Shelf
from figment.turns.simultaneous import differentiate_both

if TYPE_CHECKING:
    from torch import Tensor

    from figment.rounds import Engine, Scalars


class Optimistic(Remembering):
    """w <- w + 2 u - u', u the optimiser's step at w, u' that of the round before; both players together.

    With plain gradient steps it is optimistic gradient descent, w - 2 η F(w) + η F(w'), and its weights
    are the points that extrapolation from the past looks from (Popov 1980; Gidel et al. 2019,
    alg. 3): x' = x - η F(x' before), x <- x - η F(x'). With Adam it is Optimistic Adam
    (Daskalakis et al. 2018, alg. 1). In the first round u' is 0.
    """

    def memory(self, weights: Sequence[Tensor]) -> Shelf:
        """Return where the last round's steps are kept."""
        return Shelf(weights)

    def __call__(self, engine: Engine) -> Scalars:
        """Play one round and return the scalars seen in it."""
        shelf: Shelf = engine.nets["turns"]  # ty: ignore[invalid-assignment]
        weights, past = engine.weights(), shelf.tensors()
        seen = differentiate_both(engine, engine.next_batch())
        before = [weight.detach().clone() for weight in weights]
        for optimizer in engine.optimizers.values():
            optimizer.step()
            optimizer.zero_grad()
        with torch.no_grad():
            steps = torch._foreach_sub(weights, before)
            torch._foreach_add_(weights, steps)
            torch._foreach_sub_(weights, past)
            torch._foreach_copy_(past, steps)
        for player in engine.optimizers:
            engine.now.after(player, engine.nets)
        return seen
