"""How the players alternate: one way a file, each playing one round."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from figment.training.trainer import Trainer

    Turns = Callable[[Trainer], dict[str, Tensor]]


def turns_for(play: str, unroll: int, optimizer: str = "adam") -> Turns:
    """Return what plays one round in a way to play, by its name in ``Recipe.play``.

    What is unrolled are steps of the discriminator's optimiser: Adam's own, or plain ones of SGD.
    """
    from figment.turns.alternating import alternating
    from figment.turns.extragradient import Extragradient
    from figment.turns.optimistic import Optimistic
    from figment.turns.simultaneous import simultaneous
    from figment.turns.svre import SVRE
    from figment.turns.unrolled import Unrolled

    ways: dict[str, Callable[[], Turns]] = {
        "alternating": lambda: alternating,
        "simultaneous": lambda: simultaneous,
        "unrolled": lambda: Unrolled(steps=unroll, inner="sgd" if optimizer == "sgd" else "adam"),
        "extragradient": Extragradient,
        "optimistic": Optimistic,
        "svre": SVRE,
    }
    return ways[play]()
