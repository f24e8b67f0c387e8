"""Heads: what turns a discriminator's last features into its verdict.

A discriminator is given one as a function of how many features it has. A head maps features [N, F], and
labels where it is conditional (`Projection`), to logits [N] or [N, 1].
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from torch import Tensor, nn

from figment.networks.layers.dropout import Dropout
from figment.networks.layers.minibatch_discrimination import MinibatchDiscrimination
from figment.networks.layers.minibatch_stddev import MinibatchStddev
from figment.networks.layers.projection import Projection

Head = Callable[[int], nn.Module]


def linear(features: int) -> nn.Module:
    """Return the plain head, one linear layer: [N, F] -> [N, 1]."""
    return nn.Linear(features, 1)


def activated(dropout: float) -> Head:
    """Return a head that begins with LeakyReLU(.2) and dropout: [N, F] -> [N, 1].

    In the Cats study's third run (C3) minibatch discrimination stands before it.
    """
    return lambda features: nn.Sequential(
        nn.LeakyReLU(0.2), Dropout(dropout), nn.Linear(features, 1)
    )


class Compared(nn.Module):
    """Features [N, F], and a condition -> logits: what compares the images of a batch, then the verdict."""

    def __init__(self, compare: nn.Sequential, verdict: nn.Module) -> None:
        super().__init__()
        self.compare, self.verdict = compare, verdict

    def forward(self, x: Tensor, *condition: Tensor) -> Tensor:
        return self.verdict(self.compare(x), *condition)


class Auxiliary(nn.Module):
    """A head with a classifier beside it, which reads the same features (Odena et al. 2017).

    Features [N, F] -> what the head makes of them; ``classify`` gives class logits [N, K].
    """

    def __init__(self, features: int, classes: int, verdict: nn.Module) -> None:
        super().__init__()
        self.verdict = verdict
        self.classes = nn.Linear(features, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.verdict(x)

    def classify(self, x: Tensor) -> Tensor:
        """Return the class logits [N, K] of features [N, F], in float32."""
        return self.classes(x).float()


def assembled(
    plain: Head,
    *,
    kernels: int = 0,
    dimensions: int = 16,
    stddev: bool = False,
    classes: int = 0,
    conditioning: Literal["none", "concat", "projection", "classifier"] = "none",
) -> Head:
    """Return the head that does all that is asked for; ``plain`` itself where nothing is.

    `kernels` B and `dimensions` C are minibatch discrimination's; `stddev` adds to the features one
    number, how much a group of four varies in them; a projection takes the plain verdict's place.
    """

    def head(features: int) -> nn.Module:
        compare = nn.Sequential()
        if kernels:
            compare.append(MinibatchDiscrimination(features, kernels, dimensions))
        if stddev:
            maps = nn.Unflatten(1, (-1, 1, 1)), MinibatchStddev(), nn.Flatten()
            compare.extend(maps)  # [N, F] -> [N, F, 1, 1] -> [N, F + 1, 1, 1] -> [N, F + 1]
        wide = features + kernels + stddev
        verdict = Projection(wide, classes) if conditioning == "projection" else plain(wide)
        if len(compare):
            verdict = Compared(compare, verdict)
        return Auxiliary(features, classes, verdict) if conditioning == "classifier" else verdict

    return head
