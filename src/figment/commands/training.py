"""Training: ``figment train`` and ``figment resume``."""

from __future__ import annotations

import time
from typing import Any

from figment.flags import Word, given, some
from figment.runs import LATEST, named

STARTED = time.perf_counter()
PROG = "figment train"
RECIPE, TRUST = Word("recipe", str), Word("trust", bool)
WORDS = [
    Word("data", str, bare=True, needed=True),
    RECIPE,
    Word("run", str),
    Word("minutes", float),
    Word("epochs", float),
    Word("from_", str),
    Word("device", str),
    TRUST,
]
"""What ``figment train`` takes beside the fields of a recipe; ``recipes.help`` says what they are."""


def train(words: list[str]) -> int:
    """Train on a folder of pictures, a zip, a packed file, or flowers, ring, grid.

    The fields of a recipe are its flags: those of the one that is named, or of all that it would choose
    from. What is given is handed on, whatever its order; what is not, the data decide.
    """
    from figment.recipes.help import flags_for, refuse_foreign, train_text

    said = some(words, [RECIPE, TRUST], prog=PROG)
    recipe, trust = said.get("recipe"), said.get("trust", False)
    if not {"-h", "--help"}.isdisjoint(words):
        print(train_text(recipe, trust=trust, everything="all" in words))
        return 0
    takes = [*WORDS, *flags_for(recipe, trust=trust)]
    refuse_foreign(words, takes, recipe)
    found = given(words, takes, prog=PROG)
    from figment.launch import train

    data, recipe = found.pop("data"), found.pop("recipe", None)
    return _code(train(data, recipe, started=STARTED, **found))


def resume(
    run: str = LATEST,
    /,
    *,
    images: int | None = None,
    minutes: float | None = None,
    epochs: float | None = None,
    data: str | None = None,
    device: str = "auto",
    trust: bool = False,
) -> int:
    """Go on with a run exactly where it stopped: to the end that was planned, or so much more.

    Args:
        run: The run folder; the latest run without it.
        images: How many images more.
        minutes: How many minutes more.
        epochs: How many passes over the data more.
        data: Where the data are now, if they have moved.
        device: cpu, cuda, mps, or auto.
        trust: Open a recipe of your own, which the run only names: its module is imported.
    """
    from figment.launch import resume

    done = resume(
        named(run),
        images=images,
        minutes=minutes,
        epochs=epochs,
        data=data,
        device=device,
        trust=trust,
        started=STARTED,
    )
    return _code(done)


def _code(run: Any) -> int:
    """Return the shell's exit code for a run: 128 + the signal that stopped it, or 0."""
    return 128 + run.stopped_by if run.stopped_by else 0
