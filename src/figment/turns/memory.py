"""Turns that remember something from round to round, and where they keep it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Remembering:
    """Turns with a memory: the trainer keeps it as ``nets["turns"]``, so that it is part of the state."""

    def memory(self, weights: Sequence[Tensor]) -> nn.Module:
        """Return the memory as it is before the first round, all of it buffers."""
        raise NotImplementedError


class Shelf(nn.Module):
    """One tensor, zero at first, for each of some weights, as buffers."""

    def __init__(self, weights: Sequence[Tensor]) -> None:
        super().__init__()
        for number, weight in enumerate(weights):
            self.register_buffer(str(number), torch.zeros_like(weight, requires_grad=False))

    def tensors(self) -> list[Tensor]:
        """Return the tensors in the order of the weights."""
        return list(self.buffers())
