"""Heads: what turns a discriminator's last features into its verdict.

A discriminator is given one as a function of how many features it has. A head maps features [N, F], and
labels where it is conditional (`Projection`), to logits [N] or [N, 1].
"""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from figment.networks.layers.dropout import Dropout
from figment.networks.layers.minibatch_discrimination import MinibatchDiscrimination

Head = Callable[[int], nn.Module]


def linear(features: int) -> nn.Module:
    """Return the plain head, one linear layer: [N, F] -> [N, 1]."""
    return nn.Linear(features, 1)


def minibatch(
    kernels: int,
    dimensions: int = 16,
    *,
    dropout: float = 0.0,
    include_self: bool = True,
    std: float = 0.05,
) -> Head:
    """Return a head that compares the images of a batch: minibatch discrimination, LeakyReLU(.2), linear.

    `kernels` B, `dimensions` C, `include_self` and `std` are those of `MinibatchDiscrimination`. The
    Cats study's third run (C3) has 256 kernels of 16, dropout .3, itself left out, and std 1.
    """

    def head(features: int) -> nn.Module:
        compare = MinibatchDiscrimination(
            features, kernels, dimensions, include_self=include_self, std=std
        )
        verdict = nn.Linear(features + kernels, 1)
        return nn.Sequential(compare, nn.LeakyReLU(0.2), Dropout(dropout), verdict)

    return head
