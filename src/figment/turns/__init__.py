"""How the players take turns: one way a file, each playing one round on a ``figment.rounds.Engine``.

A way to play is a file here, its name in ``Play``, and a line in ``turns_for``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from figment.rounds import Turns

Play = Literal["alternating", "simultaneous", "unrolled", "extragradient", "optimistic", "svre"]


def turns_for(play: Play, *, unroll: int = 5, optimizer: str = "adam") -> Turns:
    """Return the function that plays one round in the way of that name.

    Unrolled are steps of the discriminator's optimiser: Adam's own, or plain ones of SGD.
    """
    from figment.turns.alternating import alternating
    from figment.turns.extragradient import Extragradient
    from figment.turns.optimistic import Optimistic
    from figment.turns.simultaneous import simultaneous
    from figment.turns.svre import SVRE
    from figment.turns.unrolled import Unrolled

    ways: dict[Play, Callable[[], Turns]] = {
        "alternating": lambda: alternating,
        "simultaneous": lambda: simultaneous,
        "unrolled": lambda: Unrolled(steps=unroll, inner="sgd" if optimizer == "sgd" else "adam"),
        "extragradient": Extragradient,
        "optimistic": Optimistic,
        "svre": SVRE,
    }
    return ways[play]()
