"""Flow matching (system FM): the outsider, a model with neither an adversary nor a code.

A network learns the velocity of points on their straight way from noise to pictures (Lipman et al. 2023,
arXiv:2210.02747; Liu et al. 2023, arXiv:2209.03003). A sample starts at noise, its latent, and goes
``steps`` steps along the velocities (Euler's method): the latent is as large as the picture, and steps of
equal latents lead to equal pictures. One step gives the mean of all pictures, or nearly; every further one
costs as much as a generator's whole pass.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

from figment.errors import UserError
from figment.recipe import Recipe, Sizes
from figment.recipes import limits
from figment.rounds import Terms

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

    from figment.data import Dataset, Look
    from figment.rounds import Batch, Clock, Engine, Scalars, Turns

BACK = 100
"""Least steps of the way from a picture back to its noise."""


@dataclass(frozen=True, kw_only=True)
class FlowMatching(Recipe):
    """A velocity from noise to pictures, by a small U-Net."""

    BY_DATA: ClassVar[tuple[str, ...]] = (*Recipe.BY_DATA, "latent")
    SMALLER: ClassVar[Sizes] = ({"width": 24}, {"width": 16})

    resolution: int = 32
    latent: int = 3 * 32 * 32
    lr: float = 1e-3
    """Learning rate."""
    width: int = 32
    """Channels of the largest map, R/2 pixels a side; twice and four times as many at the next two."""
    steps: int = 20
    """Euler steps from noise to a picture; sampling takes as many passes of the network."""

    def check(self) -> None:
        super().check()
        limits.multiple_of(self, 8, 16)
        if self.resolution > 128:
            raise UserError(f"resolution must be at most 128, not {self.resolution}: try 64")
        limits.at_least(self, 1, "width", "steps")
        if self.latent != self._numbers():
            raise UserError(
                f"latent must be {self._numbers()}, the numbers of a picture, not {self.latent}: leave it "
                "out"
            )
        if self.lr <= 0:
            raise UserError(f"lr must be above 0, not {self.lr}")

    def _numbers(self) -> int:
        return self.channels * self.resolution**2

    def fit_to(self, look: Look, pinned: frozenset[str] = frozenset()) -> Self:
        """As every recipe's; the latent has as many numbers as a picture."""
        fitted = super().fit_to(look, pinned)
        return fitted if "latent" in pinned else replace(fitted, latent=fitted._numbers())

    def settle(self, dataset: Dataset, pinned: frozenset[str] = frozenset()) -> Self:
        """Packed pictures may have turned out to have a colour, and the latent more numbers."""
        settled = super().settle(dataset, pinned)
        return settled if "latent" in pinned else replace(settled, latent=settled._numbers())

    def nearest_resolution(self, side: int) -> int:
        return max(16, min(side, self.resolution) // 8 * 8)

    def tiny(self) -> Self:
        small = replace(super().tiny(), resolution=16, width=4, steps=2)
        return replace(small, latent=small._numbers())

    def describe(self) -> list[str]:
        return [f"{self.steps} Euler steps a sample"]

    def build(self) -> nn.ModuleDict:
        from torch import nn

        from figment.networks.unet import UNet

        return nn.ModuleDict({"generator": UNet(width=self.width, channels=self.channels)})

    def optimizers(self, nets: nn.ModuleDict) -> dict[str, Optimizer]:
        from figment.optimizers import optimizer_for

        weights = nets["generator"].parameters()
        return {"flow": optimizer_for("adam", weights, self.lr, (0.9, 0.999))}

    def turns(self) -> Turns:
        def one_move(engine: Engine) -> Scalars:
            batch = engine.next_batch()
            return engine.move("flow", engine.now.terms, batch, batch.images)

        return one_move

    def terms(self, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock) -> Terms:
        """Return the error of the velocity at a random moment of each picture's way."""
        from figment.randomness_per_image import uniform

        t = uniform(len(batch.images), like=batch.latents)
        noise = batch.latents.view_as(batch.images)
        return Terms({"velocity": self.error(nets, noise, batch.images, t)}, {}, {})

    def validate(self, nets: nn.ModuleDict, images: Tensor, labels: Tensor | None) -> Scalars:
        """The same error, with noise and moments that are the same at every validation."""
        import torch

        from figment.randomness import stream

        drawn = stream("held-out noise", self.seed).standard_normal((len(images), self.latent))
        noise = torch.from_numpy(drawn).to(images).view_as(images)
        t = (torch.arange(len(images), device=images.device) + 0.5) / len(images)
        return {"held_out/velocity": self.error(nets, noise, images, t)}

    def error(self, nets: nn.ModuleDict, noise: Tensor, images: Tensor, t: Tensor) -> Tensor:
        """Return the velocity's mean squared error on the ways from noise to images, at times t [N]."""
        from figment.microbatch import in_parts
        from figment.objectives.flow import between, velocity_error

        found = in_parts(nets["generator"], between(noise, images, t), t).float()
        return velocity_error(found, noise, images).mean()

    def generate(self, generator: nn.Module, latents: Tensor, labels: Tensor | None) -> Tensor:
        """Return where ``steps`` Euler steps lead from noise: [N, C, R, R], cut to [-1, 1]."""
        from figment.microbatch import in_parts

        def led(x: Tensor) -> Tensor:
            for step in range(self.steps):
                t = x[:, 0, 0, 0] * 0 + step / self.steps
                x = x + generator(x, t).to(x.dtype) / self.steps
            return x

        return in_parts(led, latents.unflatten(1, self.shape)).clamp(-1, 1)

    def encode(self, generator: nn.Module, images: Tensor) -> Tensor:
        """Return the noise from which images come, nearly: the same way backwards, in smaller steps."""
        count, x = max(BACK, self.steps), images
        for step in range(count, 0, -1):
            t = images.new_full((len(images),), step / count)
            x = x - generator(x, t).to(x.dtype) / count
        return x.flatten(1)


FLOW_MATCHING = FlowMatching()
