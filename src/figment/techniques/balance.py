"""Balance: a discriminator that is too far ahead skips its move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from figment.errors import UserError
from figment.settings import Settings
from figment.techniques.technique import Technique

if TYPE_CHECKING:
    from figment.rounds import Scalars


@dataclass(frozen=True, kw_only=True)
class Fields(Settings):
    balance: float = 0.0
    """Accuracy above which the discriminator skips its move; 0: it never does."""


class Balance(Technique[Fields]):
    def on(self, r: Fields) -> bool:
        return r.balance > 0

    def check(self, r: Fields) -> None:
        if r.balance and not 0.5 < r.balance < 1:
            raise UserError(f"balance must lie between .5 and 1, or be 0, not {r.balance}")

    def waits(self, r: Fields, player: str, seen: Scalars) -> bool:
        """By the accuracy of all processes' batches."""
        from figment import mesh

        if player != "discriminator":
            return False
        accuracy = seen["score/accuracy"].clone()
        mesh.average([accuracy])
        ahead = accuracy > r.balance
        seen["score/waited"] = ahead.float()
        return bool(ahead)
