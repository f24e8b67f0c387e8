"""Mirror: half of the reals turned left to right; the generator learns to draw both ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from figment.settings import Settings
from figment.techniques.technique import Technique, pictures_only

if TYPE_CHECKING:
    from torch import Tensor

    from figment.rounds import Clock


@dataclass(frozen=True, kw_only=True)
class Fields(Settings):
    mirror: bool = False
    """Show half of the reals mirrored left to right."""


class Mirror(Technique[Fields]):
    def on(self, r: Fields) -> bool:
        return r.mirror

    def check(self, r: Fields) -> None:
        if r.mirror:
            pictures_only(r, "mirror")

    def describe(self, r: Fields) -> list[str]:
        return ["random mirroring"]

    def reals(self, r: Fields, images: Tensor, clock: Clock) -> Tensor:
        import torch

        from figment import mesh
        from figment.randomness import stream

        count = len(images) * mesh.size()  # not always a batch: a beginning looks at more
        drawn = stream("mirror", r.seed, clock.images).random(count)[mesh.rows(count)]
        turned = torch.from_numpy(drawn < 0.5).to(images.device)[:, None, None, None]
        return torch.where(turned, images.flip(3), images)
