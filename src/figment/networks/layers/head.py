"""Heads: what turns a discriminator's last features into its verdict.

A discriminator is given one as a function of how many features it has. A head maps features [N, F], and
labels where it is conditional (`Projection`), to logits [N] or [N, 1].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from figment.networks.layers.dropout import Dropout

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


def compared(compare: Sequence[nn.Module], verdict: nn.Module) -> Compared:
    """Return a head that compares the images of a batch, in one way after another, before the verdict."""
    if isinstance(verdict, Compared):
        return Compared(nn.Sequential(*compare, *verdict.compare), verdict.verdict)
    return Compared(nn.Sequential(*compare), verdict)
