"""DCGAN: Radford, Metz and Chintala 2015, arXiv:1511.06434 (system C5).

Strided convolutions instead of pooling, batch norm everywhere but at the generator's output and the
discriminator's input, no hidden linear layers. The numbers are those of PyTorch's tutorial, which the
Cats study used for 100 passes, with the one-sided smoothing of all its models. Width 64 at 64 px is the
published size; other resolutions add or leave out blocks at the wide end.

The other systems of this file are that one with one technique of Salimans et al. 2016, arXiv:1606.03498
(L2, L3), or with classes (L5), and the authors' own form of the networks (``Radford``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from figment.errors import UserError
from figment.gan import GAN
from figment.recipe import Sizes
from figment.recipes import limits
from figment.recipes.mlp import CATS

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

WIDER = 5
"""What forms wider than all in ``WORTHWHILE`` have to get."""


@dataclass(frozen=True, kw_only=True)
class DCGAN(GAN):
    """GAN of strided convolutions with batch norm."""

    SMALLER: ClassVar[Sizes] = (
        {"width": 64, "batch": 64},
        {"width": 48, "batch": 64},
        {"width": 32, "batch": 64},
        {"width": 32, "batch": 32},
        {"width": 24, "batch": 32},
        {"width": 16, "batch": 32},
        {"width": 16, "batch": 16},
    )
    LARGER_STEPS: ClassVar[bool] = True
    """Whether forms of ``cheaper`` learn at higher rates, as many times as they are narrower (as Adam's are
    to go by Yang et al. 2021, table 3)."""
    WORTHWHILE: ClassVar[Mapping[int, int]] = {24: 1, 32: 3}
    """Widths, and how many times the rounds until shapes appear a form up to that width has to get, see
    ``rounds_wanted``: where the narrower one is no longer ahead at equal time (docs/results/cats.md)."""

    batch: int = 128
    images: int = 100 * CATS
    real_target: float = 0.9
    width: int = 64
    """Channels next to the picture, doubled at every halving of the resolution."""
    attend: int = 0
    """Pixels a side of the map that both networks look at with self-attention; 0: none."""
    up: Literal["transposed", "nearest"] = "transposed"
    """How the generator doubles maps: transposed convolutions, or repeated pixels and 3x3 ones."""

    def check(self) -> None:
        super().check()
        limits.power_of_two(self, 32)
        limits.at_least(self, 1, "width")
        maps = [1 << power for power in range(3, self.resolution.bit_length() - 1)]
        limits.attention_map(self, maps)
        limits.two_images(self)

    def nearest_resolution(self, side: int) -> int:
        return limits.power_below(min(side, self.resolution), 32)

    def cheaper(self, pinned: frozenset[str] = frozenset()) -> list[Self]:
        forms = super().cheaper(pinned)
        if not self.LARGER_STEPS or self.optimizer != "adam":
            return forms
        rates = {"generator_lr", "discriminator_lr"} - pinned
        return [self._stepping(form, rates) for form in forms]

    def _stepping(self, form: Self, rates: Collection[str]) -> Self:
        """Return a form of this recipe with those rates as many times higher as it is narrower."""
        times = self.width / form.width
        higher = {rate: float(f"{times * getattr(self, rate):.2g}") for rate in rates}
        return replace(form, **higher) if times != 1 else form

    def describe(self) -> list[str]:
        said = super().describe()
        rates = (self.generator_lr, self.discriminator_lr)
        if rates != (type(self).generator_lr, type(self).discriminator_lr):
            said.append(f"learning rates {rates[0]:g} and {rates[1]:g}")
        return said

    def rounds_wanted(self) -> int:
        times = next(
            (times for width, times in self.WORTHWHILE.items() if self.width <= width), WIDER
        )
        return times * super().rounds_wanted()

    def tiny(self) -> Self:
        small = replace(super().tiny(), resolution=32, width=4)
        kept = self.reference if self.generator_norm == "batch" else 4
        return replace(small, attend=16 if self.attend else 0, reference=kept)

    def build(self) -> nn.ModuleDict:
        from torch import nn

        from figment.networks.dcgan import Discriminator, Generator, whole_map

        size = {"width": self.width, "resolution": self.resolution, "attend": self.attend}
        generator = Generator(latent=self.inputs, channels=self.channels, up=self.up, **size)
        discriminator = Discriminator(
            channels=self.discriminator_channels,
            dropout=self.dropout,
            head=self.head(whole_map),
            **size,
        )
        return nn.ModuleDict({"generator": generator, "discriminator": discriminator})


@dataclass(frozen=True, kw_only=True)
class Radford(DCGAN):
    """DCGAN in the networks of its authors' own code: 5x5 kernels, uniform latents, twice as wide.

    25 passes over some 350,000 faces, hard labels, an L2 penalty of 1e-5 on all weights. Their Adam also
    lets its first decay rate fall by 1e-8 of itself a step, to .4997 in the end: here it stays. They
    sample with a batch's own statistics, here they are settled ones as in all systems.
    """

    LARGER_STEPS: ClassVar[bool] = False

    images: int = 25 * 350_000
    real_target: float = 1.0
    width: int = 128
    """Channels next to the picture, doubled at every halving of the resolution."""
    weight_decay: float = 1e-5
    """What a weight adds of itself to its gradient, in both networks."""

    def check(self) -> None:
        super().check()
        if self.attend:
            raise UserError(
                "these networks have no self-attention: leave attend out, or take dcgan"
            )
        if self.up != "transposed":
            raise UserError("these networks are the authors' own: leave up out, or take dcgan")
        if self.weight_decay < 0:
            raise UserError(f"weight_decay must be 0 or more, not {self.weight_decay}")

    def build(self) -> nn.ModuleDict:
        from torch import nn

        from figment.networks.dcgan_theano import Discriminator, Generator, whole_map

        size = {"width": self.width, "resolution": self.resolution}
        generator = Generator(latent=self.inputs, channels=self.channels, **size)
        discriminator = Discriminator(
            channels=self.discriminator_channels,
            dropout=self.dropout,
            head=self.head(whole_map),
            **size,
        )
        return nn.ModuleDict({"generator": generator, "discriminator": discriminator})

    def optimizers(self, nets: nn.ModuleDict) -> dict[str, Optimizer]:
        found = super().optimizers(nets)
        for optimizer in found.values():
            for group in optimizer.param_groups:
                group["weight_decay"] = self.weight_decay
        return found


DCGAN_64 = DCGAN()
RADFORD = Radford()
FEATURES = DCGAN(adversarial=0.0, feature_matching=1.0)
"""The generator learns from feature matching alone, as in the paper's section 3.1."""
HISTORICAL = DCGAN(historical_averaging=0.01)
"""The paper tells no weight."""
VIRTUAL = DCGAN(generator_norm="virtual")
REFERENCE = DCGAN(generator_norm="reference")
CONCAT = DCGAN(conditioning="concat")
"""A one-hot class beside the latent, and as constant maps beside the picture (Mirza & Osindero 2014)."""
ADAPTIVE = DCGAN(augment="ada", ada_transforms="shift")
"""With flips and shifts by a few pixels that set in as the discriminator learns the reals by heart."""
VISION_AIDED = DCGAN(vision_aided=1.0)
"""With heads on the maps of a pretrained network (V1; Sauer et al. 2021, Kumari et al. 2022)."""
