"""What a notebook's cell shows: places that can be refreshed, and HTML that brings its own style.

A notebook asks an object for ``_repr_html_`` or ``_repr_png_``, a protocol that needs no import. Where no
notebook runs, nothing here imports IPython.
"""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterable, Mapping, Sequence
from html import escape

TONES = {"fault": "#c0392b", "warning": "#b7791f", "note": "#7b8290", "good": "#1d8a55"}
"""The colour of each severity, legible on white and on black."""
FEWEST = 320  # pixels of a picture's longer side below which a cell shows it enlarged
_CELL = "padding:.25em .9em .25em 0;text-align:left;vertical-align:top"


def in_notebook() -> bool:
    """Return whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None


class Spot:
    """A place in the output of the running cell whose content is replaced each time it is shown.

    The saved notebook keeps what it showed last. It needs no widgets.
    """

    def __init__(self) -> None:
        self._handle = None

    def show(self, html: str, text: str = "") -> None:
        """Put HTML in the place, and the text for where HTML is not shown; "" leaves it empty."""
        from IPython.display import display

        content = {"text/html": html, "text/plain": text}
        if self._handle is None:
            self._handle = display(content, raw=True, display_id=True)
        else:
            self._handle.update(content, raw=True)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], tones: Sequence[str] = ()) -> str:
    """Return an HTML table of text; ``tones`` are the rows' severities, which colour their edges."""
    cells = "".join(f'<th style="{_CELL}">{escape(title)}</th>' for title in head)
    lines = []
    for number, row in enumerate(rows):
        edge = f"border-left:4px solid {TONES[tones[number]]};padding-left:.6em;" if tones else ""
        inner = "".join(
            f'<td style="{_CELL};{edge if not place else ""}">{escape(cell)}</td>'
            for place, cell in enumerate(row)
        )
        lines.append(f"<tr>{inner}</tr>")
    body = "\n".join(lines)
    return f"<table>\n<thead><tr>{cells}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def tiles(figures: Mapping[str, str]) -> str:
    """Return figures side by side, each above its name."""
    inner = "".join(
        f'<div><div style="font-size:1.35em">{escape(figure)}</div>'
        f'<div style="opacity:.7;font-size:.85em">{escape(name)}</div></div>'
        for name, figure in figures.items()
    )
    return f'<div style="display:flex;flex-wrap:wrap;gap:.4em 1.8em;margin:.5em 0">{inner}</div>'


def image(png: bytes, size: tuple[int, int], caption: str = "") -> str:
    """Return a PNG picture of that size in pixels with a caption, small ones crisply enlarged."""
    zoom = enlargement(size)
    width, height = (side * zoom for side in size)
    text = f'<figcaption style="opacity:.7;font-size:.85em">{escape(caption)}</figcaption>'
    return (
        '<figure style="margin:.4em 0"><img style="image-rendering:pixelated;max-width:100%" '
        f'src="data:image/png;base64,{base64.b64encode(png).decode()}" width="{width}" '
        f'height="{height}" alt="{escape(caption or "pictures")}">{text if caption else ""}</figure>'
    )


def enlargement(size: tuple[int, int]) -> int:
    """Return how many times larger a picture of that size is shown, 1 unless it is small."""
    return max(1, FEWEST // max(*size, 1))


def note(text: str) -> str:
    """Return a line of small print."""
    return f'<div style="opacity:.7;font-size:.9em">{escape(text)}</div>'
