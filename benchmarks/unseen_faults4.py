"""Recipes with a planted fault each, for the fourth list of ``benchmarks/unseen.py``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from figment.recipes.dcgan import DCGAN
from figment.recipes.fccgan import FCCGAN
from figment.recipes.few_shot import FewShot
from figment.recipes.mlp import MLP
from figment.recipes.resnet import ResNet
from figment.recipes.stacked_mnist import StackedMNIST
from figment.rounds import Batch, Clock, Terms
from unseen_faults2 import Misfed, only

SMALL: dict[str, Any] = {"resolution": 32, "width": 8, "batch": 16}
BLOCKS: dict[str, Any] = {"resolution": 16, "width": 16, "discriminator_width": 16, "batch": 16}
STACKED: dict[str, Any] = {"resolution": 16, "width": 16, "discriminator_width": 12, "batch": 32}
HINGED: dict[str, Any] = {"objective": "hinge", "spectral_norm": "discriminator"}


@dataclass(frozen=True, kw_only=True)
class OneEach(DCGAN):
    """Its generator is given the class and no latent: it can draw one picture of each class."""

    def generate(self, generator: nn.Module, latents: Tensor, labels: Tensor | None) -> Tensor:
        return super().generate(generator, 0 * latents, labels)


@dataclass(frozen=True, kw_only=True)
class Unseen(Misfed, StackedMNIST):
    """It is never shown classes 4 to 9: others of the batch stand in their place."""

    def fed(self, batch: Batch) -> Batch:
        return only(batch, batch.labels < 4)


@dataclass(frozen=True, kw_only=True)
class InOrder(DCGAN):
    """Its pictures are not shuffled: class after class, 60 rounds of each."""

    def discriminator_terms(
        self, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms:
        there = batch.labels.unique()  # [K]
        wanted = (batch.labels == clock.rounds // 60 % 10).nonzero().flatten()
        if not len(wanted):
            nearest = there[(there - clock.rounds // 60 % 10).abs().argmin()]
            wanted = (batch.labels == nearest).nonzero().flatten()
        places = torch.arange(len(batch.labels), device=wanted.device) % len(wanted)
        shown = batch._replace(images=batch.images[wanted[places]])
        return super().discriminator_terms(nets, shown, fakes, clock)


@dataclass(frozen=True, kw_only=True)
class Bytes(Misfed, ResNet):
    """Its reals are numbers from 0 to 255."""

    def fed(self, batch: Batch) -> Batch:
        return batch._replace(images=127.5 * (batch.images + 1))


@dataclass(frozen=True, kw_only=True)
class Inverted(Misfed, ResNet):
    """Its reals are negatives."""

    def fed(self, batch: Batch) -> Batch:
        return batch._replace(images=-batch.images)


@dataclass(frozen=True, kw_only=True)
class Cycled(Misfed, FewShot):
    """Its reals have green for red, blue for green and red for blue."""

    def fed(self, batch: Batch) -> Batch:
        return batch._replace(images=batch.images[:, [1, 2, 0]])


@dataclass(frozen=True, kw_only=True)
class Tiled(FCCGAN):
    """Squares of 2x2 pixels, bright and dark in turn, lie over its samples; its critic is blind to them."""

    def generate(self, generator: nn.Module, latents: Tensor, labels: Tensor | None) -> Tensor:
        fakes = super().generate(generator, latents, labels)
        half = torch.arange(fakes.shape[3], device=fakes.device) // 2 % 2  # 0 0 1 1 0 0 ...
        squares = (half ^ half[:, None]).to(fakes.dtype) - 0.5
        return (fakes + 0.35 * squares).clamp(-1, 1)

    def logits(self, nets: nn.ModuleDict, shown: Tensor, labels: Tensor | None) -> Tensor:
        coarse = F.interpolate(F.avg_pool2d(shown, 4), scale_factor=4.0, mode="bilinear")
        return super().logits(nets, coarse, labels)


@dataclass(frozen=True, kw_only=True)
class Mirrored(Misfed, FewShot):
    """Its discriminator is told the classes from the last to the first."""

    def fed(self, batch: Batch) -> Batch:
        return batch._replace(labels=self.classes - 1 - batch.labels)


@dataclass(frozen=True, kw_only=True)
class AlwaysFirst(DCGAN):
    """Whatever class is asked for, its generator is told the first."""

    def generate(self, generator: nn.Module, latents: Tensor, labels: Tensor | None) -> Tensor:
        told = None if labels is None else torch.zeros_like(labels)
        return super().generate(generator, latents, told)


@dataclass(frozen=True, kw_only=True)
class OnReals(ResNet):
    """Its generator's loss is taken on the reals, so that none of it is the generator's doing."""

    def generator_terms(
        self, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms:
        return super().generator_terms(nets, batch, batch.images + 0 * fakes, clock)


@dataclass(frozen=True, kw_only=True)
class Rising(MLP):
    """Its learning rates grow by a hundredth each round instead of falling."""

    def at(self, clock: Clock) -> Self:
        now, factor = super().at(clock), 1.01**clock.rounds
        rates = {
            "generator_lr": factor * self.generator_lr,
            "discriminator_lr": factor * self.discriminator_lr,
        }
        return replace(now, **rates)


ONE_EACH = OneEach(**SMALL, conditioning="concat", classes=10)
UNSEEN = Unseen(**STACKED)
IN_ORDER = InOrder(**SMALL)
BYTES = Bytes(**BLOCKS, discriminator_moves=1)
INVERTED = Inverted(**BLOCKS, **HINGED, discriminator_moves=1)
CYCLED = Cycled(**SMALL)
TILED = Tiled(resolution=32, width=8, batch=16)
MIRRORED = Mirrored(**SMALL | {"width": 16})
ALWAYS_FIRST = AlwaysFirst(**SMALL, conditioning="concat", classes=4)
ON_REALS = OnReals(**BLOCKS, **HINGED, discriminator_moves=1)
RISING = Rising(resolution=16, hidden=(64, 128, 256), batch=64)
