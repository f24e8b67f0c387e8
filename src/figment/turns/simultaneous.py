"""Simultaneous play: both players move at once, each against the other as it was before.

What turns of that kind share is here too: both players' gradients at one point, and a look at the game
from another point.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from figment.rounds import Batch, Engine, Scalars


def simultaneous(engine: Engine) -> Scalars:
    """Play one round and return the scalars seen in it.

    Simultaneous gradient descent: w <- w - η F(w), F both players' gradients, each of its own loss.
    On min_x max_y xy it spirals outwards, the squared norm growing by 1 + η² a round.
    """
    seen = differentiate_both(engine, engine.next_batch())
    step_both(engine)
    return seen


def differentiate_both(engine: Engine, batch: Batch) -> Scalars:
    """Add both players' gradients at the same weights to these weights; return the scalars seen."""
    recipe = engine.now
    fakes = engine.generate(batch)
    seen = engine.differentiate("discriminator", recipe.discriminator_terms, batch, fakes.detach())
    return seen | engine.differentiate("generator", recipe.generator_terms, batch, fakes)


def step_both(engine: Engine) -> None:
    """Let every player take a step along its gradients."""
    for player in engine.optimizers:
        engine.step(player)


@contextmanager
def elsewhere(engine: Engine) -> Generator[None]:
    """Let weights and buffers be changed inside, and give them back on leaving.

    Gradients and optimisers' moments stay as they are left: they are what one comes back with. Running
    statistics, histories and whatever else the rules of the game keep show no trace.
    """
    nets = [net for name, net in engine.nets.items() if name != "turns"]
    tensors = [*engine.weights(), *(buffer for net in nets for buffer in net.buffers())]
    kept = [tensor.detach().clone() for tensor in tensors]
    try:
        yield
    finally:
        with torch.no_grad():
            for tensor, value in zip(tensors, kept, strict=True):
                tensor.copy_(value)
