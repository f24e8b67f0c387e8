"""Words beside the rows of a grid, and around a table of pictures."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

INK, PAPER = (40, 40, 40), (255, 255, 255)
MARGIN = 8
LEAST = 64
"""Pixels a row has at least; lower ones are enlarged by a whole factor."""
GAP = 10
"""Pixels between the pictures at the edges of a table and those inside."""


def beside_rows(grid: Image.Image, names: Sequence[str]) -> Image.Image:
    """Return the grid with a name on the left of each of its rows, which are equally high."""
    factor = -(-LEAST * len(names) // grid.height)
    if factor > 1:
        size = (grid.width * factor, grid.height * factor)
        grid = grid.resize(size, Image.Resampling.NEAREST)
    height = grid.height // len(names)
    font = ImageFont.load_default(size=_size(height))
    widest = max(int(font.getlength(name)) for name in names)
    page = Image.new("RGB", (widest + 2 * MARGIN + grid.width, grid.height), PAPER)
    page.paste(grid.convert("RGB"), (widest + 2 * MARGIN, 0))
    draw = ImageDraw.Draw(page)
    for row, name in enumerate(names):
        place = (MARGIN + widest, row * height + height // 2)
        draw.text(place, name, INK, font, anchor="rm")
    return page


def around_table(
    table: Sequence[Sequence[Image.Image | None]], rows: Sequence[str], columns: Sequence[str]
) -> Image.Image:
    """Return a table of pictures of one size with the names of its rows and columns at its edges.

    The first row and the first column, which are the columns' and the rows' own pictures, stand apart from
    the others by a gap; the corner, None, is left free.
    """
    side = next(cell for line in table for cell in line if cell is not None).size
    factor = max(1, -(-LEAST // side[1]))
    wide, high = side[0] * factor, side[1] * factor
    size = _size(high)
    font = ImageFont.load_default(size=size)
    left = 2 * MARGIN + max(int(font.getlength(name)) for name in rows)
    top = 2 * MARGIN + size
    # A name may be wider than its picture: then columns stand apart.
    step = max(wide, *(int(font.getlength(name)) + MARGIN // 2 for name in columns))
    x = [left, *(left + wide + GAP + step * column for column in range(len(columns)))]
    y = [top, *(top + high + GAP + high * row for row in range(len(rows)))]
    page = Image.new("RGB", (x[-1] + step, y[-1] + high), PAPER)
    draw = ImageDraw.Draw(page)
    for place, name in zip(x[1:], columns, strict=True):
        draw.text((place + wide // 2 + (step - wide) // 2, top // 2), name, INK, font, anchor="mm")
    for place, name in zip(y[1:], rows, strict=True):
        draw.text((left - MARGIN, place + high // 2), name, INK, font, anchor="rm")
    for line, line_y in zip(table, y, strict=True):
        for number, (cell, cell_x) in enumerate(zip(line, x, strict=True)):
            if cell is not None:
                large = cell.resize((wide, high), Image.Resampling.NEAREST)
                page.paste(large, (cell_x + (step - wide) // 2 * bool(number), line_y))
    return page


def _size(height: int) -> int:
    """Return how large letters are beside rows so high."""
    return max(11, min(16, height // 4))
