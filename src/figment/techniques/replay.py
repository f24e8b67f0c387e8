"""Experience replay: the discriminator sees fakes of earlier generators too (Shrivastava et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from figment.errors import UserError
from figment.techniques import conditioning, slopes
from figment.techniques.technique import Technique, at_least_zero

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class Fields(slopes.Fields, conditioning.Fields):
    replay: int = 0
    """Earlier fakes that are kept; half of the discriminator's fakes are drawn from them."""


class ExperienceReplay(Technique[Fields]):
    def on(self, r: Fields) -> bool:
        return r.replay > 0

    def check(self, r: Fields) -> None:
        at_least_zero(r, "replay")
        if r.replay and 2 * r.replay < r.batch:
            raise UserError(f"replay must be half a batch or more, not {r.replay}")
        between = r.gradient_penalty or r.zero_centred
        if r.replay and r.conditioning != "none" and between:
            raise UserError(
                "earlier fakes are of other classes than the reals beside them, and the penalty lies "
                "between the two: leave replay, conditioning or the penalty out"
            )

    def memory(self, r: Fields, nets: nn.ModuleDict) -> dict[str, nn.Module]:
        import torch

        from figment.networks.layers.replay import Replay

        kind = torch.uint8 if r.kind == "images" else torch.float32
        return {"replay": Replay(r.replay, r.shape, kind)}

    def fakes(
        self, r: Fields, nets: nn.ModuleDict, fakes: Tensor, labels: Tensor
    ) -> tuple[Tensor, Tensor]:
        from figment.networks.layers.replay import Replay

        return cast(Replay, nets["replay"]).mix(fakes, labels)
