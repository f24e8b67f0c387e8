"""What ``figment train --help`` says of a recipe's fields: its own first, the rest by their file."""

from __future__ import annotations

import inspect
import sys
import textwrap
import typing
from collections.abc import Iterable
from typing import Any, Literal

from figment.fields import fields_of, neutral
from figment.recipe import Recipe
from figment.recipes.listing import field_help

COMMON = (
    *("images", "batch", "resolution", "seed", "mirror", "augment", "objective", "conditioning"),
    *("generator_lr", "discriminator_lr", "micro_batch"),
)
"""Fields that most people set first."""
WIDTH = 90


def fields_text(name: str, recipe: Recipe, *, everything: bool = False) -> str:
    """Return the flags of a recipe's fields, each with its value and its line of help.

    Those that its family adds or the system sets, then the common ones; with ``everything`` all others too,
    under the first line of the file that declares them.
    """
    shown: list[str] = []
    groups = [(f"Of {name}", own_fields(recipe)), ("Common", COMMON)]
    if everything:
        groups += by_file(recipe).items()
    parts = []
    for title, fields in groups:
        new = [field for field in fields if field in fields_of(recipe) and field not in shown]
        if new:
            parts.append(f"{title}\n" + "\n".join(_line(recipe, field) for field in new))
        shown += new
    others = len(fields_of(recipe)) - len(shown)
    if others:
        parts.append(f"`figment train --recipe {name} --help all` lists {others} flags more.")
    return "\n\n".join(parts)


def own_fields(recipe: Recipe) -> list[str]:
    """Return the fields that a recipe's family declares, or that have another value than at first."""
    family = type(recipe)
    return [
        field
        for field, value in fields_of(recipe).items()
        if _home(family, field).__module__.startswith("figment.recipes")
        or not _home(family, field).__module__.startswith("figment.")
        or value != neutral(family, field)
    ]


def by_file(recipe: Recipe) -> dict[str, list[str]]:
    """Return all fields under the first line of the file that declares them."""
    found: dict[str, list[str]] = {}
    for field in fields_of(recipe):
        module = sys.modules[_home(type(recipe), field).__module__]
        title = (module.__doc__ or module.__name__).split("\n")[0].replace("``", "")
        found.setdefault(title, []).append(field)
    return found


def _home(family: type, field: str) -> type:
    """The class that declared a field first."""
    return next(c for c in reversed(family.__mro__) if field in inspect.get_annotations(c))


def _line(recipe: Recipe, field: str) -> str:
    value, kind = getattr(recipe, field), typing.get_type_hints(type(recipe))[field]
    flag, text = field.replace("_", "-"), field_help(type(recipe)).get(field, "")
    if typing.get_origin(kind) is Literal:
        text += f" One of {', '.join(map(str, typing.get_args(kind)))}."
    if isinstance(value, bool):
        said = f"--{flag}, --no-{flag}   ({'yes' if value else 'no'} without them)"
    else:
        said = f"--{flag} {_said(value)}"
    wrapped = textwrap.wrap(text, WIDTH, break_on_hyphens=False)
    return f"  {said}\n" + textwrap.indent("\n".join(wrapped), " " * 6)


def _said(value: Any) -> str:
    """A value as it is written on the command line."""
    if isinstance(value, Iterable) and not isinstance(value, str):
        return " ".join(map(str, value)) or "(none)"
    return str(value) or "(none)"
