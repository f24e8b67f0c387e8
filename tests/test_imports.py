"""Imports point one way, and what must be quick stays free of torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import figment

ROOT = Path(figment.__file__).parent
LEVELS = [
    {"errors", "fields", "pixels", "randomness", "settings", "units"},
    {"files", "mesh", "rounds"},
    {"microbatch"},
    {"randomness_per_image"},
    {"data", "metrics"},
    {"networks"},
    {"objectives", "penalties", "augment", "optimizers"},
    {"turns"},
    {"techniques"},
    {"sampling"},
    {"judging", "doctor"},
    {"training"},
    {"report"},
    {"recipe"},
    {"gan"},
    {"recipes"},
    {"opened", "plan"},
    {"run"},
    {"actions", "launch"},
    {"flags"},
    {"commands"},
    {"cli", "__init__"},
    {"__main__"},
]
LEVEL = {room: number for number, rooms in enumerate(LEVELS) for room in rooms}
FILES = sorted(ROOT.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    """The rooms a file imports, those for the type checker's eyes left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    rooms = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("figment"):
            parts = (node.module or "").split(".")
            rooms |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
            rooms |= {name[1] for name in names if name[0] == "figment" and len(name) > 1}
    return rooms


def test_every_room_has_a_level():
    assert {room_of(path) for path in FILES} <= set(LEVEL)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path):
    own = room_of(path)
    lazy_front = {"__init__"}  # the package's front door hands out names from every room
    for room in imported_rooms(path) - {own}:
        assert own in lazy_front or LEVEL[room] < LEVEL[own], f"{path.name} imports {room}"


@pytest.mark.parametrize(
    "words", [["--help"], ["recipes"], ["recipes", "C5", "--json"], ["nonsense"]]
)
def test_quick_commands_do_not_import_torch(words: list[str]):
    code = (
        "import sys\nfrom figment.cli import main\n"
        f"main({words!r})\nsys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
