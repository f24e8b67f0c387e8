"""The fields of a recipe as plain values."""

from __future__ import annotations

import dataclasses
from functools import cache
from inspect import get_annotations
from typing import Any


def fields_of(recipe: Any) -> dict[str, Any]:
    """Return a recipe's fields by name."""
    return {field.name: getattr(recipe, field.name) for field in dataclasses.fields(recipe)}


@cache
def neutral(family: type, field: str) -> Any:
    """Return a field's value where it was first declared: the one at which it does nothing of its own."""
    for cls in reversed(family.__mro__):
        if field in get_annotations(cls):
            return vars(cls)[field]
    raise AttributeError(f"{family.__name__} has no field {field}")


@cache
def own_fields(family: type[Any]) -> frozenset[str]:
    """Return the names of a family's fields that figment itself declares."""
    own = (kind for kind in family.__mro__ if kind.__module__.startswith("figment."))
    declared = {field for kind in own for field in get_annotations(kind)}
    return frozenset(field.name for field in dataclasses.fields(family)) & declared
