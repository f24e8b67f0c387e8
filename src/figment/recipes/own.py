"""Recipes of one's own, by ``module:NAME``: found where their user keeps code, never where a file says.

Importing a module runs it. A name that a person has typed is theirs to run. A name that a file holds
(recipe.json, a snapshot) may be a stranger's: it is followed only where the person trusts it, and then only
to modules that are nowhere near that file, or where this person has trained with that module before.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from importlib.machinery import PathFinder
from pathlib import Path

from figment.errors import UserError
from figment.files import write_json
from figment.recipe import Recipe
from figment.records import Unreadable, read_object

KNOWN: dict[str, Recipe] = {}
"""Recipes that this Python session has named or trained with: they need no trust."""
FIGMENTS = ("figment.recipes.", "figment.gan:", "figment.recipe:")
"""Names of classes of figment itself begin with one of these."""


def named(name: str) -> Recipe:
    """Return the recipe of a name that the user has typed, from installed code or the current folder.

    Raises UserError for a module that does not import, or holds no such recipe.
    """
    here = os.getcwd()
    # A console script does not look in the current folder by itself. Inside a run it must not:
    # the run may be a stranger's, and so may be code in it.
    inside = any((folder / "recipe.json").exists() for folder in (Path(here), *Path(here).parents))
    with _looking_in([*([] if inside else [here]), *sys.path]):
        KNOWN[name] = _imported(name)
    return KNOWN[name]


def named_in(name: str, file: Path, *, trust: bool) -> Recipe:
    """Return the recipe of a name that a file holds. Raises UserError unless it is known or trusted."""
    if name in KNOWN:
        return KNOWN[name]
    if name.startswith(FIGMENTS):
        return _imported(name)
    if not trust:
        raise UserError(
            f"{file} names the recipe {name}, which is not built in: opening it runs that module. "
            "If the module is your own, add --trust (in Python: trust=True)"
        )
    top = name.partition(":")[0].partition(".")[0]
    places = [*_trained_with().get(top, ()), *(p for p in sys.path if not _near(p, file))]
    if top not in sys.modules and PathFinder.find_spec(top, places) is None:
        raise UserError(
            f"the recipe {name} is not where code is looked for: put {top}.py into a folder that does not "
            "hold the run, and name that folder in PYTHONPATH"
        )
    with _looking_in(places):
        KNOWN[name] = _imported(name)
    return KNOWN[name]


def name_of(recipe: Recipe) -> str:
    """Return the name of a recipe that the user holds in hand, ``module:Class``.

    Raises UserError for a class that no other program could find again.
    """
    kind = type(recipe)
    if kind.__module__ == "__main__" or "<locals>" in kind.__qualname__:
        raise UserError(
            f"the recipe {kind.__name__} is defined in a notebook, a script or a function, where the run "
            f"could not find it again: put the class into a file, such as mine.py, and "
            f"`from mine import {kind.__name__}`"
        )
    name = f"{kind.__module__}:{kind.__qualname__}"
    if getattr(sys.modules.get(kind.__module__), kind.__qualname__, None) is not kind:
        _imported(name)
    KNOWN[name] = kind()
    return name


def remember(name: str) -> None:
    """Note where the module of a recipe lies that its user trains with, so that its runs can be opened."""
    module = sys.modules.get(name.partition(":")[0].partition(".")[0])
    origin = getattr(module, "__file__", None)
    if ":" not in name or name.startswith(FIGMENTS) or module is None or origin is None:
        return
    folder = Path(origin).resolve().parent
    folder = str(folder.parent if hasattr(module, "__path__") else folder)
    known = _trained_with()
    known[module.__name__] = [folder, *(p for p in known.get(module.__name__, ()) if p != folder)]
    with suppress(UserError):  # no home to write to: the modules are then looked for elsewhere only
        write_json(_notes(), known)


def _imported(name: str) -> Recipe:
    module, _, attribute = name.partition(":")
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


@contextmanager
def _looking_in(places: Iterable[str]) -> Generator[None]:
    """Let modules be looked for in these places inside, and after all others from then on.

    What a module imports later is found too, but cannot stand before anything that is installed.
    """
    before, places = list(sys.path), list(places)
    sys.path[:] = places
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path[:] = [*before, *(place for place in places if place not in before)]


def _near(place: str, file: Path) -> bool:
    """Whether a folder of modules is the run that a file belongs to, lies in it, or holds it."""
    folder, file = Path(place or os.getcwd()).resolve(), Path(file).resolve()
    run = file if file.is_dir() else file.parent
    if run.name in ("snapshots", "state"):
        run = run.parent
    return folder == run or folder in run.parents or run in folder.parents


def _notes() -> Path:
    """Where it is noted which modules this user has trained with, and where they were."""
    home = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
    return home / "figment" / "recipes.json"


def _trained_with() -> dict[str, list[str]]:
    try:
        path = _notes()
        if hasattr(os, "getuid") and path.stat().st_uid != os.getuid():
            return {}
        return {
            str(module): [str(folder) for folder in folders]
            for module, folders in read_object(path).items()
            if isinstance(folders, list)
        }
    except (OSError, Unreadable):
        return {}
