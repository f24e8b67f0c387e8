"""Fully connected networks: the Cats study's pairs, and pairs for points in the plane."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

from torch import Tensor, nn

from figment.networks.layers.discriminator import FeatureDiscriminator
from figment.networks.layers.dropout import Dropout
from figment.networks.layers.head import Head, linear
from figment.networks.layers.initial import Initialise


class Generator(nn.Module):
    """Latents [N, L] -> images [N, C, R, R] in [-1, 1]; LeakyReLU(.2) between layers, tanh last."""

    def __init__(self, *, latent: int, hidden: tuple[int, ...], shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape
        self.layers = nn.Sequential()
        for wide_in, wide_out in pairwise((latent, *hidden)):
            self.layers.extend([nn.Linear(wide_in, wide_out), nn.LeakyReLU(0.2)])
        self.layers.append(nn.Linear(hidden[-1], math.prod(shape)))

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z).tanh().unflatten(1, self.shape)  # [N, C, R, R]


class Discriminator(FeatureDiscriminator):
    """Images [N, C, R, R] -> logits [N]; LeakyReLU(.2) and dropout after every hidden layer.

    The Cats study's third run (C3) has 2048, 1024 and 512 hidden units and minibatch discrimination with
    256 kernels as its `head`: 29 888 769 parameters at 64 px in colour.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, ...],
        hidden: tuple[int, ...],
        dropout: float,
        head: Head = linear,
    ) -> None:
        super().__init__()
        self.layers = nn.Sequential()
        for wide_in, wide_out in pairwise((math.prod(shape), *hidden)):
            self.layers.extend([nn.Linear(wide_in, wide_out), nn.LeakyReLU(0.2), Dropout(dropout)])
        del self.layers[-1]  # features come before their dropout
        self.dropout = Dropout(dropout)
        self.head = head(hidden[-1])

    def features(self, x: Tensor) -> Tensor:
        """Return the last hidden layer [N, F] before its dropout."""
        return self.layers(x.flatten(1))  # [N, C·R·R] -> [N, F]


class PointGenerator(nn.Module):
    """Latents [N, L] -> points [N, 2]; no bound on the output.

    `activation` makes what stands between layers, `initialise` sets the weights. With 256 latents, twice
    128 units, tanh and `orthogonal(1.4)` it is that of the unrolled GAN's notebook (49 666 parameters),
    with ReLU and `orthogonal(.8)` that of its paper (Metz et al. 2016, appendix A); with 2 latents,
    three times 512 units and `he` that of WGAN-GP's code (527 874).
    """

    def __init__(
        self,
        *,
        latent: int,
        hidden: tuple[int, ...],
        activation: Callable[[], nn.Module] = nn.ReLU,
        initialise: Initialise | None = None,
    ) -> None:
        super().__init__()
        self.layers = nn.Sequential()
        for wide_in, wide_out in pairwise((latent, *hidden)):
            self.layers.extend([nn.Linear(wide_in, wide_out), activation()])
        self.layers.append(nn.Linear(hidden[-1], 2))
        if initialise:
            self.apply(initialise)

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z)


class PointDiscriminator(FeatureDiscriminator):
    """Points [N, 2] -> logits [N]; dropout after every hidden layer.

    `inputs` is 2, or 2 m for packs of m points. The input is divided by `divisor`: by 4 in the unrolled
    GAN's paper, whose only hidden layer has 128 ReLUs; by 1 in its notebook (twice 128 tanh units,
    `orthogonal(1.4)`: 17 025 parameters) and for WGAN-GP (three times 512 ReLUs, `he`: 527 361).
    """

    def __init__(
        self,
        *,
        hidden: tuple[int, ...],
        dropout: float,
        inputs: int = 2,
        divisor: float = 4.0,
        activation: Callable[[], nn.Module] = nn.ReLU,
        head: Head = linear,
        initialise: Initialise | None = None,
    ) -> None:
        super().__init__()
        self.divisor = divisor
        self.layers = nn.Sequential()
        for wide_in, wide_out in pairwise((inputs, *hidden)):
            self.layers.extend([nn.Linear(wide_in, wide_out), activation(), Dropout(dropout)])
        del self.layers[-1]  # features come before their dropout
        self.dropout = Dropout(dropout)
        self.head = head(hidden[-1])
        if initialise:
            self.apply(initialise)

    def features(self, x: Tensor) -> Tensor:
        """Return the last hidden layer [N, F] before its dropout."""
        return self.layers(x / self.divisor)
