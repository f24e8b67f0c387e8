"""Random numbers that belong to the image, not to the process that happens to hold it."""

from __future__ import annotations

import torch
from torch import Tensor

from figment import mesh


def uniform(*shape: int, like: Tensor) -> Tensor:
    """Return U(0, 1) of ``shape`` [N, ...], on the device and in the dtype of ``like``.

    Drawn for the batch of all processes and cut to this one's rows, so that a run on two processes
    equals a run on one.
    """
    return _mine(torch.rand(_whole(shape), device=like.device, dtype=like.dtype))


def normal(*shape: int, like: Tensor) -> Tensor:
    """Return N(0, 1) of ``shape`` [N, ...], drawn as ``uniform`` draws."""
    return _mine(torch.randn(_whole(shape), device=like.device, dtype=like.dtype))


def _whole(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (shape[0] * mesh.size(), *shape[1:])


def _mine(whole: Tensor) -> Tensor:
    return whole[mesh.rows(len(whole))]
