"""A run in a notebook's cell: what it learned from, key figures, and the picture of what it makes."""

from __future__ import annotations

from pathlib import Path

from figment import cells
from figment.report.facts import extent, sentence
from figment.report.judged import key_figure
from figment.report.newest import file
from figment.report.record import read_run


def run_cell(folder: Path) -> str:
    """Return a run as HTML that brings its own style; what is missing is left out."""
    record = read_run(folder)
    figures = {name: figure for figure, name in [*key_figure(record), *extent(record)]}
    parts = [cells.note(sentence(record)), cells.tiles(figures)]
    found = file(record)
    if found is not None:
        path, when, size = found
        parts.append(cells.image(path.read_bytes(), size, when))
    how = f"{record.name}/report.html has the rest; run.generator.sample(16) draws new ones"
    return "\n".join([*parts, cells.note(how)])
