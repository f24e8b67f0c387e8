"""Other norms in the place of both networks' batch norms (``figment.networks.surgery``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from figment.errors import UserError
from figment.settings import Settings
from figment.techniques.technique import Technique, above_zero

if TYPE_CHECKING:
    from torch import nn

    from figment.rounds import TwoPlayer


@dataclass(frozen=True, kw_only=True)
class Fields(Settings):
    discriminator_norm: Literal["batch", "none", "layer", "instance"] = "batch"
    """What stands in the place of the discriminator's batch norms."""
    generator_norm: Literal["batch", "reference", "virtual"] = "batch"
    """Statistics of the generator's batch norms: the batch's, those of one kept batch, both."""
    reference: int = 64
    """Latents in the batch that reference and virtual batch norm keep."""


class Normalisation(Technique[Fields]):
    def on(self, r: Fields) -> bool:
        return r.discriminator_norm != "batch" or r.generator_norm != "batch"

    def check(self, r: Fields) -> None:
        above_zero(r, "reference")

    def idle(self, r: Fields) -> Mapping[str, str]:
        needs = "without --generator-norm reference or virtual"
        return {"reference": needs} if r.generator_norm == "batch" else {}

    def networks(self, r: Fields, nets: nn.ModuleDict) -> None:
        from torch import nn

        from figment.networks import surgery
        from figment.networks.layers.reference_norm import Referenced

        if r.discriminator_norm != "batch":
            found = surgery.renormalise(nets["discriminator"], r.discriminator_norm)
            _need(found, "discriminator", "discriminator_norm")
        if r.generator_norm != "batch":
            found = surgery.refer(nets["generator"], r.reference, r.generator_norm)
            _need(found, "generator", "generator_norm")
            import torch

            game = cast("TwoPlayer", r)
            latents = torch.randn(r.reference, r.latent)
            labels = game.labels_for(range(r.reference), latents.device)
            # What the recipe hands to a generator, handed to one that gives it back.
            reference = game.generate(nn.Identity(), latents, labels)
            nets["generator"] = Referenced(nets["generator"], reference)


def _need(found: int, player: str, field: str) -> None:
    if not found:
        raise UserError(f"this {player} has no batch norm to replace: leave {field} out")
