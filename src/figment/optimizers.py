"""What makes steps of gradients: one function, three choices."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from torch import nn
from torch.optim import SGD, Adam, Optimizer, RMSprop


def optimizer_for(
    kind: Literal["adam", "rmsprop", "sgd"],
    weights: Iterable[nn.Parameter],
    lr: float,
    betas: tuple[float, float],
) -> Optimizer:
    """Return the optimiser of a player's weights.

    ``betas`` are Adam's decay rates (Kingma and Ba 2015, alg. 1); the others take the first as momentum,
    RMSprop the second as the decay rate of squares: (0, .99) is that of Arjovsky et al. 2017.
    """
    if kind == "rmsprop":
        return RMSprop(weights, lr=lr, alpha=betas[1], momentum=betas[0])
    if kind == "sgd":
        return SGD(weights, lr=lr, momentum=betas[0])
    return Adam(weights, lr=lr, betas=betas, fused=True)
