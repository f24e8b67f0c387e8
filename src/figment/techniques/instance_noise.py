"""Instance noise: noise on all that the discriminator sees, which fades (Sønderby et al. 2017)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from figment.settings import Settings
from figment.techniques.technique import Technique, at_least_zero

if TYPE_CHECKING:
    from torch import Tensor, nn

    from figment.rounds import Clock


@dataclass(frozen=True, kw_only=True)
class Fields(Settings):
    instance_noise: float = 0.0
    """Deviation of the noise on all that the discriminator sees, at the start."""
    instance_noise_images: int = 0
    """Images until that noise has faded to nothing; 0: the whole training."""


class InstanceNoise(Technique[Fields]):
    def on(self, r: Fields) -> bool:
        return r.instance_noise > 0

    def check(self, r: Fields) -> None:
        at_least_zero(r, "instance_noise", "instance_noise_images")

    def idle(self, r: Fields) -> Mapping[str, str]:
        return {} if self.on(r) else {"instance_noise_images": "without --instance-noise"}

    def at(self, r: Fields, clock: Clock) -> dict[str, Any]:
        """In a straight line to 0."""
        over = r.instance_noise_images or r.images
        return {"instance_noise": r.instance_noise * max(0.0, 1 - clock.images / over)}

    def show(self, r: Fields, nets: nn.ModuleDict, images: Tensor) -> Tensor:
        from figment.networks.layers.noise import instance_noise

        return instance_noise(images, r.instance_noise)
