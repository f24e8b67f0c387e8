"""The parts that figment's pages are made of: functions from text and numbers to HTML.

A page loads nothing: its style, its script and its pictures are inside it, and a content security
policy has the browser hold it to that. Without the script it lacks only the read-out, the switch
between dark and light, and the enlarging of thumbnails.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files

from figment.files import MARK
from figment.page import palette
from figment.report.pictures import Picture

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
CRISP = 600  # points of width that a small picture is enlarged to at most


def document(title: str, sections: Iterable[str]) -> str:
    """Return an HTML page that loads nothing, around sections of HTML; empty ones are left out."""
    here = files("figment.report")
    body = "\n".join(section for section in sections if section)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="generator" content="{MARK}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<link rel="icon" href="data:,">
<style>
{palette()}{here.joinpath("page.css").read_text(encoding="utf-8")}</style>
</head>
<body>
<main>
{body}
</main>
<script>
{here.joinpath("page.js").read_text(encoding="utf-8")}</script>
</body>
</html>
"""


def header(kind: str, title: str, sentence: str) -> str:
    """Return the top of a page: what kind of page, its title, one sentence in plain words."""
    return (
        f'<header>\n<p class="kind">figment · {escape(kind)}</p>\n<h1>{escape(title)}</h1>\n'
        f'<p class="lead">{escape(sentence)}</p>\n</header>'
    )


def warning(title: str, lines: Sequence[str]) -> str:
    """Return a box of things that are not as they should be, "" for none."""
    if not lines:
        return ""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<aside class="missing">\n<p>{escape(title)}</p>\n<ul>{items}</ul>\n</aside>'


def contents(sections: Iterable[str]) -> str:
    """Return the line that leads to the sections of a page, made of their headings."""
    found = [re.match(r'<section id="([^"]+)">\n<h2>(.*?)</h2>', section) for section in sections]
    links = "\n".join(f'<a href="#{one[1]}">{one[2].partition(":")[0]}</a>' for one in found if one)
    return f'<nav class="contents">\n{links}\n</nav>'


def section(name: str, title: str, *parts: str) -> str:
    """Return a section with a heading; empty parts are left out."""
    body = "\n".join(part for part in parts if part)
    return f'<section id="{name}">\n<h2>{escape(title)}</h2>\n{body}\n</section>'


def prose(text: str) -> str:
    """Return a sentence with what stands between backticks as code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


def about(text: str) -> str:
    """Return the paragraph that a section begins with."""
    return f'<p class="about">{escape(text)}</p>' if text else ""


def none(text: str) -> str:
    """Return the paragraph that stands where there is nothing to show."""
    return f'<p class="none">{escape(text)}</p>'


def notes(lines: Iterable[str]) -> str:
    """Return a small paragraph a line."""
    return "\n".join(f'<p class="note">{prose(line)}</p>' for line in lines)


def fold(title: str, *parts: str, name: str = "") -> str:
    """Return parts that show when their title is pressed, "" without parts."""
    body = "\n".join(part for part in parts if part)
    kind = f' class="{name}"' if name else ""
    return (
        f"<details{kind}>\n<summary>{escape(title)}</summary>\n{body}\n</details>" if body else ""
    )


def single(charts: Iterable[str]) -> str:
    """Return the sentence that says why some charts have no curve, "" where all of them have one."""
    return (
        "Measured once: a figure; a curve takes two."
        if any("<svg" not in chart for chart in charts)
        else ""
    )


def chart_grid(charts: Sequence[str], name: str = "") -> str:
    """Return charts side by side, "" for none."""
    kind = f"charts {name}".strip()
    return f'<div class="{kind}">\n' + "\n".join(charts) + "\n</div>" if charts else ""


def pairs(rows: Mapping[str, str], name: str) -> str:
    """Return a list of names and values, laid out by the class ``name``."""
    items = "\n".join(
        f"<div><dt>{escape(key)}</dt><dd>{escape(value)}</dd></div>" for key, value in rows.items()
    )
    return f'<dl class="{name}">\n{items}\n</dl>\n'


def commands(lines: Mapping[str, str]) -> str:
    """Return command lines and what each does."""
    items = "\n".join(
        f"<dt><code>{escape(line)}</code></dt><dd>{escape(what)}</dd>"
        for line, what in lines.items()
    )
    return f'<dl class="commands">\n{items}\n</dl>'


def table(head: Sequence[str], rows: Iterable[str], name: str = "") -> str:
    """Return a table around rows of HTML; it scrolls sideways where it is wider than the page."""
    cells = "".join(f'<th scope="col">{escape(title)}</th>' for title in head)
    kind = f' class="{name}"' if name else ""
    body = "\n".join(rows)
    return (
        f'<div class="sideways" tabindex="0"><table{kind}>\n<thead><tr>{cells}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody>\n</table></div>"
    )


def row(first: str, cells: Iterable[str], strong: str = "") -> str:
    """Return a row of a table: its heading, already HTML, and its cells as text.

    Cells in which ``strong`` occurs stand out.
    """
    inner = "".join(
        f"<td><b>{escape(cell)}</b></td>"
        if strong and strong in cell
        else f"<td>{escape(cell)}</td>"
        for cell in cells
    )
    return f'<tr><th scope="row">{first}</th>{inner}</tr>'


def explained(name: str, text: str) -> str:
    """Return a name with an explanation below it."""
    return f"{escape(name)}<small>{escape(text)}</small>"


def row_below(text: str, columns: int) -> str:
    """Return a row that explains the one above it, across so many columns; ``text`` is HTML."""
    return f'<tr class="how"><td colspan="{columns}">{text}</td></tr>'


def image(picture: Picture, alt: str) -> str:
    """Return the ``<img>``; a small picture is shown at a whole multiple of its size, crisp."""
    zoom = max(1, CRISP // picture.width)
    crisp = ' class="crisp"' if zoom > 1 else ""
    return (
        f'<img{crisp} src="{picture.uri}" width="{picture.width * zoom}" '
        f'height="{picture.height * zoom}" alt="{escape(alt)}">'
    )
