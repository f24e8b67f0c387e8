"""The samples of the last measurement, kept among a training's networks so that a resume has them too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from figment.recipe import Recipe


class PreviousSamples(nn.Module):
    """The samples that the last measurement saw: the next one tells how far they have moved."""

    SIZE = 256
    samples: Tensor
    taken: Tensor

    def __init__(self, recipe: Recipe) -> None:
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
