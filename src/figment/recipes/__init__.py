"""The systems by name: the one table, and how a user's own recipe is found."""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any, NamedTuple

from figment.errors import UserError, nearest
from figment.recipe import Recipe, with_fields
from figment.recipes import dcgan, faces, fccgan, mlp, points


class System(NamedTuple):
    """A named recipe and what it reproduces."""

    id: str
    recipe: Recipe
    source: str


SYSTEMS = {
    "cats-mlp-grey": System("C1", mlp.CATS_GREY, "Cats study 2019, first run: grey, lr 2e-5"),
    "cats-mlp": System("C2", mlp.CATS_COLOUR, "Cats study 2019, second run: colour, lr 2e-4"),
    "cats-mlp-minibatch": System(
        "C3", mlp.CATS_MINIBATCH, "Cats study 2019: C2 with minibatch discrimination"
    ),
    "cats-mlp-unrolled": System(
        "C4", mlp.CATS_UNROLLED, "Cats study 2019, after Metz et al. 2016: C2 unrolled, K = 5"
    ),
    "dcgan": System("C5", dcgan.DCGAN_64, "Radford et al. 2015, as PyTorch's tutorial builds it"),
    "faces": System("F1", faces.FACES, "Faces study 2019: convolutional G, fully connected D"),
    "fccgan-baseline": System(
        "S1", fccgan.STUDY_BASELINE, "Study: DCGAN at 32 px with 5x5 kernels, FCC-GAN's baseline"
    ),
    "fccgan": System("S2", fccgan.FCC, "Barua et al. 2019: FCC-GAN for CIFAR-10, pooled"),
    "fccgan-128": System("S3", fccgan.STUDY_128, "Study: FCC-GAN at 128 px, the first map widened"),
    "fccgan-smooth": System(
        "S4", fccgan.SMOOTH, "Study: FCC-GAN with up-sampling and average pooling"
    ),
    "points": System(
        "P1", points.POINTS, "Goodfellow et al. 2014 in the plane, after Metz et al. 2016"
    ),
}


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
