"""The documentation: links lead to files, notebooks are the lessons and run, what is to be tried works."""

from __future__ import annotations

import importlib.util
import re
import shlex
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from figment import launch, plan
from figment.cli import COMMANDS
from figment.commands.training import train
from figment.flags import given, words_of

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
TECHNIQUES = sorted((ROOT / "docs" / "techniques").glob("[a-z]*.md"))


def script(name: str) -> ModuleType:
    """A module of docs/, which is no package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


hooks, build, figures = (script(name) for name in ("hooks", "build", "figures"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page: Path):
    seen = []
    own = page.relative_to(ROOT).as_posix()
    hooks.relinked(page.read_text(encoding="utf-8"), own, seen.append)
    missing = [path for path in seen if not (ROOT / path).exists()]
    assert missing == []


def test_links_are_those_of_the_site():
    text = "[a](../docs/data.md#x) ![b](results/c.png) [`d`](../src/d.py) [e](https://e)\n```\n[f](g)\n```"
    site = hooks.relinked(text, "docs/x.md", lambda path: hooks._on_site(path, "x.md"))
    assert site == "[a](data.md#x) ![b](results/c.png) `d` [e](https://e)\n```\n[f](g)\n```"


def test_what_pages_load_from_elsewhere_is_seen():
    asks = "<script src='https://a/b.js'></script> <link rel=x href=\"//c/d.css\">"
    assert build.elsewhere(asks) == ["https://a/b.js", "//c/d.css"]
    assert (
        build.elsewhere("<a href='https://a'>a</a> <img src='b/c.png'> <link href='d.css'>") == []
    )


def test_every_page_is_in_the_navigation():
    config = hooks.on_config(SimpleNamespace())
    found = {page for section in config.nav for pages in section.values() for page in listed(pages)}
    docs = {path.relative_to(hooks.DOCS).as_posix() for path in hooks.DOCS.rglob("*.md")}
    assert docs <= found and "index.md" in found and "api/sampling.md" in found


def listed(pages: str | list[str]) -> list[str]:
    return [pages] if isinstance(pages, str) else pages


def test_notebooks_are_the_lessons():
    """Where this fails, `python docs/build.py notebooks` writes them anew."""
    lessons = build.numbered()
    assert [lesson.stem[0] for lesson in lessons] == list("12345678")
    assert sorted(path.stem for path in build.EXAMPLES.iterdir()) == [one.stem for one in lessons]
    for lesson in lessons:
        text = (build.EXAMPLES / f"{lesson.stem}.ipynb").read_text(encoding="utf-8")
        assert text == build.written(build.notebook(lesson)), lesson.name


def test_lessons_run(tmp_path: Path):
    """Those that need one another most; `make docs` runs all."""
    first, last = (next(build.DOCS.glob(f"course/{number}-*.md")) for number in (1, 7))
    outputs = build.run_notebooks([first, last], tmp_path)
    assert (tmp_path / "runs" / "first" / "evolve.png").exists()
    assert (tmp_path / "walk.gif").exists()
    shown = [out for one in outputs for cell in one.cells for out in cell.get("outputs", [])]
    assert sum("image/png" in out.get("data", {}) for out in shown) >= 3


@pytest.mark.parametrize("page", TECHNIQUES, ids=lambda page: page.stem)
def test_a_technique_has_a_figure_and_something_to_try(page: Path):
    text = page.read_text(encoding="utf-8")
    assert "## Try it\n\n```console\nfigment train " in text
    assert re.search(r"^!\[[^\]]{20,}\]\(", text, re.MULTILINE)


def test_figures_are_those_of_the_table():
    """Where this fails, `python docs/figures.py` draws them anew."""
    sets = figures.tables()
    assert sets["cats64"]["plain"] == (4020.8, 3871.2, 4176.1)
    assert {path.stem for path in figures.FIGURES.iterdir()} == set(figures.PAGES)
    for name, lines in figures.PAGES.items():
        assert all(line in sets["cats64"] for line in lines), name
        drawn = (figures.FIGURES / f"{name}.svg").read_text(encoding="utf-8")
        assert drawn == figures.figure(lines, sets), name


def commands() -> list[str]:
    """The commands of figment in the lessons and in what techniques' pages tell to try."""
    blocks = []
    for page in [*TECHNIQUES, *hooks.lessons()]:
        blocks += re.findall(r"^```console\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return sorted({line for line in lines if line.startswith("figment ")})


def test_commands_of_lessons_and_techniques_are_accepted(monkeypatch: pytest.MonkeyPatch):
    planned = []

    class Stopped:
        stopped_by = 0

    def chosen(data: str, recipe: str | None = None, **how) -> Stopped:
        others = ("run", "images", "minutes", "epochs", "started")
        fields = {name: value for name, value in how.items() if name not in others}
        planned.append(plan.choose(data, recipe, fields).recipe)
        planned[-1].check()
        return Stopped()

    monkeypatch.setattr(launch, "train", chosen)
    for command in commands():
        name, *words = shlex.split(command)[1:]
        if name == "train":
            assert train(words) == 0, command
        elif name in COMMANDS:
            function = COMMANDS[name]
            assert given(words, words_of(function), prog=name) is not None, command
        else:  # the page's own, where this version has them
            assert name in ("export", "serve"), command
    assert len(planned) > 40
    assert planned[0].kind in ("images", "points")
