"""The samples that the last measurement saw: the next one tells how far they have moved."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from figment.rounds import Playable


class PreviousSamples(nn.Module):
    """A measurement's samples, as buffers, so that a resumed run compares with the same ones."""

    SIZE = 256
    samples: Tensor
    taken: Tensor

    def __init__(self, recipe: Playable) -> None:
        super().__init__()
        kind = torch.uint8 if recipe.kind == "images" else torch.float32
        self.register_buffer("samples", torch.zeros(self.SIZE, *recipe.shape, dtype=kind))
        self.register_buffer("taken", torch.zeros((), dtype=torch.bool))

    def exchange(self, samples: Tensor) -> Tensor | None:
        """Keep the samples; return those of the last measurement, None at the first."""
        before = self.samples.cpu().clone() if self.taken else None
        self.samples.copy_(samples)
        self.taken.fill_(True)
        return before
