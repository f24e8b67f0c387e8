"""Pairs of fields that exclude each other, with the reason: one table, checked and printed from here.

A side is a field that is used at all, that is, not at its neutral value, or (field, value) for one choice.
"""

from __future__ import annotations

from typing import Any

from figment.errors import UserError
from figment.fields import neutral

Side = str | tuple[str, str]

TOGETHER = ("simultaneous", "extragradient", "optimistic", "svre")
"""Ways to play in which both players move at once."""
AT_ONCE = "both players move at once, once a round"

EXCLUSIONS: tuple[tuple[Side, Side, str], ...] = (
    *(
        (("play", way), field, AT_ONCE)
        for way in TOGETHER
        for field in ("discriminator_moves", "generator_moves", "balance")
    ),
    (("play", "unrolled"), "generator_moves", "an unrolled round has one generator move"),
    (("play", "unrolled"), "replay", "an unrolled generator must reach all fakes"),
    (("play", "unrolled"), ("optimizer", "rmsprop"), "steps of RMSprop cannot be unrolled"),
    (("play", "unrolled"), "micro_batch", "unrolled steps are differentiated twice, in one piece"),
    (("play", "unrolled"), "compile", "unrolled steps are differentiated twice, by all weights"),
    ("top_k", "packing", "packs are judged whole, top-k picks single fakes"),
    ("top_k", ("objective", "relativistic_average"), "its loss averages over all fakes"),
    ("latent_consistency", "replay", "earlier fakes have no latents any more"),
    ("class_norm", ("generator_norm", "reference"), "both replace the generator's batch norms"),
    ("class_norm", ("generator_norm", "virtual"), "both replace the generator's batch norms"),
    ("conditioning", "packing", "a pack has no single class"),
    ("freeze_layers", "clip", "clipping changes the layers that are to stay"),
)


def refuse_exclusions(recipe: Any) -> None:
    """Raise UserError for the first pair of the table that a recipe uses both sides of."""
    for one, other, reason in EXCLUSIONS:
        if _used(recipe, one) and _used(recipe, other):
            raise UserError(
                f"{flag(one)} and {flag(other)} exclude each other ({reason}): leave one of them out"
            )


def table() -> str:
    """Return the pairs as a table for the docs, in Markdown."""
    rows = [f"| `{flag(one)}` | `{flag(other)}` | {reason} |" for one, other, reason in EXCLUSIONS]
    return "\n".join(["| this | excludes | because |", "|---|---|---|", *rows])


def flag(side: Side) -> str:
    """Return a side as it is said on the command line."""
    field, *value = (side,) if isinstance(side, str) else side
    return " ".join([f"--{field.replace('_', '-')}", *value])


def _used(recipe: Any, side: Side) -> bool:
    if isinstance(side, str):
        return getattr(recipe, side) != neutral(type(recipe), side)
    return getattr(recipe, side[0]) == side[1]
