"""Recipes with a planted fault each, for the fifth list of ``benchmarks/unseen.py``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from figment.recipes.biggan import BigGAN
from figment.recipes.fastgan import FastGAN
from figment.recipes.fccgan import FCCGAN
from figment.recipes.mlp import MLP
from figment.recipes.r3gan import AS_THEY_ARE, R3GAN
from figment.recipes.resnet import ResNet
from figment.recipes.stylegan2 import StyleGAN2
from figment.rounds import Batch, Clock, Terms
from unseen_faults2 import Misfed, only

BLOCKS: dict[str, Any] = {
    "resolution": 16,
    "width": 16,
    "discriminator_width": 16,
    "batch": 16,
    "discriminator_moves": 1,
}
CONNECTED: dict[str, Any] = {"resolution": 16, "hidden": (64, 128, 256), "batch": 64}
FAST: dict[str, Any] = {"resolution": 32, "width": 2, "batch": 8}
FCC: dict[str, Any] = {"resolution": 32, "width": 12, "batch": 16}
PAIRED: dict[str, Any] = {"resolution": 32, "width": 32, "batch": 16, "group": 8}
R3: dict[str, Any] = {"finest": 16, "widest": 4, "blocks": 1, "ramp_images": 0, "ema": 5_000}
RATES3: dict[str, Any] = {"generator_lr": 3e-3, "discriminator_lr": 3e-3}
STACKED: dict[str, Any] = {"resolution": 16, "width": 16, "discriminator_width": 12, "batch": 32}
STYLED: dict[str, Any] = {"resolution": 32, "width": 16, "batch": 8, "latent": 32}


@dataclass(frozen=True, kw_only=True)
class Retired(ResNet):
    """After 150 rounds the rate of its discriminator is nothing: a schedule with a mistake."""

    def at(self, clock: Clock) -> Self:
        now = super().at(clock)
        return now if clock.rounds < 150 else replace(now, discriminator_lr=1e-12)


@dataclass(frozen=True, kw_only=True)
class Rounded(FastGAN):
    """Its fakes are rounded to whole levels of 255, whose gradient is 0, before they are judged."""

    def generator_terms(
        self, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms:
        rounded = (127.5 * fakes).round() / 127.5
        return super().generator_terms(nets, batch, rounded, clock)


@dataclass(frozen=True, kw_only=True)
class Twice(Misfed, BigGAN):
    """Its reals are taken from [0, 1] to [-1, 1] a second time: they reach from -3 to 1."""

    def fed(self, batch: Batch) -> Batch:
        return batch._replace(images=2 * batch.images - 1)


@dataclass(frozen=True, kw_only=True)
class Unmapped(StyleGAN2):
    """What its mapping says is multiplied by 0: all pictures have one style."""

    def style(self, generator: nn.Module, latents: Tensor, labels: Tensor | None) -> Tensor:
        return 0 * super().style(generator, latents, labels)


@dataclass(frozen=True, kw_only=True)
class Halved(Misfed, FCCGAN):
    """It is never shown classes 0 and 1 of four: others of the batch stand in their place."""

    def fed(self, batch: Batch) -> Batch:
        return only(batch, batch.labels > 1)


@dataclass(frozen=True, kw_only=True)
class Sorted(MLP):
    """Its pictures are sorted by class, not shuffled: 90 rounds of each, then anew."""

    CLASSES: ClassVar[int] = 3

    def discriminator_terms(
        self, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms:
        wanted = (batch.labels == clock.rounds // 90 % self.CLASSES).nonzero().flatten()  # [K]
        if len(wanted):
            places = torch.arange(len(batch.labels), device=wanted.device) % len(wanted)
            batch = batch._replace(images=batch.images[wanted[places]])
        return super().discriminator_terms(nets, batch, fakes, clock)


@dataclass(frozen=True, kw_only=True)
class Hazy(FCCGAN):
    """A lens out of focus lies before its samples and before all that its discriminator sees."""

    def generate(self, generator: nn.Module, latents: Tensor, labels: Tensor | None) -> Tensor:
        return hazed(super().generate(generator, latents, labels))

    def logits(self, nets: nn.ModuleDict, shown: Tensor, labels: Tensor | None) -> Tensor:
        return super().logits(nets, hazed(shown), labels)


def hazed(images: Tensor) -> Tensor:
    """Return pictures [N, C, R, R] under a Gaussian of 2.5 pixels."""
    side = torch.arange(images.shape[3], device=images.device, dtype=images.dtype)
    bell = (-(((side - side[:, None]) / 2.5) ** 2) / 2).exp()
    lens = bell / bell.sum(1, keepdim=True)  # [R, R]
    return lens @ images @ lens.T


@dataclass(frozen=True, kw_only=True)
class GreyReals(Misfed, R3GAN):
    """Its reals are turned to grey on the way, as for a network of one channel."""

    def fed(self, batch: Batch) -> Batch:
        weights = batch.images.new_tensor([0.299, 0.587, 0.114])[:, None, None]
        grey = (batch.images * weights).sum(1, keepdim=True)
        return batch._replace(images=grey.expand_as(batch.images))

    def generator_terms(
        self, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms:
        return super().generator_terms(nets, self.fed(batch), fakes, clock)


@dataclass(frozen=True, kw_only=True)
class WrongSign(MLP):
    """Its penalty has the wrong sign: steep slopes are rewarded."""

    def discriminator_terms(
        self, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms:
        terms = super().discriminator_terms(nets, batch, fakes, clock)
        turned = {name: -value for name, value in terms.penalties.items()}
        return terms._replace(penalties=turned)


RETIRED = Retired(**BLOCKS)
ROUNDED = Rounded(**FAST)
TWICE = Twice(**BLOCKS, latent=60, shared=16, conditioning="none", discriminator_lr=4e-4, ema=5_000)
UNMAPPED = Unmapped(**STYLED)
HALVED = Halved(**FCC)
SORTED = Sorted(**CONNECTED, ema=0)
HAZY = Hazy(**FCC)
GREY_REALS = GreyReals(**PAIRED, **R3, **RATES3, **AS_THEY_ARE, r1=1.0, r2=1.0)
WRONG_SIGN = WrongSign(**CONNECTED, r1=1.0)
