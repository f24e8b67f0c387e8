"""What mkdocs is told beside mkdocs.yml: pages that lie elsewhere, the navigation, links out of docs/.

The Markdown files are written for whoever reads them in the repository. On the site README.md is the first
page, CONTRIBUTING.md and CHANGELOG.md are pages too, a link to code is its name alone, and each room of
the package has a page with its docstrings.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

DOCS = Path(__file__).parent
REPOSITORY = DOCS.parent
ROOT_PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "CHANGELOG.md": "CHANGELOG.md",
}
"""Pages of the repository's root, and what they are on the site."""
GUIDES = (
    "data",
    "training",
    "judging",
    "doctor",
    "drawing",
    "page",
    "export",
    "serve",
    "notebooks",
)
"""Guides that come first, in this order."""
PROJECT = ("architecture", "glossary")
API = "api"
LINK = re.compile(r"(?P<image>!?)\[(?P<text>(?:[^\]\[]|\[[^\]]*\])*)\]\((?P<target>[^)\s]+)\)")
FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Make the navigation of what is there, so that a new page is never left out."""
    there = {path.stem for path in DOCS.glob("*.md")}
    guides = [name for name in GUIDES if name in there]
    guides += sorted(there - set(guides) - set(PROJECT))
    config.nav = [
        {"figment": "index.md"},
        {"Course": [f"course/{path.name}" for path in lessons()]},
        {"Guides": [f"{name}.md" for name in guides]},
        {"Techniques": _folder("techniques")},
        {"Results": _folder("results")},
        {"API": [f"{API}/index.md", *(f"{API}/{room}.md" for room in rooms())]},
        {"Project": [*(f"{name}.md" for name in PROJECT), "CONTRIBUTING.md", "CHANGELOG.md"]},
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are not in docs/, and keep away what is on other servers."""
    from mkdocs.structure.files import File

    # The plugin for pages on a disk asks another server for a shim; only the search from a disk needs it.
    config.extra["polyfills"] = []
    made = {
        site: (REPOSITORY / name).read_text(encoding="utf-8") for name, site in ROOT_PAGES.items()
    }
    made |= {f"{API}/{room}.md": f"# figment.{room}\n\n::: figment.{room}\n" for room in rooms()}
    made[f"{API}/index.md"] = front_door()
    for name, content in made.items():
        files.append(File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links of the repository into links of the site."""
    source = page.file.src_uri
    own = next((name for name, site in ROOT_PAGES.items() if site == source), f"docs/{source}")
    return relinked(markdown, own, lambda target: _on_site(target, source))


def lessons() -> list[Path]:
    """Return the lessons' files, in their order."""
    return sorted(
        (DOCS / "course").glob("*.md"), key=lambda path: (path.stem != "README", path.stem)
    )


def rooms() -> list[str]:
    """Return the rooms of the package that have a page: all but those of the command line."""
    package = REPOSITORY / "src" / "figment"
    names = {path.stem for path in package.glob("*.py")}
    names |= {path.parent.name for path in package.glob("*/__init__.py")}
    hidden = {"__init__", "__main__", "cli", "commands", "actions", "flags"}
    return sorted(names - hidden)


def front_door() -> str:
    """Return the first page of the API: what ``import figment`` gives, and what that leads to."""
    lines = (
        ("figment.train", "launch.train", "trains on a folder of pictures and returns the run"),
        ("figment.load", "run.load", "opens a run"),
        ("figment.Run", "run.Run", "a run: its generator, log, scores, findings, report"),
        ("figment.Recipe", "recipe.Recipe", "what every system has; a subclass is one of your own"),
        ("run.generator", "sampling.generator.Generator", "seeds in, pictures out"),
        ("generator.sample(16)", "sampling.pictures.Pictures", "pictures, as an array or as files"),
        ("figment.errors.UserError", "errors.UserError", "every mistake of a user, in one line"),
    )
    table = "\n".join(f"| [`{name}`][figment.{place}] | {does} |" for name, place, does in lines)
    return (
        "# The Python API\n\nWhat `import figment` gives, and what that leads to. The other pages have "
        f"every room of the package ([architecture](../architecture.md)).\n\n| | |\n|---|---|\n{table}\n"
    )


def relinked(markdown: str, own: str, place: Callable[[str], str | None]) -> str:
    """Return Markdown of the repository's file ``own`` with its links to other files put elsewhere.

    ``place`` says where what lies at a path of the repository is found; where it says None, the text of
    the link stays alone. Fenced code and links to elsewhere are left as they are.
    """

    def link(found: re.Match[str]) -> str:
        target, _, anchor = found["target"].partition("#")
        if not target or re.match(r"[a-z]+:", target):
            return found[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(own), target))
        placed = place(path)
        if placed is None:
            return found["text"]
        return f"{found['image']}[{found['text']}]({placed}{'#' + anchor if anchor else ''})"

    parts = FENCE.split(markdown)
    return "".join(part if part.startswith("```") else LINK.sub(link, part) for part in parts)


def _on_site(path: str, source: str) -> str | None:
    """Where a path of the repository is on the site, from a page there; None if it is not."""
    if path in ROOT_PAGES:
        site = ROOT_PAGES[path]
    elif path == "docs" or path.startswith("docs/"):
        site = posixpath.relpath(path, "docs")
        if (REPOSITORY / path).is_dir():
            site = posixpath.join(site, "README.md")
    else:
        return None
    return posixpath.relpath(site, posixpath.dirname(source) or ".")


def _folder(name: str) -> list[Any]:
    pages = sorted(path.name for path in (DOCS / name).glob("*.md") if path.name != "README.md")
    return [f"{name}/README.md", *(f"{name}/{page}" for page in pages)]
