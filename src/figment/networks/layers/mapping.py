"""The mapping: what makes a style of a latent (Karras et al. 2019)."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from figment.networks.layers.equalised import Linear, normalised


class Mapping(nn.Module):
    """Latents [N, L], behind them one-hot classes [N, K] if there are any -> styles [N, L].

    Both are normalised before the first layer. Layers learn at .01 of the rate.
    """

    def __init__(self, latent: int, layers: int, classes: int = 0) -> None:
        super().__init__()
        self.latent = latent
        self.embed = Linear(classes, latent) if classes else None
        sizes = [2 * latent if classes else latent, *[latent] * layers]
        self.layers = nn.ModuleList(Linear(a, b, rate=0.01) for a, b in pairwise(sizes))

    def forward(self, z: Tensor) -> Tensor:
        x = normalised(z[:, : self.latent])
        if self.embed is not None:
            x = torch.cat([x, normalised(self.embed(z[:, self.latent :]))], dim=1)
        for layer in self.layers:
            x = activated(layer(x))
        return x


def activated(x: Tensor) -> Tensor:
    """Return LeakyReLU(.2) of x, times √2, which about keeps its length."""
    return F.leaky_relu(x, 0.2) * math.sqrt(2)
