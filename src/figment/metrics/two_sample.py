"""The classifier two-sample test: can a linear classifier tell samples from pictures?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from figment.randomness import stream

RIDGE = 10.0
"""Weight of the squared length of the classifier, for each picture and feature."""


class TwoSample(NamedTuple):
    """What the test found."""

    accuracy: float
    """Share of unseen pictures and samples that are told right, 0 to 1; .5 where nothing tells them."""
    count: int
    """How many were asked."""


def c2st(real: Tensor, fake: Tensor, *, seed: int = 0) -> TwoSample:
    """Return how well a linear classifier tells ``fake`` [N, F] from ``real`` [M, F], features of both.

    As many of each, at random, as there are of the fewer; one half at random to learn from by ridge
    regression on standardised features, the other half to be asked (Lopez-Paz and Oquab 2017,
    arXiv:1610.06545).
    """
    count = min(len(real), len(fake))
    random = stream("two-sample test", seed)
    x = torch.cat([_some(real, count, random), _some(fake, count, random)]).double()
    y = torch.cat([torch.ones(count), -torch.ones(count)]).double().to(x.device)
    order = torch.from_numpy(random.permutation(2 * count)).to(x.device)
    learn, ask = order[:count], order[count:]
    x = (x - x[learn].mean(0)) / x[learn].std(0).clamp(min=1e-6)
    width = x.shape[1]
    gram = x[learn].T @ x[learn]
    gram.diagonal().add_(RIDGE * count / width)
    direction = torch.linalg.solve(gram, x[learn].T @ y[learn])
    right = (x[ask] @ direction).sign() == y[ask]
    return TwoSample(float(right.double().mean()), count)


def _some(features: Tensor, count: int, random: np.random.Generator) -> Tensor:
    """Return so many rows: sets come sorted by class, so the first ones are no sample of them."""
    if len(features) == count:
        return features
    return features[torch.from_numpy(random.permutation(len(features))[:count])]
