"""What to do against collapse, in the order in which it helped; and the flags that a recipe takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from figment.doctor import flags
from figment.doctor.finding import Finding
from figment.doctor.history import History
from figment.errors import UserError
from figment.fields import fields_of

Remedy = tuple[str, tuple[str, ...]]

R1_R2: Remedy = ("r1", ("--r1 1", "--r2 1"))
PACKING: Remedy = ("packing", ("--packing 2",))
UNROLLED: Remedy = ("play", ("--play unrolled",))
MINIBATCH: Remedy = ("minibatch_discrimination", ("--minibatch-discrimination 64",))

ON_POINTS = (R1_R2, PACKING, UNROLLED, MINIBATCH)
"""docs/results/modes.md. Modes of the ring (8), of the grid (25) and of the long grid (25): R1 + R2 8.0,
24.0, 25.0; packing 8.0, 22.7, 24.7; unrolled by 5 8.0, 12.0; minibatch discrimination 8.0, 4.7."""
ON_PICTURES = (MINIBATCH, PACKING, UNROLLED, R1_R2)
"""docs/results/ablation.md. Look-alikes on CIFAR-10 and on the cats, which have collapsed nowhere:
minibatch discrimination 48 and 66 %, packing 47 and 92 %, unrolled by 5 54 and 91 %, R1 + R2 89 and 98 %.
All but the first slow a short training down."""


def against_collapse(history: History) -> tuple[str, tuple[str, ...]]:
    """Return the sentence that says where the advice comes from, and the flags that are not set yet."""
    points = history.points()
    names = {
        "r1": "R1 + R2 penalties",
        "packing": "packing",
        "play": "an unrolled generator",
        "minibatch_discrimination": "minibatch discrimination",
    }
    chosen = [
        remedy
        for remedy in (ON_POINTS if points else ON_PICTURES)
        if not _set_already(history, remedy[0])
    ]
    said = ", ".join(names[field] for field, _ in chosen)
    table = "docs/results/modes.md" if points else "docs/results/modes.md and ablation.md"
    advice = (
        f"Try one at a time: {said} (in the order in which they helped, {table})" if said else ""
    )
    advice = f"{advice}; then a" if advice else "Try a"
    found = [flag for _, some in chosen for flag in some]
    return f"{advice} lower learning rate of the generator.", (
        *found,
        flags.slower(history, "generator"),
    )


def _set_already(history: History, field: str) -> bool:
    value = history.fields.get(field)
    if field == "play":
        return value == "unrolled"
    return isinstance(value, int | float) and value > (field == "packing")


def taken(recipe: Any, findings: Iterable[Finding]) -> list[Finding]:
    """Return findings with those of their flags alone that a recipe takes, each alone and all together."""
    return [finding._replace(flags=_taken(recipe, finding.flags)) for finding in findings]


def _taken(recipe: Any, given: Sequence[str]) -> tuple[str, ...]:
    kept: list[str] = []
    together = recipe
    for flag in given:
        try:
            changes = _changes(recipe, flag)
            _with(recipe, changes).check()
            if any(getattr(together, name) != getattr(recipe, name) for name in changes):
                continue  # another value has been advised already
            if all(getattr(recipe, name) == value for name, value in changes.items()):
                continue  # it is set
            tried = _with(together, changes)
            tried.check()
        except (UserError, AttributeError, ValueError, msgspec.ValidationError):
            continue
        kept.append(flag)
        together = tried
    return tuple(kept)


def _with(recipe: Any, changes: dict[str, Any]) -> Any:
    """Return a recipe with other fields. Raises ValidationError for values that they do not take."""
    return msgspec.convert(fields_of(recipe) | changes, type(recipe))


def _changes(recipe: Any, flag: str) -> dict[str, Any]:
    """Return the field that a flag sets, with its value. Raises AttributeError where there is none."""
    word, *values = flag.split()
    name = word.removeprefix("--").replace("-", "_")
    now = getattr(recipe, name)
    if isinstance(now, bool):
        return {name: True}
    if isinstance(now, tuple):
        return {name: tuple(type(now[0])(value) for value in values)}
    return {name: type(now)(values[0])}
