"""The feed of a training: examples and latents, each a function of the seed and its position."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from figment import mesh
from figment.data import Dataset, Order, evenly_spaced, gather, split
from figment.pixels import to_float
from figment.randomness import stream
from figment.rounds import Batch, Clock, Playable


class Feed:
    """A data set split into what is learned from and what is held out, in training's order."""

    def __init__(self, recipe: Playable, dataset: Dataset, device: torch.device) -> None:
        self.dataset, self.device = dataset, device
        self.rows, self.held_out = split(dataset, recipe.held_out, recipe.seed)
        self.order = Order(len(self.rows), recipe.seed)

    def batch(self, recipe: Playable, clock: Clock, start: int | None = None) -> Batch:
        """Return this process's share of a batch: reals from the clock's place or ``start`` on, latents."""
        first = clock.images if start is None else start
        chosen = self.order.indices(first, recipe.batch)[mesh.rows(recipe.batch)]
        images, labels = self.fetch(self.rows[chosen])
        images = recipe.reals(images, clock)
        if images.ndim == 4:
            images = images.contiguous(memory_format=torch.channels_last)
        return Batch(images, labels, self.latents(recipe, "latents", clock.images))

    def latents(self, recipe: Playable, purpose: str, *address: int) -> Tensor:
        """Return this process's share of a batch of latents [N, L], by their address in the seed."""
        shape = (recipe.batch, recipe.latent)
        drawn = stream(purpose, recipe.seed, *address).standard_normal(shape, dtype="float32")
        return _own(drawn[mesh.rows(recipe.batch)]).to(self.device)

    def first(self, count: int) -> tuple[Tensor, Tensor]:
        """Return this process's share of the first ``count`` examples in training's order, with labels."""
        return self.fetch(self.rows[self.order.indices(0, count)[mesh.rows(count)]])

    def held_out_examples(self, count: int) -> tuple[Tensor, Tensor | None] | None:
        """Return at most ``count`` examples that are not learned from, and their labels if they have any.

        In random order, always the same: as they lie, class after class, a part of them has other batch
        statistics than batches in training have. None where nothing is held out.
        """
        chosen = evenly_spaced(self.held_out, count)
        if not len(chosen):
            return None
        chosen = chosen[stream("held out", self.order.seed).permutation(len(chosen))]
        images, labels = self.fetch(chosen)
        return images, labels if self.dataset.classes else None

    def fetch(self, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        """Return these examples on the device, pictures in [-1, 1], and their labels."""
        examples, labels = gather(self.dataset, rows)
        images = _own(examples).to(self.device)
        if images.dtype == torch.uint8:
            images = to_float(images)
        return images, _own(labels).to(self.device)


def _own(array: np.ndarray) -> Tensor:
    """Return a copy in torch's memory.

    numpy's arrays begin at any multiple of 16 bytes, torch's at multiples of 64, and matrix products
    round differently by where their operands begin: without the copy, equal runs end in different bits.
    """
    return torch.from_numpy(array).clone()
