"""Weight clipping: the first way to bound a critic's slope."""

from __future__ import annotations

import torch
from torch import nn


@torch.no_grad()
def clip(net: nn.Module, bound: float) -> None:
    """Clamp every parameter of ``net`` to [-bound, bound], in place; Arjovsky et al. 2017, algorithm 1.

    Gains and biases too, as in the authors' code. Their bound is .01. After a move, as the paper has it
    (the code clips before). Far too large learns slowly; far too small, gradients vanish.
    """
    for weight in net.parameters():
        weight.clamp_(-bound, bound)
