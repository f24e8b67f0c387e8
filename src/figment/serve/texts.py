"""The texts of answers, which come from files that anybody may have written."""

from __future__ import annotations

from typing import Any

from figment.data.printing import clean


def sayable(value: Any) -> Any:
    """Return a JSON value whose texts have a place in UTF-8 and steer no terminal, names of fields too."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {sayable(name): sayable(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [sayable(inner) for inner in value]
    return value
