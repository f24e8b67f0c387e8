"""Build the documentation: lessons into notebooks, run in tiny form, and everything as a site.

    python docs/build.py [notebooks] [run] [site]

Without a word all three. `notebooks` writes examples/*.ipynb from docs/course/*.md, which is where they
are changed. `run` executes them one after another in a temporary folder, each training cut to a moment
(docs/tiny.py), which shows that they work and nothing else. `site` builds into site/ and fails on a
warning, and where a page would ask another server for anything.
"""

from __future__ import annotations

import os
import posixpath
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent))
from hooks import DOCS, REPOSITORY, lessons, relinked

if TYPE_CHECKING:
    from nbformat import NotebookNode

EXAMPLES = REPOSITORY / "examples"
SITE = REPOSITORY / "site"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def notebook(lesson: Path) -> NotebookNode:
    """Return a lesson as a notebook without outputs: its fenced Python is cells, the rest is Markdown."""
    import jupytext

    text = lesson.read_text(encoding="utf-8")
    text = relinked(text, f"docs/course/{lesson.name}", _beside_notebooks)
    made = jupytext.reads(text, fmt="md")
    made.metadata = {"kernelspec": KERNEL}
    for number, cell in enumerate(made.cells):
        cell["id"] = f"{lesson.stem}-{number}"  # else random, and every build a difference
        cell["metadata"] = {}
    return made


def written(made: NotebookNode) -> str:
    """Return a notebook as the text of its file."""
    import nbformat

    return nbformat.writes(made) + "\n"


def write_notebooks() -> None:
    """Write the notebook of every lesson."""
    EXAMPLES.mkdir(exist_ok=True)
    for lesson in numbered():
        (EXAMPLES / f"{lesson.stem}.ipynb").write_text(written(notebook(lesson)), encoding="utf-8")


def run_notebooks(chosen: list[Path], folder: Path) -> list[NotebookNode]:
    """Execute lessons in a folder, one after another in one kernel, in tiny form; return them with outputs.

    Raises nbclient's CellExecutionError at the first cell that fails.
    """
    import nbformat
    from nbclient import NotebookClient

    sources = [REPOSITORY / "src", *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(map(str, sources))
    whole = nbformat.v4.new_notebook(metadata={"kernelspec": KERNEL})
    tiny = (DOCS / "tiny.py").read_text(encoding="utf-8")
    whole.cells = [nbformat.v4.new_code_cell(tiny)]
    made = [notebook(lesson) for lesson in chosen]
    whole.cells += [cell for one in made for cell in one.cells]
    place = {"metadata": {"path": str(folder)}}
    NotebookClient(whole, timeout=600, startup_timeout=240, resources=place).execute()
    return made


def build_site() -> None:
    """Build into site/. Exits where mkdocs warns, or where a page would ask another server for anything."""
    command = [sys.executable, "-m", "mkdocs", "build"]  # --quiet would also forget to be strict
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    if code := subprocess.run(command, cwd=REPOSITORY, env=quiet).returncode:
        sys.exit(code)
    pages = {page: page.read_text(encoding="utf-8") for page in SITE.rglob("*.html")}
    asking = [str(page) for page, text in pages.items() if elsewhere(text)]
    if asking:
        sys.exit(f"these pages ask other servers: {', '.join(sorted(asking))}")


def elsewhere(page: str) -> list[str]:
    """Return what a page of HTML loads from other servers; links that one follows are no matter."""
    loads = r"""(?:\bsrc=|<link\b[^>]*\bhref=)["']?((?:https?:)?//[^\s"'>]+)"""
    return re.findall(loads, page)


def numbered() -> list[Path]:
    """Return the lessons that are notebooks: all but the page that lists them."""
    return [path for path in lessons() if path.stem != "README"]


def _beside_notebooks(path: str) -> str:
    """Where a path of the repository is from the folder of notebooks."""
    stem, ending = posixpath.splitext(posixpath.basename(path))
    if path.startswith("docs/course/") and ending == ".md" and stem != "README":
        return f"{stem}.ipynb"
    return posixpath.relpath(path, EXAMPLES.name)


def main() -> None:
    wanted = sys.argv[1:] or ["notebooks", "run", "site"]
    if unknown := set(wanted) - {"notebooks", "run", "site"}:
        sys.exit(f"docs/build.py takes notebooks, run and site, not {', '.join(unknown)}")
    if "notebooks" in wanted:
        write_notebooks()
    if "run" in wanted:
        with tempfile.TemporaryDirectory() as folder:
            run_notebooks(numbered(), Path(folder))
    if "site" in wanted:
        build_site()


if __name__ == "__main__":
    main()
