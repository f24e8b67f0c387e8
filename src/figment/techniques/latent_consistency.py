"""zCR: small steps of the latents change fakes, not logits (Zhao et al. 2020, algorithm 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from figment.errors import UserError
from figment.rounds import Terms, no_terms, penalty
from figment.settings import Settings
from figment.techniques.technique import Technique, at_least_zero

if TYPE_CHECKING:
    from figment.techniques.technique import View


@dataclass(frozen=True, kw_only=True)
class Fields(Settings):
    latent_consistency: float = 0.0
    """Weight of the change of the discriminator's logits under small steps of the latents (zCR)."""
    latent_diversity: float = 0.0
    """Weight of the change of fakes under the same steps, which the generator is to have (zCR)."""


class LatentConsistency(Technique[Fields]):
    def on(self, r: Fields) -> bool:
        return r.latent_consistency > 0

    def check(self, r: Fields) -> None:
        at_least_zero(r, "latent_consistency", "latent_diversity")
        if r.latent_diversity and not r.latent_consistency:
            raise UserError(
                "latent_diversity alone lets the generator run away: add latent_consistency"
            )

    def discriminator(self, r: Fields, view: View) -> Terms:
        import torch

        from figment.penalties import hold_statistics, latent_consistency, nudge

        nets, batch = view.nets, view.batch
        with hold_statistics(nets["discriminator"]):
            with torch.no_grad(), hold_statistics(nets["generator"]):
                latents = nudge(batch.latents)
                moved = view.game.generate(nets["generator"], latents, batch.labels)
            values = latent_consistency(view.fake, view.logits(moved, batch.labels))
        return penalty(latent_consistency=(r.latent_consistency * values).mean())

    def generator(self, r: Fields, view: View) -> Terms:
        from figment.penalties import latent_diversity, nudge

        if r.latent_diversity == 0:
            return no_terms()
        latents, labels = nudge(view.batch.latents), view.batch.labels
        moved = view.game.generate(view.nets["generator"], latents, labels)
        value = latent_diversity(view.fakes, moved).mean()
        return penalty(latent_diversity=r.latent_diversity * value)
