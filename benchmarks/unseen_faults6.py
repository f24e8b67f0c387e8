"""Recipes with a planted fault each, for the sixth list of ``benchmarks/unseen.py``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor, nn

from figment.recipes.dcgan import Radford
from figment.recipes.faces import Faces
from figment.recipes.fccgan import FCCGAN
from figment.recipes.few_shot import FewShot
from figment.recipes.flowers import Flowers
from figment.recipes.mlp import MLP
from figment.recipes.progan import ProGAN
from figment.recipes.resnet import ResNet
from figment.recipes.stacked_mnist import StackedMNIST
from figment.recipes.stylegan import StyleGAN
from figment.rounds import Batch, Clock, Terms, penalty
from unseen_faults2 import Misfed, only
from unseen_faults5 import BLOCKS, CONNECTED, STACKED

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from figment.rounds import Scalars

FCC: dict[str, Any] = {"resolution": 32, "width": 8, "batch": 16}
GROWN: dict[str, Any] = {"resolution": 32, "width": 16, "batch": 16, "latent": 32}
HINGED: dict[str, Any] = {"objective": "hinge", "spectral_norm": "discriminator"}
CRITIC: dict[str, Any] = {"objective": "wasserstein", "gradient_penalty": 10.0, "pool": "mean"}
RATES: dict[str, Any] = {"generator_lr": 2e-3, "discriminator_lr": 2e-3}
SMALL: dict[str, Any] = {"resolution": 32, "width": 8, "batch": 16}


@dataclass(frozen=True, kw_only=True)
class WrongWay(ResNet):
    """Its generator's loss has the wrong sign: it is rewarded for fakes that are known as fakes."""

    def generator_terms(
        self, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms:
        terms = super().generator_terms(nets, batch, fakes, clock)
        return terms._replace(losses={name: -value for name, value in terms.losses.items()})


@dataclass(frozen=True, kw_only=True)
class Copied(StackedMNIST):
    """The optimiser holds a copy of its generator's weights: those that draw stay as they were."""

    def build(self) -> nn.ModuleDict:
        nets = super().build()
        first = [weight.detach().clone() for weight in nets["generator"].parameters()]
        nets["generator"].__dict__["first"] = first
        return nets

    def after(self, player: str, nets: nn.ModuleDict) -> None:
        super().after(player, nets)
        if player == "generator":
            weights, first = nets["generator"].parameters(), nets["generator"].__dict__["first"]
            with torch.no_grad():
                for weight, old in zip(weights, first, strict=True):
                    weight.copy_(old)


@dataclass(frozen=True, kw_only=True)
class ImageNet(Misfed, ResNet):
    """Its reals have ImageNet's means taken off and are divided by its deviations, as for a classifier."""

    def fed(self, batch: Batch) -> Batch:
        mean = batch.images.new_tensor([0.485, 0.456, 0.406])[:, None, None]
        deviation = batch.images.new_tensor([0.229, 0.224, 0.225])[:, None, None]
        return batch._replace(images=((batch.images + 1) / 2 - mean) / deviation)


@dataclass(frozen=True, kw_only=True)
class Reshaped(Misfed, FewShot):
    """Its reals, [R, R, 3], became [3, R, R] by reshaping, which tears every picture apart."""

    def fed(self, batch: Batch) -> Batch:
        shape = batch.images.shape
        return batch._replace(images=batch.images.permute(0, 2, 3, 1).reshape(shape))


@dataclass(frozen=True, kw_only=True)
class Unpaired(Misfed, ResNet):
    """Its pictures were shuffled, its labels were not: they lie in their order."""

    def fed(self, batch: Batch) -> Batch:
        return batch._replace(labels=batch.labels.sort().values)


@dataclass(frozen=True, kw_only=True)
class Skipping(Misfed, StyleGAN):
    """Its loader stops one class too early: of four the last is never shown."""

    def fed(self, batch: Batch) -> Batch:
        return only(batch, batch.labels < 3)


@dataclass(frozen=True, kw_only=True)
class Fading(Faces):
    """Its rates fall by 3 % a batch, where they should a pass."""

    def at(self, clock: Clock) -> Self:
        now, factor = super().at(clock), max(1e-9, 0.97**clock.rounds)
        rates = {
            "generator_lr": factor * self.generator_lr,
            "discriminator_lr": factor * self.discriminator_lr,
        }
        return replace(now, **rates)


@dataclass(frozen=True, kw_only=True)
class Graphless(Flowers):
    """Its penalty is computed without a graph, so that it is in the loss and teaches nothing."""

    def discriminator_terms(
        self, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms:
        terms = super().discriminator_terms(nets, batch, fakes, clock)
        flat = {name: value.detach() for name, value in terms.penalties.items()}
        return terms._replace(penalties=flat)


@dataclass(frozen=True, kw_only=True)
class Stepless(FCCGAN):
    """Its discriminator's optimiser is never asked to step."""

    def waits(self, player: str, seen: Scalars) -> bool:
        return player == "discriminator"


@dataclass(frozen=True, kw_only=True)
class Seamed(Radford):
    """Its pictures are put together from patches of 8 pixels with dark seams, which it never judges."""

    def generate(self, generator: nn.Module, latents: Tensor, labels: Tensor | None) -> Tensor:
        fakes = super().generate(generator, latents, labels)
        return (fakes - 0.5 * (1 - inside(fakes))).clamp(-1, 1)

    def logits(self, nets: nn.ModuleDict, shown: Tensor, labels: Tensor | None) -> Tensor:
        return super().logits(nets, shown * inside(shown), labels)


def inside(images: Tensor) -> Tensor:
    """Return 1 within patches of 8 pixels and 0 on their first rows and columns [R, R]."""
    within = (torch.arange(images.shape[3], device=images.device) % 8 > 0).to(images.dtype)
    return within * within[:, None]


@dataclass(frozen=True, kw_only=True)
class Pulled(FCCGAN):
    """Its generator has an L1 loss, summed, to the batch's reals, which belong to no latent."""

    def generator_terms(
        self, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms:
        terms = super().generator_terms(nets, batch, fakes, clock)
        far = (fakes - batch.images).abs().flatten(1).sum(1)  # [N]
        return terms.and_(penalty(l1=far.mean()))


@dataclass(frozen=True, kw_only=True)
class OneChannel(ProGAN):
    """Its generator's picture is grey and is repeated for three channels; its data are in colour."""

    def generate(self, generator: nn.Module, latents: Tensor, labels: Tensor | None) -> Tensor:
        fakes = super().generate(generator, latents, labels)
        return fakes[:, :1].expand_as(fakes)


@dataclass(frozen=True, kw_only=True)
class Unzeroed(MLP):
    """Gradients are never set to zero: every step goes along the sum of all there were."""

    def optimizers(self, nets: nn.ModuleDict) -> dict[str, Optimizer]:
        found = super().optimizers(nets)
        for optimizer in found.values():
            optimizer.zero_grad = lambda set_to_none=True: None  # ty: ignore
        return found


WRONG_WAY = WrongWay(**BLOCKS, **HINGED)
COPIED = Copied(**STACKED)
IMAGENET = ImageNet(**BLOCKS, **CRITIC)
RESHAPED = Reshaped(**SMALL)
UNPAIRED = Unpaired(**BLOCKS, **HINGED, conditioning="projection", class_norm=True)
SKIPPING = Skipping(**GROWN, **RATES)
FADING = Fading(resolution=16, batch=32, latent=64)
GRAPHLESS = Graphless(
    **SMALL,
    objective="wasserstein",
    gradient_penalty=10.0,
    discriminator_moves=2,
    discriminator_norm="layer",
    betas=(0.5, 0.9),
    augment="none",
)
STEPLESS = Stepless(**FCC)
SEAMED = Seamed(**SMALL)
PULLED = Pulled(**FCC, up="nearest", kernel=5)
ONE_CHANNEL = OneChannel(**GROWN, **RATES)
UNZEROED = Unzeroed(**CONNECTED)
