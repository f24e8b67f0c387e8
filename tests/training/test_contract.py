"""What training needs of a recipe of one's own, refused by the method's name."""

from __future__ import annotations

from dataclasses import field, make_dataclass
from typing import Any

import pytest
import torch

from figment.data import open_dataset
from figment.errors import UserError
from figment.recipes.help import flags_for
from figment.recipes.points import Points
from figment.rounds import Terms
from figment.training import cost, trainer

CPU = torch.device("cpu")
ONE = torch.ones(())


def own(**methods: Any) -> Points:
    """A recipe of one's own, some of whose methods give what is said here."""
    given: dict[str, Any] = {name: lambda *_, said=said: said for name, said in methods.items()}
    for name, method in given.items():
        method.__name__ = name
    kind = type("Own", (Points,), given | {"__module__": "mine"})
    return kind(batch=8, hidden=(16,), latent=4, images=64, metrics=())


def measured(recipe: Points) -> Any:
    return cost.measure(recipe, open_dataset("ring", resolution=64, progress=False), CPU)


@pytest.mark.parametrize(
    ("methods", "said"),
    [
        ({"generator_terms": None}, r"generator_terms\(\) must return Terms, not NoneType"),
        ({"generator_terms": Terms({}, {}, {})}, "has no loss: the generator needs one"),
        ({"generator_terms": Terms({"a": 1.0}, {}, {})}, 'gives "a" as float'),
        ({"generator_terms": Terms({"a": torch.ones(3)}, {}, {})}, r'gives "a" as \[3\]'),
        ({"generator_terms": Terms({"a": ONE}, {}, {})}, "do not depend on the generator"),
        (
            {"generator_terms": Terms({"a": ONE.clone().requires_grad_()}, {}, {})},
            r"optimizers\(\) changes no weight that the generator's losses depend on",
        ),
        ({"generator_terms": Terms({"a": ONE}, {}, {"rounds": ONE})}, 'gives "rounds", a column'),
        ({"turns": lambda engine: {}}, r"turns\(\) plays rounds that take no batch"),
        ({"turns": lambda engine: engine.next_batch()}, "return scalars by name, a dict"),
        ({"stages": []}, r"stages\(\) must return whole numbers that rise, 0 first"),
        ({"stages": [0, "x"]}, "whole numbers that rise"),
        ({"stages": [5, 0]}, "whole numbers that rise"),
        ({"lazy": [0, -1]}, r"lazy\(\) must return whole numbers, each 1 or more"),
        ({"at": None}, r"at\(\) must return the recipe at a moment, not NoneType"),
        ({"generate": torch.zeros(3, 7)}, r"must return a tensor of \[8, 2\], not one of \[3, 7\]"),
        ({"build": torch.nn.ModuleDict()}, 'with a network "generator"'),
        ({"memory": {"generator": torch.nn.Identity()}}, 'gives "generator", which is a network'),
    ],
)
def test_what_is_missing_is_named(methods: dict[str, Any], said: str):
    with pytest.raises(UserError, match=f"^the recipe Own: .*{said}"):
        measured(own(**methods))


def test_what_a_round_raises_says_that_the_state_is_kept():
    def broken(*_: Any) -> Terms:
        raise ValueError("mine")

    recipe = own()
    type(recipe).generator_terms = broken
    with pytest.raises(ValueError, match="mine") as caught:
        measured(recipe)
    assert "a round of the recipe Own raised this" in caught.value.__notes__[0]


def test_held_out_pictures_say_nothing_in_the_logs_own_name():
    data = open_dataset("ring", resolution=64, progress=False)
    played = trainer.Trainer(own(validate={"images": ONE}), data, CPU)
    with pytest.raises(UserError, match=r"validate\(\) gives \"images\", a column of the log"):
        played.validate()


@pytest.mark.parametrize(
    "kind", ["dict[str, int] | None", "tuple", "list[Any]", "Any", "tuple[dict, ...]"]
)
def test_a_field_that_no_flag_can_give_is_named(kind: str, monkeypatch: pytest.MonkeyPatch):
    table = ("table", kind, field(default=None))
    odd = make_dataclass("Odd", [table], bases=(Points,), frozen=True, kw_only=True)
    odd.__module__ = __name__
    monkeypatch.setattr("figment.recipes.help.find", lambda name, trust: (name, odd()))
    with pytest.raises(UserError, match=r"mine:Odd has the field table of type .*, which"):
        flags_for("mine:Odd")
