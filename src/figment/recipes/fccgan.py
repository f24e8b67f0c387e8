"""FCC-GAN and its DCGAN baseline (Barua et al. 2019; systems S1 to S4).

Three halvings and three doublings, and in FCC-GAN a stack of fully connected layers before the first map
and after the last. Adam 1e-4 for both players, its default decay rates, batch 64. Larger pictures widen the
map of R / 8 pixels and add no layer, as the Study does; with ``up`` and ``down`` the strided layers give
way to up-sampling and pooling, which leave no checkerboards.

S5 is the baseline with the aids that the Study collects: noise on what the discriminator sees, which fades;
earlier fakes shown again; two learning rates, of which the discriminator's is the smaller, as Heusel et
al. 2017 found best for DCGAN on CIFAR-10; self-attention. Extragradient and variance-reduced play, which
it names as well, are systems of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Self

from figment.errors import UserError
from figment.gan import GAN
from figment.recipes import limits

if TYPE_CHECKING:
    from torch import nn

    from figment.data import Look

CIFAR = 50_000
"""Pictures in one pass over CIFAR-10."""


@dataclass(frozen=True, kw_only=True)
class FCCGAN(GAN):
    """GAN of convolutions between fully connected layers, or without them."""

    resolution: int = 32
    batch: int = 64
    images: int = 100 * CIFAR
    generator_lr: float = 1e-4
    discriminator_lr: float = 1e-4
    betas: tuple[float, float] = (0.9, 0.999)
    width: int = 64
    """Channels next to the picture, doubled twice on the way to the smallest map."""
    kernel: int = 4
    """Side of the convolutions' kernels; the Study takes 5."""
    connected: int = 1
    """1: fully connected layers at the narrow ends (FCC-GAN); 0: none (the DCGAN baseline)."""
    up: Literal["transposed", "nearest", "bilinear"] = "transposed"
    """How the generator doubles a map."""
    down: Literal["strided", "pooled"] = "pooled"
    """How the discriminator halves a map."""
    attend: int = 0
    """Pixels a side of the map that both networks look at with self-attention; 0: none."""

    def check(self) -> None:
        super().check()
        limits.multiple_of(self, 8, 16)
        if self.width < 1 or self.kernel < 3 or self.connected not in (0, 1):
            raise UserError("width must be above 0, kernel 3 or more, connected 0 or 1")
        limits.attention_map(self, [self.resolution // 4, self.resolution // 2])
        limits.two_images(self)

    def fit_to(self, look: Look, pinned: frozenset[str] = frozenset()) -> Self:
        fitted = super().fit_to(look, pinned)
        if "attend" in pinned or not self.attend:
            return fitted
        maps = fitted.resolution // 4, fitted.resolution // 2
        return replace(fitted, attend=min(maps, key=lambda side: abs(side - self.attend)))

    def nearest_resolution(self, side: int) -> int:
        return max(16, min(side, self.resolution) // 8 * 8)

    def tiny(self) -> Self:
        small = replace(super().tiny(), resolution=16, width=4, replay=min(self.replay, 8))
        fades = 64 if self.instance_noise else 0  # whatever the length, which a resume changes
        return replace(small, attend=8 if self.attend else 0, instance_noise_images=fades)

    def build(self) -> nn.ModuleDict:
        from torch import nn

        from figment.networks import fccgan
        from figment.networks.layers.head import linear

        size: dict[str, Any] = {
            "width": self.width,
            "resolution": self.resolution,
            "kernel": self.kernel,
            "attend": self.attend,
        }
        generator: dict[str, Any] = {
            "latent": self.inputs,
            "channels": self.channels,
            "up": self.up,
        }
        discriminator: dict[str, Any] = {
            "channels": self.discriminator_channels,
            "down": self.down,
            "norm_first": self.down == "strided" and self.kernel == 4,
            "dropout": self.dropout,
        }
        if not self.connected:
            return nn.ModuleDict(
                {
                    "generator": fccgan.BaselineGenerator(**size, **generator),
                    "discriminator": fccgan.BaselineDiscriminator(
                        head=self.head(fccgan.whole_map), **size, **discriminator
                    ),
                }
            )
        up, down = fccgan.GENERATOR_HIDDEN[3], fccgan.DISCRIMINATOR_HIDDEN[4]
        return nn.ModuleDict(
            {
                "generator": fccgan.Generator(hidden=up, **size, **generator),
                "discriminator": fccgan.Discriminator(
                    hidden=down, head=self.head(linear), **size, **discriminator
                ),
            }
        )


BASELINE = FCCGAN(connected=0, down="strided")
STUDY_BASELINE = FCCGAN(connected=0, down="strided", kernel=5)
FCC = FCCGAN()
"""The paper's headline model: pooled."""
STUDY_128 = FCCGAN(resolution=128, kernel=5)
SMOOTH = FCCGAN(up="nearest", down="pooled", kernel=5)
"""The Study's advice against checkerboards."""
AIDED = replace(
    STUDY_BASELINE,
    instance_noise=0.1,
    replay=25_600,
    generator_lr=5e-4,
    attend=16,
)
EXTRAGRADIENT = replace(STUDY_BASELINE, play="extragradient")
SVRE = replace(STUDY_BASELINE, play="svre")
