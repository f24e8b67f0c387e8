"""Recipes with a planted fault each, for the second list of ``benchmarks/unseen.py``.

None of them was run before the doctor had been asked about all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from figment.recipes.dcgan import DCGAN
from figment.recipes.points import Points
from figment.rounds import Batch, Clock, Terms
from unseen_data import sketches

if TYPE_CHECKING:
    from figment.gan import GAN as Game
else:
    Game = object

SMALL: dict[str, Any] = {"resolution": 32, "width": 12, "batch": 32}


class Misfed(Game):
    """Its discriminator is given another batch than the data hold."""

    def fed(self, batch: Batch) -> Batch:
        """Return the batch that the discriminator learns from."""
        raise NotImplementedError

    def discriminator_terms(
        self, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms:
        return super().discriminator_terms(nets, self.fed(batch), fakes, clock)


def only(batch: Batch, kept: Tensor) -> Batch:
    """Return a batch whose pictures that are not kept [N] have others of it in their place."""
    known = kept.nonzero().flatten()  # [K]
    if not len(known):
        return batch
    places = torch.arange(len(kept), device=known.device)
    taken = torch.where(kept, places, known[places % len(known)])
    return batch._replace(images=batch.images[taken])


@dataclass(frozen=True, kw_only=True)
class Faint(Misfed, DCGAN):
    """Its reals are divided by 3: a middle grey and little else."""

    def fed(self, batch: Batch) -> Batch:
        return batch._replace(images=batch.images / 3)


@dataclass(frozen=True, kw_only=True)
class Standardised(Misfed, DCGAN):
    """Its reals have the mean 0 and the deviation 1, as classifiers are fed, and so reach beyond 1."""

    def fed(self, batch: Batch) -> Batch:
        return batch._replace(images=(batch.images + 0.43) / 0.7)


@dataclass(frozen=True, kw_only=True)
class Backwards(Misfed, DCGAN):
    """Its reals have blue for red."""

    def fed(self, batch: Batch) -> Batch:
        return batch._replace(images=batch.images.flip(1))


@dataclass(frozen=True, kw_only=True)
class Half(Misfed, Points):
    """It is shown the left half of the plane, mirrored: 15 of the grid's 25 modes."""

    def fed(self, batch: Batch) -> Batch:
        points = batch.images.clone()
        points[:, 0] = -points[:, 0].abs()
        return batch._replace(images=points)


@dataclass(frozen=True, kw_only=True)
class Relabelled(Misfed, DCGAN):
    """Its discriminator is told other classes than the pictures have."""

    def fed(self, batch: Batch) -> Batch:
        assert batch.labels is not None
        return batch._replace(labels=self.told(batch.labels))

    def told(self, labels: Tensor) -> Tensor:
        """Return the classes [N] that the discriminator is told of reals."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Shifted(Relabelled):
    """Each class is told as the next one."""

    def told(self, labels: Tensor) -> Tensor:
        return (labels + 1) % self.classes


@dataclass(frozen=True, kw_only=True)
class Exchanged(Relabelled):
    """0 is told as 7 and 7 as 0."""

    def told(self, labels: Tensor) -> Tensor:
        return torch.where((labels == 0) | (labels == 7), 7 - labels, labels)


@dataclass(frozen=True, kw_only=True)
class Shuffled(Relabelled):
    """Classes are those of other pictures."""

    def told(self, labels: Tensor) -> Tensor:
        return labels.flip(0)


@dataclass(frozen=True, kw_only=True)
class OneLost(Relabelled):
    """Pictures of class 8 are told as of class 1, so that none of its own is known."""

    def told(self, labels: Tensor) -> Tensor:
        return torch.where(labels == 8, 1, labels)

    def generate(self, generator: nn.Module, latents: Tensor, labels: Tensor | None) -> Tensor:
        return super().generate(generator, latents, None if labels is None else self.told(labels))


@dataclass(frozen=True, kw_only=True)
class Cut(Game):
    """No gradient reaches its generator."""

    def generator_terms(
        self, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms:
        return super().generator_terms(nets, batch, fakes.detach() + 0 * fakes, clock)


@dataclass(frozen=True, kw_only=True)
class Unmoved(Cut, DCGAN):
    """No gradient reaches its generator of pictures."""


@dataclass(frozen=True, kw_only=True)
class UnmovedPoints(Cut, Points):
    """No gradient reaches its generator of points."""


@dataclass(frozen=True, kw_only=True)
class Few(DCGAN):
    """Its generator is told signs of the latent, so that it can draw ``2 ** SIGNS`` pictures, no more."""

    SIGNS: ClassVar[int] = 4

    def generate(self, generator: nn.Module, latents: Tensor, labels: Tensor | None) -> Tensor:
        told = torch.zeros_like(latents)
        told[:, : self.SIGNS] = latents[:, : self.SIGNS].sign()
        return super().generate(generator, told, labels)


@dataclass(frozen=True, kw_only=True)
class One(Few):
    """Its generator is told nothing: it draws one picture."""

    SIGNS: ClassVar[int] = 0


@dataclass(frozen=True, kw_only=True)
class Chequered(DCGAN):
    """A chequer of single pixels lies over its samples, and its discriminator sees half size."""

    def generate(self, generator: nn.Module, latents: Tensor, labels: Tensor | None) -> Tensor:
        fakes = super().generate(generator, latents, labels)
        side = torch.arange(fakes.shape[3], device=fakes.device)
        return (fakes + (side + side[:, None]) % 2 * 0.3 - 0.15).clamp(-1, 1)

    def logits(self, nets: nn.ModuleDict, shown: Tensor, labels: Tensor | None) -> Tensor:
        halved = F.interpolate(F.avg_pool2d(shown, 2), scale_factor=2.0)
        return super().logits(nets, halved, labels)


@dataclass(frozen=True, kw_only=True)
class Growing(DCGAN):
    """After each step its generator's weights grow by a twentieth."""

    def after(self, player: str, nets: nn.ModuleDict) -> None:
        super().after(player, nets)
        if player == "generator":
            with torch.no_grad():
                for weight in nets["generator"].parameters():
                    weight.mul_(1.05)


@dataclass(frozen=True, kw_only=True)
class Breaking(Points):
    """After 300 rounds its discriminator's loss is no number."""

    def discriminator_terms(
        self, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms:
        if clock.rounds >= 300:
            fakes = fakes * float("nan")
        return super().discriminator_terms(nets, batch, fakes, clock)


class Shelf(nn.Module):
    """Latents [N, L] -> the drawn pictures [N, 3, 32, 32] that their second number picks."""

    pictures: Tensor

    def __init__(self, count: int) -> None:
        super().__init__()
        pictures = torch.from_numpy(sketches(count)).permute(0, 3, 1, 2).float()
        self.register_buffer("pictures", pictures / 127.5 - 1)
        self.light = nn.Linear(1, 1)

    def forward(self, z: Tensor) -> Tensor:
        place = torch.special.ndtr(z[:, 1]) * len(self.pictures)
        light = 0.02 * self.light(z[:, :1])[:, :, None, None]  # [N, 1, 1, 1]
        return (self.pictures[place.long()] + light).clamp(-1, 1)


@dataclass(frozen=True, kw_only=True)
class Copying(DCGAN):
    """Its generator holds 500 of the drawn sketches and repeats them."""

    def build(self) -> nn.ModuleDict:
        nets = super().build()
        nets["generator"] = Shelf(500)
        return nets


FAINT = Faint(**SMALL)
STANDARDISED = Standardised(**SMALL)
BACKWARDS = Backwards(**SMALL)
HALF = Half()
CLASSED: dict[str, Any] = {**SMALL, "conditioning": "concat", "classes": 10}
SHIFTED = Shifted(**CLASSED)
EXCHANGED = Exchanged(**CLASSED)
SHUFFLED = Shuffled(**CLASSED)
ONE_LOST = OneLost(**CLASSED)
UNMOVED = Unmoved(**SMALL)
UNMOVED_POINTS = UnmovedPoints()
FEW = Few(**SMALL)
ONE = One(**SMALL)
CHEQUERED = Chequered(**SMALL)
GROWING = Growing(**SMALL)
BREAKING = Breaking()
COPYING = Copying(**SMALL)
