"""Recipes with a planted fault each, for ``benchmarks/unseen.py``: ``unseen_faults:LOUD`` and so on.

None of them was run before the doctor's bounds were final.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from figment.recipes.dcgan import DCGAN
from figment.rounds import Batch, Clock, Terms

if TYPE_CHECKING:
    from figment.rounds import Scalars

SMALL: dict[str, Any] = {"resolution": 32, "width": 12, "batch": 32}


@dataclass(frozen=True, kw_only=True)
class Loud(DCGAN):
    """Its reals are three times as large as they should be: far outside [-1, 1]."""

    def discriminator_terms(
        self, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms:
        batch = batch._replace(images=3 * batch.images)
        return super().discriminator_terms(nets, batch, fakes, clock)


@dataclass(frozen=True, kw_only=True)
class Negative(DCGAN):
    """Its reals are inverted: black for white."""

    def discriminator_terms(
        self, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms:
        return super().discriminator_terms(nets, batch._replace(images=-batch.images), fakes, clock)


@dataclass(frozen=True, kw_only=True)
class Swapped(DCGAN):
    """While it learns, its generator is told the class beside the right one (0 for 1, 1 for 0, …)."""

    def heard(self, labels: Tensor) -> Tensor:
        """Return the classes [N] that the generator is told in training."""
        return labels ^ 1

    def generate(self, generator: nn.Module, latents: Tensor, labels: Tensor | None) -> Tensor:
        return super().generate(generator, latents, None if labels is None else self.heard(labels))

    def draw(
        self,
        generator: nn.Module,
        latents: Tensor,
        labels: Tensor | None,
        truncation: float | None = None,
    ) -> Tensor:
        return super().generate(generator, latents, labels)


@dataclass(frozen=True, kw_only=True)
class Deaf(Swapped):
    """Its generator is told the class of another latent of the batch, so that classes mean nothing."""

    def heard(self, labels: Tensor) -> Tensor:
        return labels.roll(1)


@dataclass(frozen=True, kw_only=True)
class DeafToOne(Swapped):
    """Its generator is told class 5 for class 3."""

    def heard(self, labels: Tensor) -> Tensor:
        return torch.where(labels == 3, 5, labels)


@dataclass(frozen=True, kw_only=True)
class Frozen(DCGAN):
    """Its generator never takes a step."""

    def waits(self, player: str, seen: Scalars) -> bool:
        return player == "generator"


@dataclass(frozen=True, kw_only=True)
class Four(DCGAN):
    """Its generator is told two signs of the latent: it can draw four pictures, no more."""

    def generate(self, generator: nn.Module, latents: Tensor, labels: Tensor | None) -> Tensor:
        told = torch.zeros_like(latents)
        told[:, :2] = latents[:, :2].sign()
        return super().generate(generator, told, labels)


@dataclass(frozen=True, kw_only=True)
class Striped(DCGAN):
    """Stripes 2 pixels wide lie over its samples, and its discriminator sees half size."""

    def generate(self, generator: nn.Module, latents: Tensor, labels: Tensor | None) -> Tensor:
        fakes = super().generate(generator, latents, labels)
        stripes = torch.arange(fakes.shape[3], device=fakes.device) % 2 * 0.5 - 0.25
        return (fakes + stripes).clamp(-1, 1)

    def logits(self, nets: nn.ModuleDict, shown: Tensor, labels: Tensor | None) -> Tensor:
        halved = F.interpolate(F.avg_pool2d(shown, 2), scale_factor=2.0)
        return super().logits(nets, halved, labels)


@dataclass(frozen=True, kw_only=True)
class Colourless(DCGAN):
    """It draws in grey, and its discriminator is shown grey."""

    def generate(self, generator: nn.Module, latents: Tensor, labels: Tensor | None) -> Tensor:
        fakes = super().generate(generator, latents, labels)
        return fakes.mean(1, keepdim=True).expand_as(fakes)

    def logits(self, nets: nn.ModuleDict, shown: Tensor, labels: Tensor | None) -> Tensor:
        grey = shown.mean(1, keepdim=True).expand_as(shown)
        return super().logits(nets, grey, labels)


@dataclass(frozen=True, kw_only=True)
class Smooth(DCGAN):
    """It draws nothing finer than 8 pixels, and its discriminator sees nothing finer."""

    def generate(self, generator: nn.Module, latents: Tensor, labels: Tensor | None) -> Tensor:
        return smoothed(super().generate(generator, latents, labels))

    def logits(self, nets: nn.ModuleDict, shown: Tensor, labels: Tensor | None) -> Tensor:
        return super().logits(nets, smoothed(shown), labels)


def smoothed(images: Tensor) -> Tensor:
    """Return pictures [N, C, R, R] without what is finer than 8 pixels."""
    return F.interpolate(F.avg_pool2d(images, 8), scale_factor=8.0, mode="bilinear")


@dataclass(frozen=True, kw_only=True)
class Overflowing(DCGAN):
    """After 900 rounds its numbers overflow, as they do in a precision that is too low."""

    def generator_terms(
        self, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms:
        if clock.rounds >= 900:
            fakes = fakes * float("inf")
        return super().generator_terms(nets, batch, fakes, clock)


LOUD = Loud(**SMALL)
NEGATIVE = Negative(**SMALL)
CLASSED: dict[str, Any] = {**SMALL, "conditioning": "concat", "classes": 10}
SWAPPED = Swapped(**CLASSED)
DEAF = Deaf(**CLASSED)
DEAF_TO_ONE = DeafToOne(**CLASSED)
FROZEN = Frozen(**SMALL)
FOUR = Four(**SMALL)
STRIPED = Striped(**SMALL)
COLOURLESS = Colourless(**SMALL)
SMOOTH = Smooth(**SMALL)
OVERFLOWING = Overflowing(**SMALL)
