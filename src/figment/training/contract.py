"""What training needs of a recipe, refused by the method's name where one's own does not give it.

Only what figment itself asks for. What a method raises is its author's to see whole, and stays a traceback.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from torch import Tensor, nn

from figment.errors import UserError
from figment.rounds import Clock, Playable, Terms

R = TypeVar("R", bound=Playable)

OWN_COLUMNS = frozenset(
    {"images", "rounds", "seconds", "open", "not_finite", "length"}
    | {"speed/images_per_second", "memory/gib", "modes/reached", "modes/all"}
)
"""Columns that the log writes itself."""


def odd(recipe: Any, method: str, wanted: str) -> UserError:
    """Return the error for a method of a recipe that does not give what is wanted of it."""
    return UserError(f"the recipe {type(recipe).__name__}: {method}() {wanted}")


@contextmanager
def told_whose(recipe: Playable) -> Generator[None]:
    """Let what a round of a recipe of one's own raises say whose it is, below its traceback."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if not type(recipe).__module__.startswith("figment."):
            error.add_note(
                f"figment: a round of the recipe {type(recipe).__name__} raised this. The state that was "
                "saved last is kept: where there is one, `figment resume RUN` goes on from it."
            )
        raise


def at(recipe: R, clock: Clock) -> R:
    """Return the recipe as it is at a moment. Raises UserError where it says none."""
    now = recipe.at(clock)
    if not isinstance(now, type(recipe)):
        raise odd(recipe, "at", f"must return the recipe at a moment, not {type(now).__name__}")
    return now


def refuse_networks(recipe: Playable, nets: object) -> None:
    """Raise UserError where there is no generator."""
    if not isinstance(nets, nn.ModuleDict) or "generator" not in nets:
        raise odd(recipe, "build", 'must return an nn.ModuleDict with a network "generator"')


def refuse_names(recipe: Playable, nets: nn.ModuleDict, kept: Iterable[str]) -> None:
    """Raise UserError where what a recipe remembers takes the name of a network."""
    for name in kept:
        if name in nets:
            raise odd(recipe, "memory", f'gives "{name}", which is a network: use another name')


def refuse_columns(recipe: Playable, method: str, seen: Iterable[str]) -> None:
    """Raise UserError where scalars have the name of a column that the log writes itself."""
    for name in sorted(OWN_COLUMNS.intersection(seen)):
        raise odd(recipe, method, f'gives "{name}", a column of the log itself: use another name')


def refuse_idle(recipe: Playable, player: str, gradients: Sequence[Tensor]) -> None:
    """Raise UserError where a player's losses reach none of the weights that it may change."""
    if not gradients:
        raise odd(recipe, "optimizers", f"changes no weight that the {player}'s losses depend on")


def refuse_fakes(recipe: Playable, fakes: object, count: int) -> None:
    """Raise UserError where fakes are not as many, or not of the form, that they have to be."""
    wanted, found = [count, *recipe.shape], getattr(fakes, "shape", None)
    if found is None or list(found) != wanted:
        had = f"one of {list(found)}" if found is not None else type(fakes).__name__
        raise odd(recipe, "generate", f"must return a tensor of {wanted}, not {had}")


def refuse_terms(recipe: Playable, rule: object, player: str, terms: object) -> None:
    """Raise UserError where a rule gives nothing that a player could minimise."""
    method = getattr(rule, "__name__", f"the rule of the {player}")
    if not isinstance(terms, Terms):
        raise odd(recipe, method, f"must return Terms, not {type(terms).__name__}")
    if not terms.minimised:
        raise odd(recipe, method, f"has no loss: the {player} needs one or more to minimise")
    for part in terms:
        for name, value in part.items():
            if not isinstance(value, Tensor) or value.ndim:
                had = list(value.shape) if isinstance(value, Tensor) else type(value).__name__
                raise odd(
                    recipe, method, f'gives "{name}" as {had}: it must be a tensor of one number'
                )
    refuse_columns(recipe, method, terms.observations)
    if not any(value.requires_grad for value in terms.minimised.values()):
        raise odd(recipe, method, f"has losses that do not depend on the {player}: no gradient")


def refuse_round(recipe: Playable, seen: object, before: Clock, after: Clock) -> None:
    """Raise UserError where a round saw no images, so that a training would never end, or says nothing."""
    if after.images <= before.images:
        raise odd(recipe, "turns", "plays rounds that take no batch: call engine.next_batch()")
    if not isinstance(seen, dict):
        raise odd(recipe, "turns", "must play rounds that return scalars by name, a dict")


def stages_of(recipe: Playable) -> list[int]:
    """Return the images from which on rounds cost otherwise. Raises UserError where they are none."""
    found = recipe.stages()
    whole = isinstance(found, Collection) and all(isinstance(start, int) for start in found)
    if not whole or sorted(found) != [*found] or [*found][:1] != [0]:
        raise odd(recipe, "stages", "must return whole numbers that rise, 0 first")
    return [*found]


def lazy_of(recipe: Playable) -> list[int]:
    """Return every how manieth rounds have something of their own. Raises UserError where they are none."""
    found = recipe.lazy()
    if not all(isinstance(every, int) and every >= 1 for every in found):
        raise odd(recipe, "lazy", "must return whole numbers, each 1 or more")
    return sorted({*found} - {1})
