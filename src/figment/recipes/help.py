"""What ``figment train --help`` says: the common flags first, a recipe's own, then all by group."""

from __future__ import annotations

import inspect
import textwrap
import types
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from figment.errors import UserError
from figment.fields import fields_of, neutral
from figment.flags import Word
from figment.recipe import Recipe
from figment.recipes import MANY_KINDS, SUITED, SYSTEMS, find
from figment.recipes.listing import MOST, field_help, said

COMMON = (
    *("batch", "width", "resolution", "mirror", "augment", "conditioning", "objective"),
    *("generator_lr", "discriminator_lr", "seed"),
)
"""The fields that most people set first."""
GROUPS = {
    "How long, and what is kept": (
        *("images", "tick", "sample_every", "snapshot_every", "save_every", "patience"),
        "on_collapse",
    ),
    "Data": ("folders", "resolution", "channels", "fit", "held_out", "mirror"),
    "Classes": (
        *("conditioning", "classes", "class_norm", "class_shares", "class_loss"),
        *("class_loss_generator", "guidance", "guidance_balance", "guide_images"),
    ),
    "Networks": (
        *("width", "latent", "dropout", "spectral_norm", "discriminator_norm", "generator_norm"),
        *("reference", "precision", "compile", "ema"),
    ),
    "Learning": (
        *("batch", "micro_batch", "seed", "optimizer", "generator_lr", "discriminator_lr"),
        *("rate_decay", "betas", "play", "unroll", "discriminator_moves", "generator_moves"),
        "balance",
    ),
    "Loss functions and penalties": (
        *("objective", "real_target", "fake_target", "adversarial", "r1", "r2"),
        *("gradient_penalty", "gradient_penalty_sides", "zero_centred", "dragan", "penalty_every"),
        *("clip", "drift", "consistency", "consistency_fake", "orthogonal", "off_diagonal"),
        *("orthogonal_players", "top_k"),
    ),
    "Against mode collapse": (
        *("packing", "minibatch_discrimination", "minibatch_dimensions", "minibatch_stddev"),
        *("feature_matching", "historical_averaging", "replay", "latent_consistency"),
        *("latent_diversity", "instance_noise", "instance_noise_images"),
    ),
    "For few pictures": (
        *("augment", "augment_p", "ada_target", "ada_images", "ada_transforms", "lecam"),
        "freeze_layers",
        *("vision_aided", "vision_every", "vision_side", "vision_augment"),
    ),
    "Measuring": ("metrics", "features", "metric_every", "metric_count"),
}
"""All fields of a GAN, by what somebody wants of them."""
COLUMN = 30
"""Columns of a flag."""
ABOUT = """usage: figment train DATA [flags, in any order]

Train on DATA: a folder of pictures (sub-folders are classes), a zip of one, a packed .npy or .npz
file, or a built-in set: flowers, ring, grid."""
OWN = {
    "--recipe NAME": "The system: a name or an id from `figment recipes`, module:NAME, or a recipe.json. "
    "Without it few-shot for 50 to 2,000 pictures, biggan-small for small coloured ones of five or more "
    "classes, points for points, else dcgan-ada.",
    "--run DIR": "The folder to write. Without it runs/DATA, or runs/DATA-RECIPE where --recipe is given; "
    "with -2, -3 and so on after it where there is a run already.",
    "--images N": "How long: real images that are seen, repeats counted. Without any of these three: {}.",
    "--minutes X": "How long: minutes, with everything included.",
    "--epochs X": "How long: passes over the data.",
    "--from RUN|FILE": "Begin from the weights of a run, or of a snapshot's file, as far as they fit; "
    "without --recipe with that run's recipe.",
    "--device NAME": "cpu, cuda, mps, or auto.",
    "--trust": "Let a recipe.json name a module of your own, which is imported.",
}
"""The flags that are no fields of a recipe; --images is one as well."""


def flags_for(name: str | None, *, trust: bool = False) -> list[Word]:
    """Return the flags of a recipe's fields; without a name, of all that are chosen from by the data.

    Raises UserError for a recipe that there is not.
    """
    found: dict[str, Word] = {}
    for each in (name,) if name is not None else SUITED:
        _, recipe = find(each, trust=trust)
        kinds = typing.get_type_hints(type(recipe))
        for field in fields_of(recipe):
            if not _typed(kinds[field]):
                kind = inspect.formatannotation(kinds[field])
                raise UserError(
                    f"the recipe {each} has the field {field} of type {kind}, which no flag can give: make "
                    "it a number, a text, a choice or a tuple of them, such as tuple[str, ...]"
                )
            found[field] = Word(field, kinds[field])
    return list(found.values())


def _typed(kind: Any) -> bool:
    """Whether a word can be read as this type."""
    inner, origin = typing.get_args(kind), typing.get_origin(kind)
    if origin is Literal:
        return True
    if origin in (tuple, list, typing.Union, types.UnionType):
        return all(part is ... or _typed(part) for part in inner)
    return kind in (bool, int, float, str, Path, type(None))


def refuse_foreign(words: Sequence[str], takes: Sequence[Word], name: str | None) -> None:
    """Refuse flags that only other systems have, with a word of which. Raises UserError."""
    known = {word.name.removesuffix("_") for word in takes}
    for word in words:
        flag = word.partition("=")[0]
        field = flag.removeprefix("--").removeprefix("no-").replace("-", "_")
        if not flag.startswith("--") or {field, flag[2:].replace("-", "_")} & known:
            continue
        owners = [one for one, system in SYSTEMS.items() if field in fields_of(system.recipe)]
        if owners:
            more = f" and {len(owners) - 1} other systems" if owners[1:] else ""
            cure = f"`figment train --recipe {name} --help` lists its own" if name else "name one"
            raise UserError(
                f"{name or 'what is chosen without --recipe'} has no {flag}, as "
                f"{owners[0]}{more} ha{'ve' if more else 's'}: {cure}"
            )


def train_text(name: str | None, *, trust: bool = False, everything: bool = False) -> str:
    """Return the help of ``figment train`` for a recipe, or without a name for those that suit data."""
    named, recipe = find(name or SUITED[0], trust=trust)
    suited = {each: find(each)[1] for each in ((named,) if name else (*SUITED, MANY_KINDS))}
    length = ", ".join(f"{each.images:,} ({called})" for called, each in suited.items())
    own = "\n".join(_entry(flag, text.format(length)) for flag, text in OWN.items())
    few = "" if name else "; `figment train --recipe few-shot --help` has those for few pictures"
    lines = [
        ABOUT,
        own,
        f"Values are those of {named}{few}.",
        fields_text(named, recipe, everything=everything),
    ]
    return "\n\n".join(lines)


def fields_text(name: str, recipe: Recipe, *, everything: bool = False) -> str:
    """Return the flags of a recipe's fields, each with its line of help and its value.

    The common ones, and those that its family adds or the system sets; with ``everything`` all, by group.
    """
    own = own_fields(recipe)
    groups = {"Common": COMMON, f"Of {name}": own}
    if everything:
        groups |= GROUPS
    groups |= {"More": tuple(fields_of(recipe))} if everything else {}
    parts, shown = [], {"images"}
    for title, fields in groups.items():
        new = [field for field in fields if field in fields_of(recipe) and field not in shown]
        if new:
            parts.append(f"{title}\n" + "\n".join(_line(recipe, field) for field in new))
        shown |= set(new)
    others = len(fields_of(recipe).keys() - shown)
    if others:
        parts.append(f"`figment train --recipe {name} --help all` lists {others} flags more.")
    return "\n\n".join(parts)


def own_fields(recipe: Recipe) -> tuple[str, ...]:
    """Return the fields that a recipe's family declares, or that have another value than at first."""
    family = type(recipe)
    return tuple(
        field
        for field, value in fields_of(recipe).items()
        if _home(family, field).__module__.startswith("figment.recipes")
        or not _home(family, field).__module__.startswith("figment.")
        or value != neutral(family, field)
    )


def _home(family: type, field: str) -> type:
    """The class that declared a field first."""
    return next(c for c in reversed(family.__mro__) if field in inspect.get_annotations(c))


def _line(recipe: Recipe, field: str) -> str:
    value, kind = getattr(recipe, field), typing.get_type_hints(type(recipe))[field]
    word, text = Word(field, kind), field_help(type(recipe)).get(field, "")
    if typing.get_origin(kind) is Literal:
        text += f" One of {', '.join(map(str, typing.get_args(kind)))}."
    flag = ", ".join(word.flags) if kind is bool else f"{word.said} {word.metavar or 'NAME'}"
    settled = f"what the data ask for, else {said(value)}"
    settled = settled if field in recipe.BY_DATA else said(value)
    return _entry(flag, f"{text} (default: {settled})")


def _entry(flag: str, text: str) -> str:
    """A flag in its column and what it means beside it, or below it where it is too long."""
    first = f"  {flag}".ljust(COLUMN)
    gap = "" if len(first) == COLUMN else "\n" + " " * COLUMN
    body = _wrapped(text, MOST - COLUMN).replace("\n", "\n" + " " * COLUMN)
    return first + gap + body


def _wrapped(text: str, width: int = MOST) -> str:
    return "\n".join(textwrap.wrap(text, width, break_on_hyphens=False))
