"""The names of the ways to play, which the command line lists without importing torch."""

from __future__ import annotations

import ast
import inspect
import typing

import pytest

from figment.turns import Play, turns_for
from figment.turns.alternating import alternating
from figment.turns.extragradient import Extragradient
from figment.turns.optimistic import Optimistic
from figment.turns.simultaneous import simultaneous
from figment.turns.svre import SVRE
from figment.turns.unrolled import Unrolled

WAYS = {
    "alternating": alternating,
    "simultaneous": simultaneous,
    "unrolled": Unrolled,
    "extragradient": Extragradient,
    "optimistic": Optimistic,
    "svre": SVRE,
}


def test_every_way_to_play_has_its_name_and_every_name_a_way():
    (table,) = (
        node
        for node in ast.walk(ast.parse(inspect.getsource(turns_for)))
        if isinstance(node, ast.Dict)
    )
    names = [ast.literal_eval(key) for key in table.keys if key is not None]
    assert names == list(typing.get_args(Play))


def test_a_name_gives_its_own_way():
    assert WAYS.keys() == set(typing.get_args(Play))
    for name in typing.get_args(Play):
        turns, way = turns_for(name), WAYS[name]
        assert turns is way or type(turns) is way


def test_a_way_with_a_memory_is_made_anew_each_time():
    for name in ("optimistic", "svre"):
        assert turns_for(name) is not turns_for(name)


@pytest.mark.parametrize(("optimizer", "inner"), [("adam", "adam"), ("sgd", "sgd")])
def test_unrolled_steps_are_those_of_the_optimiser(optimizer: str, inner: str):
    turns = turns_for("unrolled", unroll=3, optimizer=optimizer)
    assert isinstance(turns, Unrolled)
    assert (turns.steps, turns.inner) == (3, inner)
