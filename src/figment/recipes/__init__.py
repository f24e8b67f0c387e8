"""Recipes by name: which system suits data, how a user's own recipe is found. The table is ``systems``."""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from figment.errors import UserError, nearest
from figment.recipe import Recipe, with_fields
from figment.recipes.systems import SYSTEMS, System

if TYPE_CHECKING:
    from figment.data import Look

__all__ = ["SUITED", "SYSTEMS", "System", "find", "recipe_from", "suited"]


FEW = range(50, 2_001)
"""Pictures in all that the few-shot system is meant for."""
SUITED = ("dcgan", "few-shot", "points")
"""The systems that ``suited`` chooses from."""


def suited(look: Look) -> str:
    """Return the name of the system that suits what a glance at the data showed."""
    if look.kind == "points":
        return "points"
    return "few-shot" if look.count in FEW else "dcgan"


def find(name: str) -> tuple[str, Recipe]:
    """Return the full name and the recipe for a name, an id (``C5``), ``module:NAME`` or a recipe.json.

    Raises UserError for an unknown name, or for a module that does not import or holds no recipe.
    """
    if name.endswith(".json"):
        try:
            return recipe_from(json.loads(Path(name).read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(f"{name} is no readable recipe ({error})") from None
    if ":" in name:
        return name, _import(name)
    for known, system in SYSTEMS.items():
        if name.lower() in (known, system.id.lower()):
            return known, system.recipe
    words = [*SYSTEMS, *(system.id for system in SYSTEMS.values())]
    hint = nearest(name, words) or " `figment recipes` lists them."
    raise UserError(f"there is no recipe {name}.{hint}")


def recipe_from(written: dict[str, Any]) -> tuple[str, Recipe]:
    """Return name and recipe for what recipe.json or a snapshot's metadata say."""
    name, recipe = find(written["recipe"])
    return name, with_fields(recipe, written["fields"])


def _import(name: str) -> Recipe:
    module, _, attribute = name.partition(":")
    # A console script does not look in the current folder by itself. Inside a run it must not:
    # the run may be a stranger's, and so may be code beside it.
    if os.getcwd() not in sys.path and not os.path.exists("recipe.json"):
        sys.path.insert(0, os.getcwd())
    try:
        found = getattr(importlib.import_module(module), attribute)
    except Exception as error:
        raise UserError(
            f"the recipe {name} cannot be imported: {type(error).__name__}: {error}"
        ) from error
    if isinstance(found, type) and issubclass(found, Recipe):
        found = found()
    if not isinstance(found, Recipe):
        raise UserError(f"{name} is not a recipe: it must be an instance of figment.Recipe")
    return found
