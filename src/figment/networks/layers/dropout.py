"""Dropout whose mask belongs to the image, not to the process that happens to hold it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from figment.randomness_per_image import uniform


class Dropout(nn.Module):
    """Zero each feature with probability ``p`` while training and scale the rest by 1 / (1 - p).

    [N, ...] -> [N, ...]; the identity in evaluation; Srivastava et al. 2014. The mask is the
    image's own (``figment.randomness_per_image``).
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        like = x.new_empty((), dtype=torch.float32)
        keep = uniform(*x.shape, like=like) >= self.p
        return x * keep / (1 - self.p)

    def extra_repr(self) -> str:
        return f"p={self.p}"
