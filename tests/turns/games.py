"""Games small enough to be solved on paper, as recipes for the real trainer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from figment.data import Dataset
from figment.gan import GAN
from figment.recipes.points import Points
from figment.rounds import Terms
from figment.turns.alternating import alternating

CPU = torch.device("cpu")
PLAYERS = ("generator", "discriminator")


def points(rows: np.ndarray) -> Dataset:
    rows = rows.astype(np.float32)
    return Dataset("game", "game", rows, np.zeros(len(rows), np.int64), (), "")


class Vector(nn.Module):
    def __init__(self, *values: float) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor(values, dtype=torch.float64))


@dataclass(frozen=True, kw_only=True)
class Game(GAN):
    """The discriminator holds x and minimises ``loss(x, y, row)``, the generator y and its negative."""

    batch: int = 1
    latent: int = 1
    ema: int = 0
    lr: float = 0.1
    x: tuple[float, ...] = (1.0,)
    y: tuple[float, ...] = (1.0,)
    play: Callable = alternating
    kind = "points"

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.y),)

    def turns(self):
        return self.play

    def build(self) -> nn.ModuleDict:
        return nn.ModuleDict({"generator": Vector(*self.y), "discriminator": Vector(*self.x)})

    def optimizers(self, nets):
        return {
            player: torch.optim.SGD(nets[player].parameters(), lr=self.lr) for player in PLAYERS
        }

    def generate(self, generator, latents, labels) -> Tensor:
        return generator.value.expand(len(latents), -1)

    def loss(self, x: Tensor, y: Tensor, rows: Tensor) -> Tensor:
        return x @ y

    def discriminator_terms(self, nets, batch, fakes, clock) -> Terms:
        value = self.loss(nets["discriminator"].value, fakes.mean(0), batch.images.double())
        return Terms({"adversarial": value}, {}, {})

    def generator_terms(self, nets, batch, fakes, clock) -> Terms:
        value = self.loss(nets["discriminator"].value, fakes.mean(0), batch.images.double())
        return Terms({"adversarial": -value}, {}, {})


@dataclass(frozen=True, kw_only=True)
class AdamGame(Game):
    betas: tuple[float, float] = (0.5, 0.9)

    def optimizers(self, nets):
        return {
            player: torch.optim.Adam(nets[player].parameters(), lr=self.lr, betas=self.betas)
            for player in PLAYERS
        }


@dataclass(frozen=True, kw_only=True)
class TinyPoints(Points):
    """A real GAN with dropout, played in other ways."""

    batch: int = 8
    latent: int = 4
    hidden: tuple[int, ...] = (16, 16)
    dropout: float = 0.3
    discriminator_lr: float = 1e-2
    generator_lr: float = 1e-2
    play: Callable = alternating

    def turns(self):
        return self.play
