"""Simultaneous play: both players move at once, each against the other as it was before.

What turns of that kind share is here too: both players' gradients at one point, and a look at the game
from another point.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from figment.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    from figment.recipe import Batch
    from figment.training.trainer import Trainer


def simultaneous(trainer: Trainer) -> dict[str, Tensor]:
    """Play one round and return the scalars seen in it.

    Simultaneous gradient descent: w <- w - η F(w), F both players' gradients, each of its own loss.
    On min_x max_y xy it spirals outwards, the squared norm growing by 1 + η² a round.
    """
    seen = differentiate_both(trainer, trainer.deal())
    step_both(trainer)
    return seen


def differentiate_both(trainer: Trainer, batch: Batch) -> dict[str, Tensor]:
    """Add both players' gradients at the same weights to these weights; return the scalars seen.

    Raises UserError for a recipe with more than one discriminator move a round.
    """
    recipe, nets = trainer.recipe, trainer.nets
    if recipe.discriminator_moves != 1:
        raise UserError(
            "these turns move both players once a round: set discriminator_moves to 1, "
            f"not {recipe.discriminator_moves}"
        )
    with trainer.autocast():
        fakes = recipe.generate(nets["generator"], batch.latents, batch.labels)
    rule = recipe.discriminator_terms
    seen = trainer.differentiate("discriminator", rule, batch, fakes.detach())
    return seen | trainer.differentiate("generator", recipe.generator_terms, batch, fakes)


def step_both(trainer: Trainer) -> None:
    """Let every player take a step along its gradients."""
    for player in trainer.optimizers:
        trainer.step(player)


@contextmanager
def elsewhere(trainer: Trainer) -> Generator[None]:
    """Let weights and buffers be changed inside, and give them back on leaving.

    Gradients and optimisers' moments stay as they are left: they are what one comes back with. Running
    statistics, histories and whatever else the rules of the game keep show no trace.
    """
    nets = [net for name, net in trainer.nets.items() if name != "turns"]
    tensors = [*trainer.weights(), *(buffer for net in nets for buffer in net.buffers())]
    kept = [tensor.detach().clone() for tensor in tensors]
    try:
        yield
    finally:
        with torch.no_grad():
            for tensor, value in zip(tensors, kept, strict=True):
                tensor.copy_(value)
