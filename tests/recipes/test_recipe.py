"""Recipes as values: refusals, JSON and command-line forms, how they follow data and budgets."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import figment
from figment import flags
from figment.commands.training import WORDS
from figment.data import Look, look
from figment.errors import UserError
from figment.recipe import Recipe, fields_of, with_fields
from figment.recipes import SYSTEMS, find, recipe_from
from figment.recipes.help import flags_for

changes = {
    "batch": st.integers(2, 512),
    "seed": st.integers(0, 2**31),
    "generator_lr": st.floats(1e-6, 1e-1),
    "lr": st.floats(1e-6, 1e-1),
    "betas": st.tuples(st.floats(0, 0.99), st.floats(0, 0.99)),
    "objective": st.sampled_from(["nonsaturating", "minimax"]),
    "mirror": st.booleans(),
    "dropout": st.floats(0, 0.9),
    "fit": st.sampled_from(["crop", "pad", "stretch"]),
    "ema": st.integers(0, 10**6),
}
"""Other values of fields; no system has them all."""


def changed(name: str) -> st.SearchStrategy[tuple[str, dict]]:
    """Return a system's name with other values of some of the fields that it has."""
    own = {field: changes[field] for field in changes if field in fields_of(SYSTEMS[name].recipe)}
    return st.tuples(st.just(name), st.fixed_dictionaries({}, optional=own))


cases = st.sampled_from(sorted(SYSTEMS)).flatmap(changed)


def look_at(side: int = 64, *, grey: bool = False, kind: str = "images") -> Look:
    return Look(
        name="photos", source="photos", kind=kind, count=100, classes=(), side=side, grey=grey,
        square=True,
    )  # fmt: skip


@given(cases)
def test_json_round_trip(case: tuple[str, dict]):
    name, fields = case
    recipe = replace(SYSTEMS[name].recipe, **fields)
    written = json.loads(json.dumps({"recipe": name, "fields": fields_of(recipe)}))
    assert recipe_from(written) == (name, recipe)


@given(cases)
def test_command_line_round_trip(case: tuple[str, dict]):
    """Every field is a flag: recipe -> words -> recipe is the identity."""
    name, fields = case
    recipe = replace(SYSTEMS[name].recipe, **fields)
    words = ["flowers", "--recipe", name]
    for field, value in fields.items():
        flag = field.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            several = value if isinstance(value, tuple) else (value,)
            words += [f"--{flag}", *(str(part) for part in several)]
    found = flags.given(words, [*WORDS, *flags_for(name)], prog="figment train")
    assert (found.pop("data"), found.pop("recipe")) == ("flowers", name)
    assert found == fields
    assert with_fields(SYSTEMS[name].recipe, found) == recipe


def test_wrong_field_and_wrong_value_name_the_cure():
    with pytest.raises(UserError, match=r"has no field bacth\. Did you mean batch"):
        with_fields(find("dcgan")[1], {"bacth": 3})
    with pytest.raises(UserError, match="batch"):
        with_fields(find("dcgan")[1], {"batch": "many"})


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        ("dcgan", {"resolution": 63}, "power of two from 32 to 1024, not 63: try 64"),
        ("dcgan", {"resolution": 5000}, "resolution must be at most"),
        ("dcgan", {"resolution": 100}, "power of two from 32 to 1024, not 100: try 128"),
        ("dcgan", {"batch": 1}, "batch must be 2 or more"),
        ("dcgan", {"width": 0}, "width must be 1 or more"),
        ("dcgan", {"batch": 0}, "batch must be above 0"),
        ("dcgan", {"channels": 4}, "channels must be 1"),
        ("dcgan", {"generator_lr": 0.0}, "generator_lr must be above 0"),
        ("dcgan", {"betas": (0.5, 1.0)}, "betas"),
        ("dcgan", {"real_target": 0.1, "fake_target": 0.2}, "label targets"),
        ("cats-mlp", {"hidden": ()}, "hidden needs"),
        ("cats-mlp", {"dropout": 1.0}, "dropout"),
        ("points", {"mirror": True}, "works on pictures only"),
    ],
)
def test_refusals(name: str, fields: dict, message: str):
    with pytest.raises(UserError, match=message):
        replace(find(name)[1], **fields).check()


def test_names_and_ids_find_the_same():
    for name, system in SYSTEMS.items():
        system.recipe.check()
        assert find(name) == find(system.id) == (name, system.recipe)


def test_unknown_and_unimportable_recipes():
    with pytest.raises(UserError, match=r"no recipe dcgen\. Did you mean dcgan"):
        find("dcgen")
    with pytest.raises(UserError, match="cannot be imported: ModuleNotFoundError"):
        find("no_such_module:X")
    with pytest.raises(UserError, match="is not a recipe"):
        find("json:dumps")
    with pytest.raises(
        UserError, match=r"no recipe my/vae\.py\. .* by module and class, vae:CLASS"
    ):
        find("my/vae.py")


def test_own_recipe_from_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "my_recipes.py").write_text(
        "from figment.recipes.dcgan import DCGAN\nSMALL = DCGAN(width=8)\n"
    )
    monkeypatch.chdir(tmp_path)
    name, recipe = find("my_recipes:SMALL")
    assert name == "my_recipes:SMALL"
    assert fields_of(recipe)["width"] == 8


def test_follows_the_data_unless_pinned():
    recipe = find("dcgan")[1]
    assert recipe.fit_to(look_at(500)).resolution == 64
    assert recipe.fit_to(look_at(28, grey=True)).shape == (1, 32, 32)
    assert recipe.fit_to(look_at(28), frozenset({"resolution"})).resolution == 64
    assert replace(recipe, resolution=256).fit_to(look_at(200)).resolution == 128
    assert find("C1")[1].fit_to(look_at(64)).channels == 1
    with pytest.raises(UserError, match="holds points; choose --recipe points"):
        recipe.fit_to(look_at(kind="points"))


def test_cheaper_forms_respect_pins():
    recipe = find("dcgan")[1]
    forms = recipe.cheaper()
    assert forms[0] == recipe
    assert len(set(forms)) == len(forms) > 3
    assert {f.width for f in recipe.cheaper(frozenset({"width"}))} == {64}
    assert {f.batch for f in recipe.cheaper(frozenset({"batch"}))} == {128}
    assert recipe.cheaper(frozenset({"batch", "width"})) == [recipe]
    few = replace(recipe, batch=8).cheaper(
        frozenset({"batch"})
    )  # a pinned field rules out no width
    assert {(form.width, form.batch) for form in few} == {(w, 8) for w in (64, 48, 32, 24, 16)}
    parts = replace(recipe, micro_batch=64).cheaper(frozenset({"micro_batch"}))
    assert {form.batch for form in parts} == {128, 64}  # 32 are no whole number of parts of 64


def test_residual_networks_have_forms_for_minutes():
    """Both players narrower, and no form that is larger than the system in anything."""

    def sizes(name: str, *pinned: str) -> list[tuple[int, int, int]]:
        forms = find(name)[1].cheaper(frozenset(pinned))
        return [(form.width, form.discriminator_width, form.batch) for form in forms]

    assert sizes("sngan") == [(256, 128, 64), (128, 64, 32), (64, 32, 32)]
    assert sizes("resnet-wgan-gp") == [(128, 128, 64), (128, 64, 32), (64, 32, 32)]
    assert sizes("biggan") == [(256, 256, 50), (128, 64, 32), (64, 32, 32)]
    assert sizes("biggan-small") == [(32, 32, 32)]
    assert sizes("sngan", "width") == [(256, 128, 64), (256, 64, 32), (256, 32, 32)]
    assert {form.width for form in find("vae")[1].cheaper()} == {32, 24, 16, 8}
    assert {form.width for form in find("flow-matching")[1].cheaper()} == {32, 24, 16}


def test_narrower_forms_take_larger_steps():
    recipe = find("dcgan")[1]
    rates = {f.width: (f.generator_lr, f.discriminator_lr) for f in recipe.cheaper()}
    assert rates[64] == (2e-4, 2e-4) and rates[24] == (5.3e-4, 5.3e-4) and rates[16] == (8e-4, 8e-4)
    mine = recipe.cheaper(frozenset({"discriminator_lr"}))[-1]
    assert (mine.generator_lr, mine.discriminator_lr) == (8e-4, 2e-4)
    assert {f.generator_lr for f in recipe.cheaper(frozenset({"width"}))} == {2e-4}
    assert {f.generator_lr for f in find("few-shot")[1].cheaper()} == {4e-4}
    own = replace(recipe, width=32, generator_lr=1e-4).cheaper()
    assert {f.generator_lr for f in own if f.width == 32} == {
        1e-4
    }  # no narrower: as it was written
    assert {f.generator_lr for f in own if f.width == 16} == {2e-4}
    assert {f.generator_lr for f in find("wgan")[1].cheaper()} == {5e-5}
    assert {f.generator_lr for f in find("dcgan-radford")[1].cheaper()} == {2e-4}
    said = next(f for f in recipe.cheaper() if f.width == 24).describe()
    assert said == ["learning rates 0.00053 and 0.00053"]
    assert not any("rate" in words for words in recipe.describe())
    wanted = {f.width: f.rounds_wanted() for f in recipe.cheaper()}
    assert wanted == {64: 25_000, 48: 25_000, 32: 15_000, 24: 5_000, 16: 5_000}
    assert find("few-shot")[1].rounds_wanted() == 5_000


def test_base_recipe_asks_for_networks():
    with pytest.raises(NotImplementedError):
        Recipe().build()


@pytest.mark.parametrize(("resolution", "side"), [(16, 8), (32, 16), (64, 16), (128, 32)])
def test_attention_goes_with_a_resolution_that_is_asked_for(resolution: int, side: int):
    aided = replace(find("S5")[1], resolution=resolution)
    fitted = aided.fit_to(look("flowers:24"), frozenset({"resolution"}))
    assert (fitted.resolution, fitted.attend) == (resolution, side)
    fitted.check()


@pytest.mark.parametrize("wrong", [5, figment, ("dcgan",)])
def test_what_is_no_recipe_is_refused_in_one_line(wrong: Any):
    with pytest.raises(UserError, match="a recipe is a name, such as dcgan, or a Recipe, not "):
        figment.train("flowers:24", recipe=wrong)
