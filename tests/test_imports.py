"""Imports point one way, types included, and what must be quick stays free of torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import fields
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import figment
from figment.recipes import SYSTEMS
from figment.settings import Settings
from figment.techniques import Fields

ROOT = Path(figment.__file__).parent
LEVELS = [
    {
        *("cells", "errors", "fields", "pixels", "randomness", "records", "settings"),
        "units",
    },
    {"compiling"},
    {"microbatch"},
    {"files", "flags", "mesh", "optimizers", "progress", "rounds", "runs"},
    {"hub", "page", "randomness_per_image", "tensors"},
    {"data", "metrics", "objectives"},
    {"networks"},
    {"augment", "penalties"},
    {"turns"},
    {"techniques"},
    {"sampling"},
    {"doctor", "judging"},
    {"training"},
    {"report"},
    {"recipe"},
    {"gan"},
    {"recipes"},
    {"opened", "plan"},
    {"provenance", "run"},
    {"export"},
    {"serve", "stretch"},
    {"actions", "launch"},
    {"commands"},
    {"cli", "__init__"},
    {"__main__"},
]
"""The rooms from the bottom up, as docs/architecture.md lists them: each knows only those before it."""
LEVEL = {room: number for number, rooms in enumerate(LEVELS) for room in rooms}
FILES = sorted(ROOT.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """The files of figment that a file imports, by dotted name, those for the type checker's eyes too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "figment":
            module = node.module or ""
            full = {f"{module}.{alias.name}" for alias in node.names}
            found |= {name if name in NAMES else module for name in full}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("figment.")}
    return found & NAMES.keys()


def name_of(path: Path) -> str:
    dotted = ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)
    return dotted.removesuffix(".__init__")


NAMES = {name_of(path): path for path in FILES}


def test_every_room_has_a_level():
    assert {room_of(path) for path in FILES} <= set(LEVEL)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path):
    own = room_of(path)
    if own == "__init__":  # the package's front door hands out names from every room
        return
    for room in {room_of(NAMES[name]) for name in imported(path) - {"figment"}} - {own}:
        assert LEVEL[room] < LEVEL[own], f"{path.name} imports {room}"


def test_no_files_know_each_other():
    graph = {name: imported(path) - {name} for name, path in NAMES.items() if name != "figment"}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {error.args[1]}")


def test_the_words_of_a_round_know_nothing_of_figment():
    assert imported(ROOT / "rounds.py") == set()


def test_what_trains_and_what_takes_turns_know_no_recipe_and_no_technique():
    above = {"recipe", "gan", "recipes", "techniques", "report", "run", "launch"}
    for room in ("training", "turns"):
        for path in (ROOT / room).rglob("*.py"):
            assert not {room_of(NAMES[name]) for name in imported(path)} & above, path


def test_the_trainer_is_short_and_names_no_technique_and_no_system():
    text = (ROOT / "training" / "trainer.py").read_text(encoding="utf-8")
    assert text.count("\n") < 200
    tree = ast.walk(ast.parse(text))
    words = {n.attr if isinstance(n, ast.Attribute) else getattr(n, "id", "") for n in tree}
    of_techniques = {field.name for field in fields(Fields)} - {f.name for f in fields(Settings)}
    assert not words & of_techniques
    assert not words & {*SYSTEMS, "discriminator", "classifier", "guide", "augment"}


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["recipes", "C5", "--json"],
        ["recipes"],
        ["nonsense"],
        ["evaluate", "nope"],
        ["doctor", "nope"],
    ],
)
def test_quick_commands_do_not_import_torch(words: list[str]):
    code = (
        "import sys\nfrom figment.cli import main\n"
        f"main({words!r})\nsys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
