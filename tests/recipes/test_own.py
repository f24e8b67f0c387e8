"""Recipes of one's own: by word of the user, or by trust and never from near the file that names them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from figment.errors import UserError
from figment.recipes import find, own, recipe_from
from figment.recipes.points import Points

CODE = "from figment.recipes.points import Points\nNARROW = Points(hidden=(16,))\n"


@pytest.fixture(autouse=True)
def nothing_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A session of its own, as a new process has it."""
    monkeypatch.setattr(own, "KNOWN", {})
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def forget(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    """Be another process."""
    own.KNOWN.clear()
    for name in modules:
        monkeypatch.delitem(sys.modules, name)


def written(recipe: str) -> dict:
    return {"recipe": recipe, "fields": {"hidden": [24]}}


def test_a_name_in_a_file_is_not_followed_unless_trusted(tmp_path: Path, monkeypatch):
    code, run = tmp_path / "code", tmp_path / "runs" / "run"
    for folder in (code, run):
        folder.mkdir(parents=True)
    (code / "mine_1.py").write_text(CODE)
    monkeypatch.syspath_prepend(str(code))
    with pytest.raises(UserError, match=r"mine_1:NARROW, which is not built in.* --trust"):
        recipe_from(written("mine_1:NARROW"), run)
    assert "mine_1" not in sys.modules
    name, recipe = recipe_from(written("mine_1:NARROW"), run, trust=True)
    assert name == "mine_1:NARROW" and recipe == Points(hidden=(24,))
    assert recipe_from(written("mine_1:NARROW"), run)[1] == recipe  # now this session knows it


@pytest.mark.parametrize("place", ["run", ".", "run/snapshots", "run/deep/er"])
def test_code_near_the_run_is_never_imported(tmp_path: Path, monkeypatch, place: str):
    """Neither from the run, nor from what lies in it, nor from what holds it; not even from PYTHONPATH."""
    run = tmp_path / "run"
    (tmp_path / place).mkdir(parents=True, exist_ok=True)
    (run / "snapshots").mkdir(parents=True, exist_ok=True)
    (tmp_path / place / "evil_1.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    monkeypatch.syspath_prepend(str(tmp_path / place))
    monkeypatch.chdir(tmp_path / place)
    for near in (run, run / "recipe.json", run / "snapshots" / "1.safetensors"):
        with pytest.raises(UserError, match="is not where code is looked for"):
            recipe_from(written("evil_1:X"), near, trust=True)
    assert not (tmp_path / "ran").exists()


def test_what_one_has_trained_with_is_found_again(tmp_path: Path, monkeypatch):
    """Also where the run lies beside the module, as it does by default."""
    (tmp_path / "mine_2.py").write_text(CODE)
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").touch()
    (tmp_path / "package" / "deep.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    for name, modules in (
        ("mine_2:NARROW", ["mine_2"]),
        ("package.deep:NARROW", ["package", "package.deep"]),
    ):
        find(name)
        own.remember(name)
        monkeypatch.chdir("/")
        monkeypatch.setattr(sys, "path", [p for p in sys.path if p != str(tmp_path)])
        forget(monkeypatch, *modules)
        with pytest.raises(UserError, match="--trust"):
            recipe_from(written(name), tmp_path / "runs")
        assert recipe_from(written(name), tmp_path / "runs", trust=True)[1].hidden == (24,)  # ty: ignore[unresolved-attribute]
        monkeypatch.chdir(tmp_path)


def test_the_current_folder_is_left_out_inside_a_run(tmp_path: Path, monkeypatch):
    (tmp_path / "recipe.json").write_text("{}")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "evil_2.py").write_text(CODE)
    monkeypatch.chdir(tmp_path / "deep")
    with pytest.raises(UserError, match="cannot be imported: ModuleNotFoundError"):
        find("evil_2:NARROW")


def test_what_is_imported_stands_behind_what_is_installed(tmp_path: Path, monkeypatch):
    (tmp_path / "mine_3.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    find("mine_3:NARROW")
    assert sys.path[: len(before)] == before and sys.path[len(before) :] == [str(tmp_path)]


def test_classes_of_a_notebook_are_refused(monkeypatch):
    class Local(Points):
        pass

    with pytest.raises(UserError, match=r"Local is defined in a notebook.*mine.py"):
        own.name_of(Local())
    Local.__qualname__, Local.__module__ = "Local", "__main__"
    with pytest.raises(UserError, match="from mine import Local"):
        own.name_of(Local())
    name = own.name_of(Points(hidden=(8,)))
    assert name == "figment.recipes.points:Points"
    own.KNOWN.clear()
    assert recipe_from(written(name))[1] == Points(hidden=(24,))  # figment's own needs no trust


@pytest.mark.parametrize(
    "name",
    ["../evil:X", ".evil:X", "evil", "other.json", "figment.__main__:X", ":", "a:b:c", "x\ny"],
)
def test_odd_names_are_refused(name: str, tmp_path: Path):
    with pytest.raises(UserError) as caught:
        recipe_from(written(name), tmp_path, trust=False)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"warp": 9}, "has a field warp.* newer version"),
        ({"hidden": "x"}, "wrong value"),
        ({"batch": 2**63 - 1}, "batch must be at most 65,536"),
        ({"batch": 10**400}, "batch must be at most 65,536"),
        ({"hidden": [8] * 100_000}, "hidden has at most 64 entries, not 100,000"),
        ({"hidden": [2**40]}, "hidden must be at most 65,536"),
        ({"images": 2**60}, "images must be at most"),
    ],
)
def test_fields_that_cannot_be(fields: dict, words: str, tmp_path: Path):
    with pytest.raises(UserError, match=words):
        recipe_from({"recipe": "points", "fields": fields}, tmp_path / "recipe.json")


def test_large_numbers_of_recipes_of_ones_own_are_ones_own(tmp_path: Path, monkeypatch):
    (tmp_path / "mine_4.py").write_text(
        "from dataclasses import dataclass\nfrom figment.recipes.points import Points\n"
        "@dataclass(frozen=True, kw_only=True)\nclass Slow(Points):\n    period: int = 10_000_000\n"
    )
    monkeypatch.chdir(tmp_path)
    find("mine_4:Slow")[1].check()
