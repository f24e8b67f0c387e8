"""Autoencoders (system M1): no adversary, one player of an encoder and a decoder.

``ae`` learns to rebuild pictures from ``latent`` numbers, and nothing else: codes lie where they like, so
that samples come from a normal distribution fitted to the codes of the training (Ghosh et al. 2020,
arXiv:1903.12436, section 4). ``vae`` is Kingma and Welling 2014, arXiv:1312.6114: codes are drawn around
the encoder's mean, and a divergence draws them towards N(0, 1). The likelihood is a normal distribution
of variance 1/2 around the decoded picture, so that at ``beta`` 1 the loss is minus the evidence lower
bound, up to a constant. ``vae-mlp`` has the paper's fully connected networks. Expect blurrier pictures
than a GAN's, and as many kinds of them: docs/autoencoders.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self, cast

from figment.errors import UserError
from figment.recipe import Recipe, Sizes
from figment.recipes import limits
from figment.rounds import Terms

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

    from figment.networks.vae import Autoencoder as Networks
    from figment.networks.vae import Spread
    from figment.rounds import Batch, Clock, Engine, Scalars, Turns

GATHERED_EVERY = 4
"""Rounds between two batches whose codes are counted in: where they lie changes slowly."""
NEWEST = 0.04
"""Least weight of the newest of them: half of all that counts is of the last 17."""


@dataclass(frozen=True, kw_only=True)
class Coder(Recipe):
    """One player: an encoder, and a decoder that draws."""

    latent: int = 128
    lr: float = 1e-3
    """Learning rate."""

    def check(self) -> None:
        super().check()
        if self.lr <= 0:
            raise UserError(f"lr must be above 0, not {self.lr}")

    def coders(self, outputs: int) -> tuple[nn.Module, nn.Module]:
        """Return an encoder to so many numbers a picture, and a decoder of ``latent``."""
        raise NotImplementedError

    def optimizers(self, nets: nn.ModuleDict) -> dict[str, Optimizer]:
        from figment.optimizers import optimizer_for

        weights = nets["generator"].parameters()
        return {"autoencoder": optimizer_for("adam", weights, self.lr, (0.9, 0.999))}

    def turns(self) -> Turns:
        def one_move(engine: Engine) -> Scalars:
            batch = engine.next_batch()
            seen = engine.move("autoencoder", engine.now.terms, batch, batch.images)
            engine.now.gather(engine, batch)
            return seen

        return one_move

    def terms(self, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock) -> Terms:
        """Return what encoder and decoder minimise together."""
        raise NotImplementedError

    def gather(self, engine: Engine, batch: Batch) -> None:
        """Do what follows the move of a round."""

    def rebuild(self, generator: nn.Module, images: Tensor) -> Tensor | None:
        latents = self.encode(generator, images)
        assert latents is not None
        return self.generate(generator, latents, None)

    def encoded(self, generator: nn.Module, images: Tensor) -> Tensor:
        """Return the numbers [N, outputs] that the encoder makes of images [N, C, R, R], in float32."""
        from figment.microbatch import in_parts

        return in_parts(cast("Networks", generator).encoder, images).float()


@dataclass(frozen=True, kw_only=True)
class Convolutional(Coder):
    """Coders of strided convolutions."""

    SMALLER: ClassVar[Sizes] = ({"width": 24}, {"width": 16}, {"width": 8})

    width: int = 32
    """Channels next to the picture, doubled at every halving of the resolution."""

    def check(self) -> None:
        super().check()
        limits.power_of_two(self, 16, 128)
        limits.at_least(self, 1, "width")

    def nearest_resolution(self, side: int) -> int:
        return limits.power_below(min(side, self.resolution), 16, 128)

    def tiny(self) -> Self:
        return replace(super().tiny(), resolution=16, width=4)

    def coders(self, outputs: int) -> tuple[nn.Module, nn.Module]:
        from figment.networks.vae import Decoder, Encoder

        size = {"width": self.width, "resolution": self.resolution, "channels": self.channels}
        return Encoder(outputs=outputs, **size), Decoder(latent=self.latent, **size)


@dataclass(frozen=True, kw_only=True)
class Autoencoder(Convolutional):
    """An autoencoder, whose samples come from a normal distribution fitted to its codes."""

    def build(self) -> nn.ModuleDict:
        from torch import nn

        from figment.networks.vae import Autoencoder

        nets = Autoencoder(*self.coders(self.latent), spread=self.latent)
        return nn.ModuleDict({"generator": nets})

    def terms(self, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock) -> Terms:
        return Terms({"reconstruction": self.error(nets["generator"], batch.images)}, {}, {})

    def validate(self, nets: nn.ModuleDict, images: Tensor, labels: Tensor | None) -> Scalars:
        return {"held_out/reconstruction": self.error(nets["generator"], images)}

    def error(self, generator: nn.Module, images: Tensor) -> Tensor:
        """Return the squared distance of pictures [N, C, R, R] from what is rebuilt, their mean."""
        from figment.microbatch import in_parts
        from figment.objectives.variational import squared_error

        decoded = in_parts(generator, self.encoded(generator, images)).float()
        return squared_error(images, decoded).mean()

    def gather(self, engine: Engine, batch: Batch) -> None:
        """Follow where the codes of the network lie that samples are drawn with."""
        if engine.clock.rounds % GATHERED_EVERY:
            return
        import torch

        from figment import mesh

        drawn = engine.nets["average" if "average" in engine.nets else "generator"]
        with torch.no_grad(), engine.autocast():
            parts = batch.images.split(self.micro_batch or len(batch.images))
            codes = torch.cat([self.encoded(drawn, part) for part in parts])
        found = [codes.mean(0), codes.T @ codes / len(codes)]
        mesh.average(found)
        spread_of(engine.nets["generator"]).gather(*found, newest=NEWEST)

    def generate(self, generator: nn.Module, latents: Tensor, labels: Tensor | None) -> Tensor:
        return super().generate(generator, spread_of(generator)(latents), labels)

    def encode(self, generator: nn.Module, images: Tensor) -> Tensor:
        return spread_of(generator).latents(self.encoded(generator, images))


@dataclass(frozen=True, kw_only=True)
class Variational(Coder):
    """A coder whose encoder says a normal distribution of codes."""

    beta: float = 1.0
    """Weight of the divergence of codes from N(0, 1) (Higgins et al. 2017)."""
    beta_images: int = 0
    """Images over which beta rises from 0 to its value; 0: it has it from the start."""

    def check(self) -> None:
        super().check()
        for name in ("beta", "beta_images"):
            if getattr(self, name) < 0:
                raise UserError(f"{name} must be 0 or more, not {getattr(self, name)}")

    def idle(self) -> Mapping[str, str]:
        found = dict(super().idle())
        if not self.beta:
            found["beta_images"] = "where --beta is 0"
        return found

    def build(self) -> nn.ModuleDict:
        from torch import nn

        from figment.networks.vae import Autoencoder

        return nn.ModuleDict({"generator": Autoencoder(*self.coders(2 * self.latent))})

    def at(self, clock: Clock) -> Self:
        """The divergence's weight rises in a straight line (Bowman et al. 2016)."""
        if clock.images >= self.beta_images:
            return self
        return replace(self, beta=self.beta * clock.images / self.beta_images)

    def terms(self, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock) -> Terms:
        """Return both parts of the bound; the random codes' noise belongs to the image."""
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
        from figment.objectives.variational import divergence, squared_error

        mean, log_variance = self.encoded(nets["generator"], images).chunk(2, dim=1)
        codes = mean + (log_variance / 2).exp() * noise
        decoded = self.generate(nets["generator"], codes, None).float()
        return squared_error(images, decoded).mean(), divergence(mean, log_variance).mean()

    def encode(self, generator: nn.Module, images: Tensor) -> Tensor:
        """Return the means of the codes' distributions."""
        return self.encoded(generator, images).chunk(2, dim=1)[0]


@dataclass(frozen=True, kw_only=True)
class VAE(Convolutional, Variational):
    """A variational autoencoder of strided convolutions."""


@dataclass(frozen=True, kw_only=True)
class ConnectedVAE(Variational):
    """A variational autoencoder of fully connected layers."""

    resolution: int = 28
    batch: int = 100
    latent: int = 20
    hidden: tuple[int, ...] = (500,)
    """Units of the decoder's hidden layers; the encoder has them in reverse."""

    def check(self) -> None:
        super().check()
        limits.layers(self, "hidden")

    def tiny(self) -> Self:
        return replace(super().tiny(), resolution=16, hidden=(8, 16))

    def coders(self, outputs: int) -> tuple[nn.Module, nn.Module]:
        from figment.networks.vae import ConnectedDecoder, ConnectedEncoder

        encoder = ConnectedEncoder(outputs=outputs, hidden=self.hidden[::-1], shape=self.shape)
        return encoder, ConnectedDecoder(latent=self.latent, hidden=self.hidden, shape=self.shape)


def spread_of(generator: nn.Module) -> Spread:
    """Return where the codes of an autoencoder lie."""
    return cast("Spread", generator.spread)


AE = Autoencoder()
VAE_64 = VAE()
VAE_MLP = ConnectedVAE()
