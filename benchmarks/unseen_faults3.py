"""Recipes with a planted fault each, for the third list of ``benchmarks/unseen.py``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from figment.recipes.dcgan import DCGAN
from figment.recipes.few_shot import FewShot
from figment.recipes.mlp import MLP
from figment.recipes.points import Points
from figment.rounds import Batch, Clock, Terms
from unseen_faults2 import Misfed

SMALL: dict[str, Any] = {"resolution": 32, "width": 8, "batch": 32}
CONNECTED: dict[str, Any] = {"resolution": 16, "hidden": (64, 128, 256), "batch": 64}


@dataclass(frozen=True, kw_only=True)
class Positive(Misfed, DCGAN):
    """Its reals are numbers from 0 to 1, not from -1 to 1: no pixel is darker than a middle grey."""

    def fed(self, batch: Batch) -> Batch:
        return batch._replace(images=(batch.images + 1) / 2)


@dataclass(frozen=True, kw_only=True)
class Upper(Misfed, Points):
    """It is shown the upper half of the plane, mirrored: 5 of the ring's 8 modes."""

    def fed(self, batch: Batch) -> Batch:
        points = batch.images.clone()
        points[:, 1] = points[:, 1].abs()
        return batch._replace(images=points)


@dataclass(frozen=True, kw_only=True)
class Rotated(Misfed, FewShot):
    """Of three classes each is told as the next one."""

    def fed(self, batch: Batch) -> Batch:
        return batch._replace(labels=(batch.labels + 1) % 3)


@dataclass(frozen=True, kw_only=True)
class Cut(MLP):
    """No gradient reaches its generator."""

    def generator_terms(
        self, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms:
        return super().generator_terms(nets, batch, fakes.detach() + 0 * fakes, clock)


@dataclass(frozen=True, kw_only=True)
class Studded(FewShot):
    """Of each 2x2 pixels of its samples one is brighter; its discriminator sees half size."""

    def generate(self, generator: nn.Module, latents: Tensor, labels: Tensor | None) -> Tensor:
        fakes = super().generate(generator, latents, labels)
        even = (torch.arange(fakes.shape[3], device=fakes.device) % 2 == 0).to(fakes.dtype)
        return (fakes + 0.6 * even * even[:, None] - 0.15).clamp(-1, 1)

    def logits(self, nets: nn.ModuleDict, shown: Tensor, labels: Tensor | None) -> Tensor:
        halved = F.interpolate(F.avg_pool2d(shown, 2), scale_factor=2.0)
        return super().logits(nets, halved, labels)


@dataclass(frozen=True, kw_only=True)
class Chased(Points):
    """It is shown one mode of the ring at a time, every 150 rounds another."""

    def discriminator_terms(
        self, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms:
        turn = (3 * (clock.rounds // 150) - batch.labels) * (math.pi / 4)  # [N]
        (x, y), cosine, sine = batch.images.unbind(1), turn.cos(), turn.sin()
        turned = torch.stack([x * cosine - y * sine, x * sine + y * cosine], 1)
        return super().discriminator_terms(nets, batch._replace(images=turned), fakes, clock)


POSITIVE = Positive(**SMALL, objective="hinge", real_target=1.0)
UPPER = Upper()
ROTATED = Rotated(**SMALL)
CUT = Cut(**CONNECTED)
STUDDED = Studded(**SMALL)
CHASED = Chased()
