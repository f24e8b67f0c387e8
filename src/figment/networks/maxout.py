"""The networks of the first GAN (Goodfellow et al. 2014), as its authors' code has them for MNIST.

Generator 2 503 984 parameters, discriminator 1 231 441 at 28 px in grey. The authors' pixels are in
[0, 1]; here pictures are in [-1, 1], so the sigmoid is stretched on the way out and pixels are moved
back on the way in. The authors also started the output's biases at the pixels' mean log-odds; here
they start at 0. Latents are normal, as in the code's settings for MNIST.
"""

from __future__ import annotations

import math
from itertools import pairwise

from torch import Tensor, nn

from figment.networks.layers.discriminator import FeatureDiscriminator
from figment.networks.layers.dropout import Dropout
from figment.networks.layers.head import Head, linear
from figment.networks.layers.initial import uniform


class Generator(nn.Module):
    """Latents [N, L] -> images [N, C, R, R] in [-1, 1]; ReLU between layers, sigmoid last."""

    def __init__(self, *, latent: int, hidden: tuple[int, ...], shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape
        self.layers = nn.Sequential()
        for wide_in, wide_out in pairwise((latent, *hidden)):
            self.layers.extend([nn.Linear(wide_in, wide_out), nn.ReLU(inplace=True)])
        self.layers.append(nn.Linear(hidden[-1], math.prod(shape)))
        self.apply(uniform(0.05))

    def forward(self, z: Tensor) -> Tensor:
        x = 2 * self.layers(z).sigmoid() - 1
        return x.unflatten(1, self.shape)  # [N, C, R, R]


class Discriminator(FeatureDiscriminator):
    """Images [N, C, R, R] -> logits [N].

    Hidden layers of maxout units. `dropout` is the share of hidden units that is dropped, and
    `input_dropout` that of pixels: .5 and .2 in the paper's runs.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, ...],
        hidden: tuple[int, ...],
        pieces: int,
        dropout: float,
        input_dropout: float,
        head: Head = linear,
    ) -> None:
        super().__init__()
        self.layers = nn.Sequential(Dropout(input_dropout))
        for wide_in, wide_out in pairwise((math.prod(shape), *hidden)):
            self.layers.extend([Maxout(wide_in, wide_out, pieces), Dropout(dropout)])
        del self.layers[-1]  # features come before their dropout
        self.dropout = Dropout(dropout)
        self.head = head(hidden[-1])
        self.apply(uniform(0.005))

    def features(self, x: Tensor) -> Tensor:
        """Return the last hidden layer [N, F] before its dropout."""
        return self.layers((x.flatten(1) + 1) / 2)  # [N, C·R·R] -> [N, F]


class Maxout(nn.Module):
    """[N, in] -> [N, out]: each unit is the largest of `pieces` linear maps (Goodfellow et al. 2013)."""

    def __init__(self, wide_in: int, wide_out: int, pieces: int) -> None:
        super().__init__()
        self.pieces = pieces
        self.linear = nn.Linear(wide_in, wide_out * pieces)

    def forward(self, x: Tensor) -> Tensor:
        return (
            self.linear(x).unflatten(1, (-1, self.pieces)).amax(2)
        )  # [N, out, pieces] -> [N, out]
