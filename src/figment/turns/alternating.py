"""Alternating play: k discriminator moves, then one generator move (Goodfellow et al. 2014, alg. 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from figment.rounds import Batch, Engine, Scalars


def alternating(engine: Engine) -> Scalars:
    """Play one round and return the scalars seen in it.

    Each discriminator move sees fresh reals and fakes. The generator answers the updated discriminator
    with the fakes of the last of them, so a round with k = 1 runs the generator once. Its further
    moves, if there are any, are on fresh latents; the scalars are then those of the last.
    """
    seen, batch, fakes = move_discriminator(engine)
    seen |= engine.move("generator", engine.now.generator_terms, batch, fakes)
    for more in range(1, engine.now.generator_moves):
        latents = engine.latents("more latents", engine.clock.images, more)
        batch = batch._replace(latents=latents)
        fakes = engine.generate(batch)
        seen |= engine.move("generator", engine.now.generator_terms, batch, fakes)
    return seen


def move_discriminator(engine: Engine) -> tuple[Scalars, Batch, Tensor]:
    """Play the discriminator's moves of a round; return their mean scalars, the last batch and its fakes.

    The graph of these fakes reaches the generator's weights.
    """
    moves: list[Scalars] = []
    for left in reversed(range(engine.now.discriminator_moves)):
        batch = engine.next_batch()
        with torch.set_grad_enabled(left == 0):
            fakes = engine.generate(batch)
        rule = engine.now.discriminator_terms
        moves.append(engine.move("discriminator", rule, batch, fakes.detach()))
    means = {name: torch.stack([seen[name] for seen in moves]).mean() for name in moves[0]}
    return means, batch, fakes
