"""Random numbers as the transforms of augmentation need them."""

from __future__ import annotations

import torch
from torch import Tensor

from figment.draws import uniform


def whole(n: int, count: int, *, like: Tensor) -> Tensor:
    """Return ``n`` whole numbers from 0 to ``count`` - 1: [N], int64, on the device of ``like``."""
    share = uniform(n, like=like.new_empty((), dtype=torch.float32))
    return (share * count).long().clamp(max=count - 1)  # the product may round up to ``count``


def gated(value: Tensor, neutral: float, chance: Tensor) -> Tensor:
    """Return each image's ``value`` [N, ...] with probability ``chance``, else ``neutral``."""
    gate = uniform(len(value), *[1] * (value.ndim - 1), like=value) < chance
    return torch.where(gate, value, neutral)
