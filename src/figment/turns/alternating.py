"""Alternating play: k discriminator moves, then one generator move (Goodfellow et al. 2014, alg. 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from figment.recipe import Batch
    from figment.training.trainer import Trainer


def alternating(trainer: Trainer) -> dict[str, Tensor]:
    """Play one round and return the scalars seen in it.

    Each discriminator move sees fresh reals and fakes. The generator answers the updated discriminator
    with the fakes of the last of them, so a round with k = 1 runs the generator once. Its further
    moves, if there are any, are on fresh latents; the scalars are then those of the last.
    """
    recipe = trainer.recipe
    seen, batch, fakes = move_discriminator(trainer)
    seen |= trainer.move("generator", recipe.generator_terms, batch, fakes)
    for more in range(1, recipe.generator_moves):
        latents = trainer.latents("more latents", trainer.clock.images, more)
        batch = batch._replace(latents=latents)
        with trainer.autocast():
            fakes = recipe.generate(trainer.nets["generator"], latents, batch.labels)
        seen |= trainer.move("generator", recipe.generator_terms, batch, fakes)
    return seen


def move_discriminator(trainer: Trainer) -> tuple[dict[str, Tensor], Batch, Tensor]:
    """Play the discriminator's moves of a round; return their mean scalars, the last batch and its fakes.

    The graph of these fakes reaches the generator's weights.
    """
    recipe, nets = trainer.recipe, trainer.nets
    moves: list[dict[str, Tensor]] = []
    for left in reversed(range(recipe.discriminator_moves)):
        batch = trainer.deal()
        with trainer.autocast(), torch.set_grad_enabled(left == 0):
            fakes = recipe.generate(nets["generator"], batch.latents, batch.labels)
        held = fakes.detach()
        moves.append(trainer.move("discriminator", recipe.discriminator_terms, batch, held))
    means = {name: torch.stack([seen[name] for seen in moves]).mean() for name in moves[0]}
    return means, batch, fakes
