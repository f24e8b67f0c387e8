"""Top-k training: the generator learns from the fakes that are judged best (Sinha et al. 2020)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from figment.errors import UserError
from figment.objectives import objective
from figment.techniques import adversarial, play
from figment.techniques.technique import Technique

if TYPE_CHECKING:
    from torch import Tensor

    from figment.rounds import Clock
    from figment.techniques.technique import View


@dataclass(frozen=True, kw_only=True)
class Fields(play.Fields, adversarial.Fields):
    top_k: float = 1.0
    """Least share of fakes that the generator learns from, those that are judged best; 1: all."""


class TopK(Technique[Fields]):
    def on(self, r: Fields) -> bool:
        return r.top_k < 1

    def check(self, r: Fields) -> None:
        if not 0 < r.top_k <= 1:
            raise UserError(f"top_k must be above 0 and at most 1, not {r.top_k}")
        if self.on(r) and r.play == "unrolled" and objective(r.objective).zero_sum:
            raise UserError(
                f"--top-k cannot be used with --play unrolled and --objective {r.objective}, a zero-sum "
                "game that is unrolled whole: leave top_k out, or set --objective nonsaturating"
            )

    def idle(self, r: Fields) -> Mapping[str, str]:
        return (
            {"top_k": "with --adversarial 0, which leaves out the loss that it acts on"}
            if r.adversarial == 0
            else {}
        )

    def at(self, r: Fields, clock: Clock) -> dict[str, Any]:
        """From all down to ``top_k`` at half of the training; the paper: times .99 each epoch, to .5."""
        return {"top_k": max(r.top_k ** (2 * clock.images / r.images), r.top_k)}

    def weigh(self, r: Fields, view: View, losses: Tensor) -> Tensor:
        from figment.penalties.top_k import top_k

        logits = view.fake.flatten(1).mean(1) if view.fake.ndim > 1 else view.fake  # [N]
        weights = top_k(logits, r.top_k)
        return losses * weights.reshape(-1, *(1 for _ in losses.shape[1:]))
