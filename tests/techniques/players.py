"""Players of one weight and of two, whose terms can be worked out by hand."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from figment.gan import GAN
from figment.networks.layers.discriminator import FeatureDiscriminator
from figment.networks.layers.dropout import Dropout
from figment.rounds import Batch, Clock

CPU = torch.device("cpu")
START = Clock()
LABELS = torch.tensor([0, 1, 1])
LATENTS = torch.tensor([[1.0, 0.0], [2.0, 1.0], [-3.0, 2.0]])


class Scaled(nn.Module):
    """G(z) = s z, as pictures of one channel and 1 x 2 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, z: Tensor) -> Tensor:
        return (self.scale * z)[:, None, None, :]  # [N, 2] -> [N, 1, 1, 2]


class Pixels(FeatureDiscriminator):
    """Features are the pixels themselves, the logit is 1 times the first and 2 times the second."""

    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.dropout, self.head = Dropout(0.0), head

    def features(self, x: Tensor) -> Tensor:
        return x.flatten(1)


def weighing(features: int) -> nn.Linear:
    layer = nn.Linear(features, 1, bias=False)
    layer.weight.data = torch.tensor([[1.0, 2.0] + [0.0] * (features - 2)])
    return layer


@dataclass(frozen=True, kw_only=True)
class OneWeight(GAN):
    """Recipe of these players."""

    latent: int = 2
    batch: int = 3
    channels: int = 1
    objective: str = "wasserstein"
    precision: str = "float32"

    def build(self) -> nn.ModuleDict:
        return nn.ModuleDict(
            {"generator": Scaled(), "discriminator": Pixels(self.head(weighing)(2))}
        )


def played(recipe: GAN, player: str, *, reals: Tensor | None = None, clock: Clock = START):
    """Return the networks and what a player minimises on the latents above, and has observed."""
    nets = recipe.build()
    nets.update(recipe.memory(nets))
    images = (torch.zeros(3, 2) if reals is None else reals)[:, None, None, :]
    batch = Batch(images, LABELS, LATENTS)
    fakes = recipe.generate(nets["generator"], batch.latents, batch.labels)
    if player == "discriminator":
        terms = recipe.at(clock).discriminator_terms(nets, batch, fakes.detach(), clock)
    else:
        terms = recipe.at(clock).generator_terms(nets, batch, fakes, clock)
    return nets, (terms.minimised, terms.observations)
