"""Words beside the rows of a grid."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

INK, PAPER = (40, 40, 40), (255, 255, 255)
MARGIN = 8
LEAST = 64
"""Pixels a row has at least; lower ones are enlarged by a whole factor."""


def beside_rows(grid: Image.Image, names: Sequence[str]) -> Image.Image:
    """Return the grid with a name on the left of each of its rows, which are equally high."""
    factor = -(-LEAST * len(names) // grid.height)
    if factor > 1:
        size = (grid.width * factor, grid.height * factor)
        grid = grid.resize(size, Image.Resampling.NEAREST)
    height = grid.height // len(names)
    font = ImageFont.load_default(size=max(11, min(16, height // 4)))
    widest = max(int(font.getlength(name)) for name in names)
    page = Image.new("RGB", (widest + 2 * MARGIN + grid.width, grid.height), PAPER)
    page.paste(grid.convert("RGB"), (widest + 2 * MARGIN, 0))
    draw = ImageDraw.Draw(page)
    for row, name in enumerate(names):
        place = (MARGIN + widest, row * height + height // 2)
        draw.text(place, name, INK, font, anchor="rm")
    return page
