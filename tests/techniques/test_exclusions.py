"""Pairs of fields that exclude each other: each is refused, no side by itself, and the docs list all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from figment.errors import UserError
from figment.fields import fields_of, neutral
from figment.gan import GAN
from figment.recipes import SYSTEMS, find
from figment.techniques.exclusions import EXCLUSIONS, Side, flag, table

USED = {
    **{"discriminator_moves": 2, "generator_moves": 2, "balance": 0.8, "replay": 64},
    **{"compile": True, "micro_batch": 16, "top_k": 0.5, "packing": 2, "latent_consistency": 5.0},
    **{"class_norm": True, "conditioning": "concat", "freeze_layers": 1, "clip": 0.01},
}
"""A value with which a field is used."""
every_pair = pytest.mark.parametrize(
    ("one", "other", "reason"),
    EXCLUSIONS,
    ids=[f"{flag(one)} {flag(other)}" for one, other, _ in EXCLUSIONS],
)


def using(*sides: Side) -> GAN:
    """Return a recipe that uses sides of pairs, and what these need to have an effect."""
    fields: dict[str, Any] = {}
    for side in sides:
        fields |= {side: USED[side]} if isinstance(side, str) else {side[0]: side[1]}
    if "class_norm" in fields:
        fields = {"conditioning": "concat"} | fields
    if "conditioning" in fields:
        fields |= {"classes": 2}
    return replace(GAN(), **fields)


@every_pair
def test_a_pair_is_refused_by_its_own_row(one: Side, other: Side, reason: str):
    with pytest.raises(UserError) as caught:
        using(one, other).check()
    sentence = f"{flag(one)} and {flag(other)} exclude each other ({reason}): leave one of them out"
    assert str(caught.value) == sentence


@every_pair
def test_leaving_one_of_them_out_is_a_cure(one: Side, other: Side, reason: str):
    using(one).check()
    using(other).check()


def test_no_pair_is_listed_twice():
    pairs = [frozenset((one, other)) for one, other, _ in EXCLUSIONS]
    assert len(set(pairs)) == len(pairs)
    assert all(len(pair) == 2 for pair in pairs)


@every_pair
def test_sides_are_fields_with_another_value(one: Side, other: Side, reason: str):
    """One that were its field's neutral value would refuse what nobody has asked for."""
    for side in (one, other):
        field = side if isinstance(side, str) else side[0]
        assert field in fields_of(GAN())
        if not isinstance(side, str):
            assert side[1] != neutral(GAN, field)


def test_sides_are_used_where_a_system_sets_them():
    """WGAN-GP's five critic moves, which nobody has typed, and simultaneous play."""
    name = next(n for n, s in SYSTEMS.items() if getattr(s.recipe, "discriminator_moves", 1) > 1)
    with pytest.raises(UserError, match="--play simultaneous and --discriminator-moves exclude"):
        replace(find(name)[1], play="simultaneous").check()


def test_what_a_side_is_called_on_the_command_line():
    assert flag("discriminator_moves") == "--discriminator-moves"
    assert flag(("generator_norm", "virtual")) == "--generator-norm virtual"


def test_the_docs_hold_the_pairs():
    page = Path(__file__).parents[2] / "docs" / "techniques" / "README.md"
    _, _, section = page.read_text(encoding="utf-8").partition("\n## Which exclude each other\n")
    assert table() in section.partition("\n## ")[0]
