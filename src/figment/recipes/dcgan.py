"""DCGAN: Radford, Metz and Chintala 2015, arXiv:1511.06434 (system C5).

Strided convolutions instead of pooling, batch norm everywhere but at the generator's output and the
discriminator's input, no hidden linear layers. The numbers are those of PyTorch's tutorial, which the
Cats study used for 100 passes, with the one-sided smoothing of all its models. Width 64 at 64 px is the
published size; other resolutions add or leave out blocks at the wide end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from figment.errors import UserError
from figment.recipe import Recipe
from figment.recipes.mlp import CATS

if TYPE_CHECKING:
    from torch import nn

SMALLER = ((64, 64), (48, 64), (32, 64), (32, 32), (24, 32), (16, 32), (8, 16))
"""(width, batch) for ever smaller time budgets, see ``DCGAN.cheaper``."""


@dataclass(frozen=True, kw_only=True)
class DCGAN(Recipe):
    """GAN of strided convolutions with batch norm."""

    batch: int = 128
    images: int = 100 * CATS
    real_target: float = 0.9
    width: int = 64
    """Channels next to the picture, doubled at every halving of the resolution."""
    attend: int = 0
    """Pixels a side of the map that both networks look at with self-attention; 0: none."""

    def check(self) -> None:
        super().check()
        power = self.resolution & (self.resolution - 1) == 0
        if not (power and 32 <= self.resolution <= 1024):
            raise UserError(
                f"resolution must be a power of two from 32 to 1024, not {self.resolution}: "
                f"try {self._power_below(self.resolution)}"
            )
        if self.width < 1:
            raise UserError(f"width must be above 0, not {self.width}")
        maps = [1 << power for power in range(3, self.resolution.bit_length() - 1)]
        if self.attend and self.attend not in maps:
            raise UserError(f"attend must be 0 or one of {maps}, not {self.attend}")
        if self.batch < 2:
            raise UserError("batch must be 2 or more: batch norm needs company")

    def nearest_resolution(self, side: int) -> int:
        return self._power_below(min(side, self.resolution))

    @staticmethod
    def _power_below(side: int) -> int:
        return min(max(1 << (side.bit_length() - 1), 32), 1024)

    def cheaper(self, pinned: frozenset[str] = frozenset()) -> list[Recipe]:
        free = [
            {
                name: value
                for name, value in (("width", width), ("batch", batch))
                if name not in pinned
            }
            for width, batch in SMALLER
            if width <= self.width and batch <= self.batch
        ]
        forms = [self, *(replace(self, **changes) for changes in free)]
        return list(dict.fromkeys(forms))

    def tiny(self) -> Self:
        return replace(super().tiny(), resolution=32, width=4)

    def build(self) -> nn.ModuleDict:
        from torch import nn

        from figment.networks.dcgan import Discriminator, Generator, whole_map

        size = {"width": self.width, "resolution": self.resolution, "attend": self.attend}
        generator = Generator(latent=self.inputs, channels=self.channels, **size)
        discriminator = Discriminator(
            channels=self.judged_channels,
            dropout=self.dropout,
            head=self.head(whole_map),
            **size,
        )
        return nn.ModuleDict({"generator": generator, "discriminator": discriminator})


DCGAN_64 = DCGAN()
