"""Random numbers that belong to the image, not to the process or the micro-batch that happens to hold it.

They are drawn for the batch of all processes and cut to the rows at hand, so that a run on two
processes, or in micro-batches, equals a run on one with whole batches.
"""

from __future__ import annotations

import torch
from torch import Tensor

from figment import mesh
from figment.microbatch import part_of


def uniform(*shape: int, like: Tensor) -> Tensor:
    """Return U(0, 1) of ``shape`` [N, ...], on the device and in the dtype of ``like``."""
    whole = torch.rand(_whole(shape), device=like.device, dtype=like.dtype)
    return _mine(whole, shape[0])


def normal(*shape: int, like: Tensor) -> Tensor:
    """Return N(0, 1) of ``shape`` [N, ...], on the device and in the dtype of ``like``."""
    whole = torch.randn(_whole(shape), device=like.device, dtype=like.dtype)
    return _mine(whole, shape[0])


def integers(n: int, count: int, *, like: Tensor) -> Tensor:
    """Return ``n`` whole numbers from 0 to ``count`` - 1: [N], int64, on the device of ``like``."""
    share = uniform(n, like=like.new_empty((), dtype=torch.float32))
    return (share * count).long().clamp(max=count - 1)  # the product may round up to ``count``


def gated(value: Tensor, neutral: float, chance: Tensor) -> Tensor:
    """Return each image's ``value`` [N, ...] with probability ``chance``, else ``neutral``."""
    gate = uniform(len(value), *[1] * (value.ndim - 1), like=value) < chance
    return torch.where(gate, value, neutral)


def _whole(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (part_of(shape[0])[0] * mesh.size(), *shape[1:])


def _mine(whole: Tensor, rows: int) -> Tensor:
    return whole[mesh.rows(len(whole))][part_of(rows)[1]]
