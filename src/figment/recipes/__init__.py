"""Recipes by name: which system suits data, how a user's own recipe is found. The table is ``systems``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from figment.errors import UserError, nearest
from figment.fields import fields_of
from figment.recipe import Recipe, check_sizes, with_fields
from figment.recipes import own
from figment.recipes.systems import SYSTEMS, System
from figment.records import Unreadable, read_object
from figment.settings import Settings

if TYPE_CHECKING:
    from figment.data import Look

__all__ = [
    "MANY_KINDS",
    "SUITED",
    "SYSTEMS",
    "System",
    "find",
    "recipe_from",
    "suited",
    "system_fields",
]


FEW = range(50, 2_001)
"""Pictures in all that the few-shot system is meant for."""
SUITED = ("dcgan-ada", "few-shot", "points")
"""The systems that ``suited`` chooses from where a field of a game or a network is asked for."""
MANY_KINDS = "biggan-small"
"""The system that it chooses for small pictures of many kinds where none is."""
KINDS, SMALL = 5, 32
"""Classes from which on, and pixels a side up to which, pictures are small and of many kinds."""
PACE = (
    "optimizer",
    "generator_lr",
    "discriminator_lr",
    "discriminator_moves",
    "generator_moves",
)
"""Fields in which a recipe of one's own is its own measure: its dropout and batch may be what is wrong."""


def suited(look: Look, fields: Mapping[str, Any]) -> str:
    """Return the name of the system that suits what a glance at the data showed, and the fields asked for.

    Where these choose an augmentation, or an objective whose logits ADA cannot follow, that is plain DCGAN;
    where they choose anything about game or networks, which not every family has, it is none but these.
    """
    if look.kind == "points":
        return "points"
    if look.count in FEW:
        return "few-shot"
    if _many_kinds(look, fields) and fields.keys() <= fields_of(Settings()).keys() - {"latent"}:
        return MANY_KINDS
    if "augment" in fields:
        return "dcgan"
    if "objective" in fields:
        from figment.objectives.adversarial import OBJECTIVES

        pair = OBJECTIVES.get(str(fields["objective"]))
        return "dcgan-ada" if pair is not None and pair.boundary is not None else "dcgan"
    return "dcgan-ada"


def _many_kinds(look: Look, fields: Mapping[str, Any]) -> bool:
    """Whether small pictures in colour of many kinds are to be learned, where BigGAN is ahead of DCGAN."""
    small = 0 < look.side <= SMALL and fields.get("resolution", SMALL) <= SMALL
    colour = not look.grey and fields.get("channels", 3) == 3
    return small and colour and look.count >= FEW.stop and len(look.classes) >= KINDS


def find(name: str, *, trust: bool = False) -> tuple[str, Recipe]:
    """Return the full name and the recipe for a name, an id (``C5``), ``module:NAME`` or a recipe.json.

    ``trust``: a recipe.json may name a module too. Raises UserError for an unknown name, or for a module
    that does not import or holds no recipe.
    """
    if name.endswith(".json"):
        try:
            return recipe_from(read_object(Path(name)), Path(name), trust=trust)
        except (OSError, Unreadable, KeyError) as error:
            raise UserError(f"{name} is no readable recipe ({error})") from None
    return (name, own.named(name)) if ":" in name else _built_in(name)


def recipe_from(
    written: dict[str, Any], file: Path = Path(), *, trust: bool = False
) -> tuple[str, Recipe]:
    """Return name and recipe for what recipe.json or a snapshot's metadata say.

    ``file`` is where that was read, or its run. A recipe that is not built in is only imported where it is
    trusted, and never from near ``file``. Raises UserError, KeyError.
    """
    name, fields = written["recipe"], written["fields"]
    if not isinstance(name, str) or not isinstance(fields, dict):
        raise UserError(f"{file} holds no recipe: a name and an object of fields")
    if ":" in name:
        recipe = own.named_in(name, file, trust=trust)
    else:
        name, recipe = _built_in(name)
    for field in fields.keys() - fields_of(recipe).keys():
        raise UserError(
            f"{file} has a field {field}, which the recipe {name} of this version of figment does not "
            "have: if a newer version wrote it, pip install -U figment-gan"
        )
    recipe = with_fields(recipe, fields)
    check_sizes(recipe)
    return name, recipe


def _built_in(name: str) -> tuple[str, Recipe]:
    for known, system in SYSTEMS.items():
        if name.lower() in (known, system.id.lower()):
            return known, system.recipe
    words = [*SYSTEMS, *(system.id for system in SYSTEMS.values())]
    hint = nearest(name, words) or " `figment recipes` lists them."
    if name.endswith(".py"):
        hint = (
            f" A recipe of your own goes by module and class, {Path(name).stem}:CLASS; run figment in the "
            "folder of that file, or put it on PYTHONPATH."
        )
    raise UserError(f"there is no recipe {name[:80]}.{hint}")


def system_fields(
    name: str, fields: Mapping[str, Any], machine: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the fields of a system as it is; of one that is not built in its PACE, where not changed.

    ``fields`` are the recipe's of a run, ``machine`` its machine.json. Changed is what the user chose, and
    what was taken from another run, where somebody had chosen it.
    """
    if name in SYSTEMS:
        return fields_of(SYSTEMS[name].recipe)
    about = machine.get("fields")
    chosen = about.get("chosen") if isinstance(about, dict) else None
    if not isinstance(chosen, list):
        return {}
    taken = about.get("taken") if isinstance(about, dict) else None
    changed = [*chosen, *(taken if isinstance(taken, list) else ())]
    return {one: fields[one] for one in PACE if one in fields and one not in changed}
