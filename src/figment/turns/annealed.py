"""Any way to play, at learning rates and with a momentum that change through the training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor, nn

from figment.turns.memory import Remembering

if TYPE_CHECKING:
    from figment.recipe import Clock
    from figment.training.trainer import Trainer
    from figment.turns import Turns


@dataclass(frozen=True, kw_only=True)
class Annealed(Remembering):
    """Set the optimisers before each round, then play it.

    What they are set to is a function of the clock and nothing else, so a resumed run goes on as it would
    have; a rollback's slower pace stays.
    """

    play: Turns
    """The way to play."""
    rate: Callable[[Clock], float]
    """What all learning rates are multiplied by."""
    momentum: Callable[[Clock], float] | None = None
    """Momentum, with Adam the decay rate of the first moment; without: as it is."""

    def memory(self, weights: Sequence[Tensor]) -> nn.Module:
        """Return the memory of the way to play; an empty one if it has none."""
        return self.play.memory(weights) if isinstance(self.play, Remembering) else nn.Module()

    def __call__(self, trainer: Trainer) -> dict[str, Tensor]:
        """Play one round and return the scalars seen in it."""
        rate = trainer.rate_scale * self.rate(trainer.clock)
        for optimizer in trainer.optimizers.values():
            for group in optimizer.param_groups:
                start = group.setdefault("initial_lr", group["lr"] / trainer.rate_scale)
                group["lr"] = start * rate
                if self.momentum:
                    _set_momentum(group, self.momentum(trainer.clock))
        return self.play(trainer)


def _set_momentum(group: dict, momentum: float) -> None:
    if "betas" in group:
        group["betas"] = (momentum, group["betas"][1])
    else:
        group["momentum"] = momentum
