"""How the two players take turns (``figment.turns``), and how often each moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from figment.settings import Settings
from figment.techniques.technique import Technique, above_zero
from figment.turns import Play


@dataclass(frozen=True, kw_only=True)
class Fields(Settings):
    discriminator_moves: int = 1
    """Discriminator moves a round (k), each on fresh reals."""
    generator_moves: int = 1
    """Generator moves a round, each on fresh latents."""
    play: Play = "alternating"
    """How the two players take turns."""
    unroll: int = 5
    """Steps of the discriminator that an unrolled generator looks ahead (K)."""


class TakingTurns(Technique[Fields]):
    def on(self, r: Fields) -> bool:
        return True

    def check(self, r: Fields) -> None:
        above_zero(r, "discriminator_moves", "generator_moves", "unroll")

    def idle(self, r: Fields) -> Mapping[str, str]:
        return {} if r.play == "unrolled" else {"unroll": "without --play unrolled"}
