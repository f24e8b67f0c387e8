"""Variance-reduced extragradient play: mini-batch noise is cancelled against a remembered full gradient.

Chavdarova et al. 2019, "Reducing noise in GAN training with variance reduced extragradient", algorithm 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import nn

from figment.randomness import seed_of, stream
from figment.turns.memory import Remembering, Shelf
from figment.turns.simultaneous import differentiate_both, elsewhere, step_both

if TYPE_CHECKING:
    from torch import Tensor

    from figment.rounds import Batch, Engine, Scalars


class Snapshot(nn.Module):
    """Weights remembered, the mean gradient there, and how far the epoch is."""

    def __init__(self, weights: Sequence[Tensor]) -> None:
        super().__init__()
        self.weights = Shelf(weights)
        self.mean = Shelf(weights)
        for count in ("taken", "gathered", "left"):
            self.register_buffer(count, torch.zeros((), dtype=torch.int64))

    taken: Tensor
    """Snapshots taken so far."""
    gathered: Tensor
    """Batches of the next mean gradient that have been added up."""
    left: Tensor
    """Moves left until the next snapshot."""


class SVRE(Remembering):
    """An epoch: a snapshot v, μ the mean of F over all n batches at v, then N moves, N ~ Geometric(1/n).

    A move, both players together: with batch i, d = F_i(w) - F_i(v) + μ and w' = w - η d; with a fresh
    batch j, d' = F_j(w') - F_j(v) + μ and w <- w - η d'. F_i(w) and F_i(v) see the same images, latents
    and dropout masks, so that d = μ at w = v whatever i. η d is the step that the recipe's optimisers
    take; the paper's theory is of plain gradient steps.

    A round is one batch of μ, in which nobody moves, or one move; so a training can be stopped and
    resumed between any two. n is the number of whole batches in the data; each μ is over another
    shuffle of them.
    """

    def memory(self, weights: Sequence[Tensor]) -> Snapshot:
        """Return the snapshot to be: that of no weights."""
        return Snapshot(weights)

    def __call__(self, engine: Engine) -> Scalars:
        """Play one round and return the scalars seen at w."""
        snapshot: Snapshot = engine.nets["turns"]  # ty: ignore[invalid-assignment]
        if snapshot.left == 0:
            return _gather(engine, snapshot)
        snapshot.left -= 1
        seen = _reduced(engine, snapshot, engine.next_batch())
        with elsewhere(engine):
            step_both(engine)
            _reduced(engine, snapshot, engine.next_batch())
        step_both(engine)
        return seen


def _gather(engine: Engine, snapshot: Snapshot) -> Scalars:
    """Add one batch to the mean gradient; after the last one, draw the length of the epoch."""
    batch, weights, mean = engine.now.batch, engine.weights(), snapshot.mean.tensors()
    parts = max(1, len(engine.feed.rows) // batch)
    if snapshot.taken == 0 and snapshot.gathered == 0:
        _allocate(engine)
    if snapshot.gathered == 0:
        torch._foreach_copy_(snapshot.weights.tensors(), [weight.detach() for weight in weights])
        torch._foreach_zero_(mean)
    start = int(snapshot.taken) * len(engine.feed.rows) + int(snapshot.gathered) * batch
    seen = differentiate_both(engine, engine.next_batch(start))
    torch._foreach_add_(mean, _take(weights), alpha=1 / parts)
    snapshot.gathered += 1
    if snapshot.gathered == parts:
        length = stream("svre", engine.now.seed, engine.clock.images).geometric(1 / parts)
        snapshot.left.fill_(int(length))
        snapshot.gathered.zero_()
        snapshot.taken += 1
    return seen


def _reduced(engine: Engine, snapshot: Snapshot, batch: Batch) -> Scalars:
    """Leave F(w) - F(v) + μ on this batch as the weights' gradients; return the scalars seen at w."""
    weights = engine.weights()
    seed = seed_of("svre", engine.now.seed, engine.clock.images)
    with elsewhere(engine):
        with torch.no_grad():
            torch._foreach_copy_(weights, snapshot.weights.tensors())
        torch.manual_seed(seed)
        differentiate_both(engine, batch)
        there = _take(weights)
    torch.manual_seed(seed)
    seen = differentiate_both(engine, batch)
    here = _take(weights)
    torch._foreach_sub_(here, there)  # first, so that nothing but μ is left at w = v
    torch._foreach_add_(here, snapshot.mean.tensors())
    for weight, gradient in zip(weights, here, strict=True):
        weight.grad = gradient
    return seen


def _allocate(engine: Engine) -> None:
    """Give the optimisers their moments, all 0, before the first move: a state is saved with them."""
    with elsewhere(engine):
        for weight in engine.weights():
            weight.grad = torch.zeros_like(weight)
        for optimizer in engine.optimizers.values():
            optimizer.step()
            optimizer.zero_grad()
    for optimizer in engine.optimizers.values():
        for moments in optimizer.state.values():
            for value in moments.values():
                if isinstance(value, torch.Tensor):
                    value.zero_()


def _take(weights: Sequence[Tensor]) -> list[Tensor]:
    """Return the weights' gradients, 0 where there is none, and clear them."""
    taken = [torch.zeros_like(w) if w.grad is None else w.grad for w in weights]
    for weight in weights:
        weight.grad = None
    return taken
