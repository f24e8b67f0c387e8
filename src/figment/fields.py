"""The fields of a recipe as plain values."""

from __future__ import annotations

import dataclasses
from inspect import get_annotations
from typing import Any


def fields_of(recipe: Any) -> dict[str, Any]:
    """Return a recipe's fields by name."""
    return {field.name: getattr(recipe, field.name) for field in dataclasses.fields(recipe)}


def neutral(family: type, field: str) -> Any:
    """Return a field's value where it was first declared: the one at which it does nothing of its own."""
    for cls in reversed(family.__mro__):
        if field in get_annotations(cls):
            return vars(cls)[field]
    raise AttributeError(f"{family.__name__} has no field {field}")
