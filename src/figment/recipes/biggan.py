"""BigGAN in its size for CIFAR-10: Brock et al. 2019, arXiv:1809.11096 (M3).

SNGAN's residual networks, twice as wide in the discriminator, with spectral norm in both; the classes are
one embedding that all norms of the generator share, the latent comes in chunks, one a block; hinge loss,
a projection, filters of the generator kept at right angles (``off_diagonal``), and large batches where
there is room for them. Samples are truncated by ``--truncation``; the norms' statistics are gathered anew
over latents that are not (standing statistics). Data without classes are learned without: norms are told
the chunks alone.

``CIFAR`` has the numbers of the authors' script for CIFAR-10, with the embedding and the chunks of their
ImageNet models and the paper's weight of off_diagonal, which the script leaves out; ``SMALL`` is for a
processor. Their conditional norms have spectral norm where the generator has. An iteration of theirs
draws its fakes' classes apart from the reals', here both are the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from figment.errors import UserError
from figment.objectives import Name
from figment.recipes.resnet import ResNet

if TYPE_CHECKING:
    from torch import nn

    from figment.data import Look


@dataclass(frozen=True, kw_only=True)
class BigGAN(ResNet):
    """Residual GAN whose classes and latents reach every block."""

    BY_DATA: ClassVar[tuple[str, ...]] = (*ResNet.BY_DATA, "conditioning", "latent")

    latent: int = 80
    batch: int = 50
    images: int = 25_000_000
    ema: int = 1_386_000
    discriminator_moves: int = 4
    betas: tuple[float, float] = (0.0, 0.999)
    objective: Name = "hinge"
    conditioning: Literal["none", "concat", "projection", "classifier"] = "projection"
    spectral_norm: Literal["none", "discriminator", "both"] = "both"
    off_diagonal: float = 1e-4
    orthogonal_players: Literal["both", "generator", "discriminator"] = "generator"
    discriminator_width: int = 256
    """Channels of the discriminator's blocks."""
    shared: int = 128
    """Numbers of the embedding of a class, which all norms of the generator share."""

    def check(self) -> None:
        super().check()
        if self.shared < 1:
            raise UserError(f"shared must be 1 or more, not {self.shared}")
        chunks = self.resolution.bit_length() - 2
        if self.latent % chunks:
            near = max(chunks, self.latent // chunks * chunks)
            raise UserError(
                f"latent must be a multiple of {chunks} at {self.resolution} px, where it comes in so many "
                f"chunks, not {self.latent}: try {near}"
            )
        if self.class_norm:
            raise UserError("BigGAN's norms are by class already: leave class_norm out")

    def idle(self) -> dict[str, str]:
        needs = {} if self.conditional else {"shared": "without --conditioning"}
        return {**super().idle(), **needs}

    def fit_to(self, look: Look, pinned: frozenset[str] = frozenset()) -> Self:
        """Without classes where the data have none; a latent that its chunks share out."""
        fitted = self
        if len(look.classes) < 2 and not {"conditioning", "classes"} & pinned:
            fitted = replace(fitted, conditioning="none")
        fitted = super(BigGAN, fitted).fit_to(look, pinned)
        chunks = fitted.resolution.bit_length() - 2
        if "latent" in pinned:
            return fitted
        return replace(fitted, latent=max(1, fitted.latent // chunks) * chunks)

    def tiny(self) -> Self:
        small = replace(super().tiny(), latent=12)
        return replace(small, shared=4) if self.conditional else small

    def build(self) -> nn.ModuleDict:
        from figment.networks import biggan

        nets = super().build().apply(biggan.initialise)
        if self.spectral_norm == "both":
            biggan.norms_spectrally(nets["generator"])
        return nets

    def new_generator(self) -> nn.Module:
        from figment.networks.biggan import Generator

        return Generator(
            latent=self.latent,
            classes=self.inputs - self.latent,
            shared=self.shared,
            width=self.width,
            resolution=self.resolution,
            channels=self.channels,
            attend=self.attend,
        )


CIFAR = BigGAN()
SMALL = BigGAN(
    resolution=64,
    width=32,
    discriminator_width=32,
    latent=80,
    shared=32,
    batch=32,
    discriminator_moves=1,
    discriminator_lr=4e-4,
    images=1_000_000,
    ema=10_000,
)
