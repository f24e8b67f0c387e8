"""Recipes with a planted fault each, for ``benchmarks/doctor.py``: ``--recipe faults:PALE`` and so on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from figment.data.flowers import draw_flowers
from figment.recipes.dcgan import DCGAN
from figment.rounds import Batch, Clock, Terms

SMALL: dict[str, Any] = {"resolution": 32, "width": 16, "batch": 32}


@dataclass(frozen=True, kw_only=True)
class Pale(DCGAN):
    """Its generator ends in a sigmoid: it cannot draw what is darker than a middle grey."""

    def generate(self, generator: nn.Module, latents: Tensor, labels: Tensor | None) -> Tensor:
        return (super().generate(generator, latents, labels) + 1) / 2  # [0, 1]


@dataclass(frozen=True, kw_only=True)
class HalfRange(DCGAN):
    """Its reals are scaled to [0, 1], its generator still draws in [-1, 1]."""

    def discriminator_terms(
        self, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms:
        batch = batch._replace(images=(batch.images + 1) / 2)
        return super().discriminator_terms(nets, batch, fakes, clock)


@dataclass(frozen=True, kw_only=True)
class Gridded(DCGAN):
    """Its generator ends in a 3x3 transposed convolution of stride 2, its discriminator sees half size.

    Such layers lay uneven grids over the picture (Odena et al. 2016), and here nobody minds.
    """

    def build(self) -> nn.ModuleDict:
        nets = super().build()
        last = nn.ConvTranspose2d(
            self.width, self.channels, 3, stride=2, padding=1, output_padding=1, bias=False
        )
        nn.init.normal_(last.weight, 0.0, 0.1)
        layers = nets["generator"].get_submodule("layers")
        setattr(layers, [name for name, _ in layers.named_children()][-1], last)
        return nets

    def logits(self, nets: nn.ModuleDict, shown: Tensor, labels: Tensor | None) -> Tensor:
        halved = F.interpolate(F.avg_pool2d(shown, 2), scale_factor=2.0)
        return super().logits(nets, halved, labels)


@dataclass(frozen=True, kw_only=True)
class Bare(DCGAN):
    """Without batch norm, and with every weight's first value five times too large."""

    def build(self) -> nn.ModuleDict:
        nets = super().build()
        for net in (nets["generator"], nets["discriminator"]):
            layers = net.get_submodule("layers")
            for name, layer in list(layers.named_children()):
                if isinstance(layer, nn.BatchNorm2d):
                    setattr(layers, name, nn.Identity())
                elif isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                    layer.weight.data.mul_(5)
        return nets


class Table(nn.Module):
    """Latents [N, L] -> the pictures [N, C, R, R] that their first number picks from a table."""

    pictures: Tensor

    def __init__(self, count: int, resolution: int) -> None:
        super().__init__()
        pictures = torch.from_numpy(draw_flowers(range(count), resolution)[0]).float()
        self.register_buffer("pictures", pictures / 127.5 - 1)
        self.shift = nn.Linear(1, 3)

    def forward(self, z: Tensor) -> Tensor:
        place = torch.special.ndtr(z[:, 0]) * len(self.pictures)
        shift = 0.02 * self.shift(z[:, 1:2])[:, :, None, None]  # [N, 3, 1, 1]
        return (self.pictures[place.long()] + shift).clamp(-1, 1)


@dataclass(frozen=True, kw_only=True)
class Parrot(DCGAN):
    """Its generator holds the first 400 of the drawn flowers and repeats them."""

    def build(self) -> nn.ModuleDict:
        nets = super().build()
        nets["generator"] = Table(400, self.resolution)
        return nets


PALE = Pale(**SMALL)
HALF_RANGE = HalfRange(**SMALL)
GRIDDED = Gridded(**SMALL)
PARROT = Parrot(**SMALL)
BARE = replace(Bare(**SMALL), real_target=1.0)
