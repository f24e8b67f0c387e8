"""Fully connected networks: the Cats study's pair, and a small pair for points in the plane."""

from __future__ import annotations

import math
from itertools import pairwise

from torch import Tensor, nn

from figment.networks.layers.dropout import Dropout


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


class Discriminator(nn.Module):
    """Images [N, C, R, R] -> logits [N]; LeakyReLU(.2) and dropout after every hidden layer."""

    def __init__(self, *, shape: tuple[int, ...], hidden: tuple[int, ...], dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential()
        for wide_in, wide_out in pairwise((math.prod(shape), *hidden)):
            self.layers.extend([nn.Linear(wide_in, wide_out), nn.LeakyReLU(0.2), Dropout(dropout)])
        self.layers.append(nn.Linear(hidden[-1], 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x.flatten(1)).squeeze(1)  # [N, C·R·R] -> [N]


class PointGenerator(nn.Module):
    """Latents [N, L] -> points [N, 2]; ReLU between layers, no bound on the output."""

    def __init__(self, *, latent: int, hidden: tuple[int, ...]) -> None:
        super().__init__()
        self.layers = nn.Sequential()
        for wide_in, wide_out in pairwise((latent, *hidden)):
            self.layers.extend([nn.Linear(wide_in, wide_out), nn.ReLU()])
        self.layers.append(nn.Linear(hidden[-1], 2))

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z)


class PointDiscriminator(nn.Module):
    """Points [N, 2] -> logits [N]; ReLU and dropout after every hidden layer, the input divided by 4."""

    def __init__(self, *, hidden: tuple[int, ...], dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential()
        for wide_in, wide_out in pairwise((2, *hidden)):
            self.layers.extend([nn.Linear(wide_in, wide_out), nn.ReLU(), Dropout(dropout)])
        self.layers.append(nn.Linear(hidden[-1], 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x / 4).squeeze(1)  # [N]
