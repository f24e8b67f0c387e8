"""VAE: Kingma and Welling 2014, arXiv:1312.6114: no adversary, one player of an encoder and a decoder.

A starting point: not in the table of systems until a benchmark of its own stands behind its numbers.

The likelihood is a normal distribution of variance 1/2 around the decoded picture, so that at ``beta`` 1
the loss is minus the evidence lower bound, up to a constant. Expect blurrier pictures than a GAN's, and
as many kinds of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from figment.errors import UserError
from figment.recipe import Recipe
from figment.recipes import limits
from figment.rounds import Terms

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

    from figment.rounds import Batch, Clock, Engine, Scalars, Turns


@dataclass(frozen=True, kw_only=True)
class VAE(Recipe):
    """An encoder to a normal distribution of latents, and a decoder back."""

    latent: int = 128
    lr: float = 1e-3
    """Learning rate."""
    width: int = 32
    """Channels next to the picture, doubled at every halving of the resolution."""
    beta: float = 1.0
    """Weight of the divergence of codes from N(0, 1) (Higgins et al. 2017)."""

    def check(self) -> None:
        super().check()
        limits.power_of_two(self, 16, 128)
        limits.at_least(self, 1, "width")
        if self.lr <= 0:
            raise UserError(f"lr must be above 0, not {self.lr}")
        if self.beta < 0:
            raise UserError(f"beta must be 0 or more, not {self.beta}")

    def nearest_resolution(self, side: int) -> int:
        return limits.power_below(min(side, self.resolution), 16, 128)

    def tiny(self) -> Self:
        return replace(super().tiny(), resolution=16, width=4)

    def build(self) -> nn.ModuleDict:
        from torch import nn

        from figment.networks.vae import Decoder, Encoder

        size = {"latent": self.latent, "width": self.width, "resolution": self.resolution}
        decoder, encoder = (kind(channels=self.channels, **size) for kind in (Decoder, Encoder))
        return nn.ModuleDict({"generator": decoder, "encoder": encoder})

    def optimizers(self, nets: nn.ModuleDict) -> dict[str, Optimizer]:
        from figment.optimizers import optimizer_for

        weights = [*nets["encoder"].parameters(), *nets["generator"].parameters()]
        return {"autoencoder": optimizer_for("adam", weights, self.lr, (0.9, 0.999))}

    def turns(self) -> Turns:
        def one_move(engine: Engine) -> Scalars:
            batch = engine.next_batch()
            return engine.move("autoencoder", engine.now.terms, batch, batch.images)

        return one_move

    def terms(self, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock) -> Terms:
        """Return what both networks minimise; the random codes' noise belongs to the image."""
        from figment.randomness_per_image import normal

        noise = normal(len(batch.images), self.latent, like=batch.latents)
        reconstruction, divergence = self.bound(nets, batch.images, noise)
        losses = {"reconstruction": reconstruction, "divergence": self.beta * divergence}
        return Terms(losses, {}, {})

    def validate(self, nets: nn.ModuleDict, images: Tensor, labels: Tensor | None) -> Scalars:
        """Both parts of the bound, unweighted; the codes' noise is the same at every validation."""
        import torch

        from figment.randomness import stream

        drawn = stream("held-out codes", self.seed).standard_normal((len(images), self.latent))
        noise = torch.from_numpy(drawn).to(images)
        reconstruction, divergence = self.bound(nets, images, noise)
        return {"held_out/reconstruction": reconstruction, "held_out/divergence": divergence}

    def bound(self, nets: nn.ModuleDict, images: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return the means over the pictures of both terms, their codes drawn with ``noise`` [N, L]."""
        from figment.microbatch import in_parts
        from figment.objectives.variational import divergence, squared_error

        mean, log_variance = in_parts(nets["encoder"], images).float().chunk(2, dim=1)
        codes = mean + (log_variance / 2).exp() * noise
        decoded = self.generate(nets["generator"], codes, None).float()
        return squared_error(images, decoded).mean(), divergence(mean, log_variance).mean()


VAE_64 = VAE()
