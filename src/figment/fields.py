"""A recipe's fields as plain values: what recipe.json and the log's readers know of it."""

from __future__ import annotations

import dataclasses
from typing import Any


def fields_of(recipe: Any) -> dict[str, object]:
    """Return the fields of a recipe, or of any other flat dataclass, by name."""
    return {field.name: getattr(recipe, field.name) for field in dataclasses.fields(recipe)}
