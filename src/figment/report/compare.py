"""The comparison of runs: one HTML page of its own, and its tables as text for the terminal."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

import numpy as np

from figment.files import write_text
from figment.report import contrast, html, labels, newest
from figment.report.charts import CLOCK, MACHINE, SCORES, column_title
from figment.report.contrast import Contender, Ranking, Table
from figment.report.judged import axis_limits, score_series
from figment.report.judgement import Course, Moment
from figment.report.plots import COLOURS, Level, Series, line_chart

POINTS = 300  # what a curve keeps: there are many, and each is there by images and by time
DASHES = ("", "7 4", "2 4")  # of the first COLOURS runs, the next, and all others
MAIN = ("modes", "loss", "score", "gradient", "jsd")  # groups of columns that show at once


class Clock(NamedTuple):
    """An axis that runs are drawn along."""

    column: str
    """Of the log."""
    label: str
    unit: float
    """What the axis counts, in the column's own unit."""


def write_comparison(runs: Sequence[Path], out: Path | None = None) -> Path:
    """Return the path of a page that compares the runs, written from the files of their folders alone.

    Without ``out`` it is comparison.html beside the first run. Raises UserError for what is no run,
    for fewer than two, and where the page cannot be written.
    """
    found = contrast.contenders(runs)
    path = page_of(runs, out)
    write_text(path, comparison(found))
    return path


def page_of(runs: Sequence[Path], out: Path | None = None) -> Path:
    """Return where the page of a comparison is written: see ``write_comparison``."""
    return Path(out) if out else Path(runs[0]).resolve().parent / "comparison.html"


def comparison_text(runs: Sequence[Path], width: int | None = None) -> str:
    """Return the comparison for a terminal: facts, scores, differences of the recipes.

    Lines longer than ``width`` continue in a further block. Raises UserError as write_comparison does.
    """
    found = contrast.contenders(runs)
    ranked = [one for one in contrast.rankings(found) if not one.group]
    through = [one for one in ranked if one.through]
    once = [one for one in ranked if not one.through]
    tables = [contrast.facts(found), *contrast.ranking_tables(through, found)]
    for part in contrast.evaluations(once):
        table = contrast.evaluation_table(part, found)
        said = [f"{one.name}: {one.notes}" for one in part if one.notes]
        tables.append(table._replace(note="\n".join(filter(None, (*said, table.note)))))
    tables.append(contrast.differences(found))
    by_figment = contrast.differences(found, settled=True)
    tables += [by_figment] if by_figment.rows else []
    notes = contrast.scoreless(found, ranked)
    notes += [contrast.MARKS] if any(len(one.entries) > 1 for one in ranked) else []
    notes += [f"{run.name}: {line}" for run in found for line in run.record.missing]
    return "\n\n".join([*(_text(table, width) for table in tables), *notes])


def comparison(runs: Sequence[Contender]) -> str:
    """Return the whole page as HTML."""
    ranked = contrast.rankings(runs)
    names = labels.listed([run.name for run in runs])
    notes = [f"{run.name}: {line}" for run in runs for line in run.record.missing]
    sections = [
        facts(runs),
        scores(runs, ranked),
        samples(runs),
        recipes(runs),
        curves(runs, ranked),
        commands(runs),
    ]
    return html.document(
        f"{names} – figment",
        [
            html.header("comparison", names, sentence(runs, ranked)),
            html.warning("Not all of these runs are complete.", notes),
            html.contents(sections),
            *sections,
        ],
    )


def sentence(runs: Sequence[Contender], ranked: Sequence[Ranking]) -> str:
    """Return what is compared, and which is the best where that can be said, in plain words."""
    data = list(dict.fromkeys(str(run.record.data.get("name") or "unknown") for run in runs))
    prints = {str(run.record.data.get("fingerprint")) for run in runs}
    on = f"on {data[0]}" if len(prints) == 1 else f"on different data ({labels.listed(data)})"
    names = [row[0] for row in contrast.differences(runs).rows]
    differ = f"in {labels.listed(names)}" if 0 < len(names) <= 4 else f"in {len(names)} fields"
    parts = [
        f"{len(runs)} runs {on}; {f'they differ {differ}' if names else 'their recipes are equal'}."
    ]
    shared = [one for one in ranked if len(one.entries) == len(runs)]
    if shared:
        index, course = shared[0].best
        score = course.kept.score
        close = [runs[i].name for i, _ in shared[0].entries if i != index and shared[0].mark(i)]
        but = f"; its 95 % interval overlaps that of {labels.listed(close)}" if close else ""
        figure = f"{labels.score(score)} of {labels.significant(score.value)}"
        parts.append(f"The best is {runs[index].name} with a {figure}{but}.")
    return " ".join(parts)


def facts(runs: Sequence[Contender]) -> str:
    """Return the table of what each run is."""
    found = contrast.facts(runs)
    rows = [html.row(_key(index, row[0]), row[1:]) for index, row in enumerate(found.rows)]
    return html.section(
        "runs", "Runs", html.table(found.head, rows, "facing wrapping"), html.notes([found.note])
    )


def scores(runs: Sequence[Contender], ranked: Sequence[Ranking]) -> str:
    """Return a table for each score that was followed, and one for those measured once."""
    parts = [html.notes(contrast.scoreless(runs, ranked))]
    numbers = {run.name: index for index, run in enumerate(runs)}
    if any(len(one.entries) > 1 for one in ranked):
        parts.append(html.notes([contrast.MARKS]))
    through = [one for one in ranked if one.through and not one.group]
    for found in contrast.ranking_tables(through, runs):
        rows = [
            html.row(_key(numbers[row[0]], row[0]), row[1:], contrast.BEST) for row in found.rows
        ]
        parts.append(f"<h3>{escape(found.title)}</h3>")
        parts.append(html.table(found.head, rows, "facing"))
        parts.append(html.notes([found.note] if found.note else []))
    once = [one for one in ranked if not one.through and not one.group]
    classes = [one for one in ranked if one.group]
    parts.append(_evaluation(once, runs))
    parts.append(html.fold("Class by class", _evaluation(classes, runs)))
    return html.section("scores", "How good they are", *parts)


def samples(runs: Sequence[Contender]) -> str:
    """Return the newest sample picture of each run, side by side."""
    figures = []
    for index, run in enumerate(runs):
        latent = run.record.fields.get("latent")
        facts = [
            str(run.record.data.get("name") or "unknown data"),
            "" if latent is None else f"latent {labels.plain(latent)}",
        ]
        picture = "No picture yet."
        found = newest.picture(run.record)
        if found is not None:
            facts.append(found.when)
            picture = found.html or f"Not a picture: {escape(found.name)}."
        about = escape(", ".join(filter(None, facts)))
        caption = f"<figcaption><b>{_key(index, run.name)}</b> {about}</figcaption>"
        figures.append(f"<figure>{caption}{picture}</figure>")
    about = "The same seeds stand in the same places."
    if len({labels.plain(run.record.fields.get("latent")) for run in runs}) > 1:
        about += " Where latents differ in size, a seed is another latent."
    body = '<div class="samples abreast">\n' + "\n".join(figures) + "\n</div>"
    return html.section("samples", "Samples", html.about(about), body)


def recipes(runs: Sequence[Contender]) -> str:
    """Return the fields in which the recipes differ."""
    found, by_figment = contrast.differences(runs), contrast.differences(runs, settled=True)
    if not found.rows and not by_figment.rows:
        return html.section(
            "recipes", "Recipes", html.about("The recipes are equal in all fields.")
        )
    return html.section(
        "recipes",
        "Differences of the recipes",
        _fields(found),
        html.notes([found.note]),
        html.fold("Settled by figment for data, machine or time", _fields(by_figment)),
    )


def _fields(found: Table) -> str:
    """Return a table of fields, "" where none differs."""
    rows = [html.row(f"<code>{escape(row[0])}</code>", row[1:]) for row in found.rows]
    return html.table(found.head, rows, "facing code") if rows else ""


def curves(runs: Sequence[Contender], ranked: Sequence[Ranking]) -> str:
    """Return the charts, each with the curves of all runs, by images and by time."""
    found = dict.fromkeys(key for run in runs for key in run.record.log)
    keys = [key for key in found if key not in CLOCK and key.partition("/")[0] != SCORES]
    if not keys:
        return html.section("curves", "Training", html.none("No tick in any log yet."))
    objectives = {str(run.record.fields.get("objective")) for run in runs}
    about = (
        "Scores as measured, all else as moving averages; the newest value stands beside the name."
    )
    about += " Objectives differ: losses are not on one scale." if len(objectives) > 1 else ""
    switch = (
        '<fieldset class="switch"><legend>Curves by</legend>'
        '<label><input type="radio" name="clock" id="by-images" checked>images</label>'
        '<label><input type="radio" name="clock" id="by-time">time</label></fieldset>'
    )
    spans = [run.record.last("seconds") or 0.0 for run in runs]
    clocks = (Clock("images", "real images seen", 1.0), _time(max(spans)))
    parts = [_charts(sorted(keys, key=_place), runs, ranked, clock) for clock in clocks]
    return html.section("curves", "Training", html.about(about), switch, *parts)


def commands(runs: Sequence[Contender]) -> str:
    """Return the command lines that make sense next."""
    folders = [shlex.quote(str(run.record.folder)) for run in runs]
    lines = {f"figment compare {' '.join(folders)}": "this page again, with what is new"}
    lines |= {
        f"figment evaluate {folder}": f"scores of {run.name}"
        for folder, run in zip(folders, runs, strict=True)
        if not run.courses
    }
    return html.section("next", "Next", html.commands(lines))


def _evaluation(ranked: Sequence[Ranking], runs: Sequence[Contender]) -> str:
    """Return the tables of scores that were measured once."""
    parts = []
    for part in contrast.evaluations(ranked):
        found = contrast.evaluation_table(part, runs)
        rows = []
        for one, mark, row in zip(part, contrast.marks(part), found.rows, strict=True):
            name = html.explained(f"{one.name}{mark}", one.better)
            rows.append(html.row(name, row[1:], contrast.BEST))
            rows += [html.row_below(escape(one.notes), len(found.head))] if one.notes else []
        parts += [f"<h3>{escape(found.title)}</h3>", html.table(found.head, rows, "facing")]
        parts.append(html.notes(found.note.splitlines()))
    return "\n".join(parts)


def _charts(
    keys: Sequence[str], runs: Sequence[Contender], ranked: Sequence[Ranking], clock: Clock
) -> str:
    """Return the charts along one clock, those of the less telling columns folded away."""
    charts = [_score_chart(one, runs, clock) for one in ranked if one.through and not one.group] + [
        _column_chart(key, runs, clock) for key in keys if key.partition("/")[0] in MAIN
    ]
    rest = [_column_chart(key, runs, clock) for key in keys if key.partition("/")[0] not in MAIN]
    shown = html.chart_grid([chart for chart in charts if chart], "headed")
    folded = html.fold(
        "More columns of the logs", html.chart_grid([chart for chart in rest if chart])
    )
    return f'<div class="by-{"images" if clock.column == "images" else "time"}">\n{shown}\n{folded}\n</div>'


def _score_chart(one: Ranking, runs: Sequence[Contender], clock: Clock) -> str:
    series: list[Series] = []
    floors: dict[float, None] = {}
    for index, course in one.entries:
        timed = [moment for moment in course.moments if _when(moment, clock) is not None]
        if timed:
            x = np.array([_when(moment, clock) for moment in timed], float)
            series.append(score_series(Course(timed), x, runs[index].name, *_style(index)))
            floors |= {} if course.score.floor is None else {course.score.floor: None}
    if not series:
        return ""
    return line_chart(
        series,
        title=one.title,
        x_label=clock.label,
        whole=clock.column == "images",
        y_range=axis_limits(series, list(floors)),
        levels=[Level(v, f"{labels.FLOOR}: {labels.significant(v)}") for v in floors],
        smoothing=0,
        note=one.notes,  # the table of the score has its protocol
    )


def _column_chart(key: str, runs: Sequence[Contender], clock: Clock) -> str:
    """Return the chart of one column of the logs, "" where no run has a number in it."""
    series, objectives = [], []
    for index, run in enumerate(runs):
        none = np.full(run.record.log["images"].size if run.record.log else 0, np.nan)
        x, y = (run.record.log.get(name, none) for name in (clock.column, key))
        measured = np.isfinite(x) & np.isfinite(y)
        if measured.any():
            series.append(Series(run.name, x[measured] / clock.unit, y[measured], *_style(index)))
            objectives.append(run.record.fields.get("objective"))
    if not series:
        return ""
    weight = 0.0 if key.startswith("modes/") else 0.9
    return line_chart(
        series,
        title=column_title(key, objectives),
        x_label=clock.label,
        whole=clock.column == "images",
        smoothing=weight,
        raw=not weight,
        points=POINTS,
    )


def _when(moment: Moment, clock: Clock) -> float | None:
    """Return where a moment stands on the clock's axis."""
    value = moment.images if clock.column == "images" else moment.seconds
    return None if value is None else value / clock.unit


def _style(index: int) -> tuple[int, str]:
    """Return colour and dash of a run's curves."""
    return index % COLOURS, DASHES[min(index // COLOURS, len(DASHES) - 1)]


def _key(index: int, name: str) -> str:
    """Return a run's name with the stroke that its curves have, as HTML."""
    colour, dash = _style(index)
    stroke = f'<line x1="0" x2="100%" y1="50%" y2="50%" stroke-dasharray="{dash or "none"}"/>'
    return f'<svg class="key series-{colour + 1}">{stroke}</svg>{escape(name)}'


def _place(key: str) -> int:
    """Return where the chart of a column stands."""
    group = key.partition("/")[0]
    order = (*MAIN, "penalty", "watch")
    last = len(order) + 1
    return last if group in MACHINE else order.index(group) if group in order else last - 1


def _time(longest: float) -> Clock:
    """Return the clock of training time, in a unit that suits the longest run."""
    units = {"days": 86400.0, "hours": 3600.0, "minutes": 60.0, "seconds": 1.0}
    name = next((name for name, size in units.items() if longest > 3 * size), "seconds")
    return Clock("seconds", f"{name} of training", units[name])


def _text(table: Table, width: int | None) -> str:
    """Return a table as lines of text, in blocks of columns where it is wider than ``width``."""
    lines = [table.head, *table.rows]
    sizes = [max(len(line[column]) for line in lines) for column in range(len(table.head))]
    blocks, used = [[0]], sizes[0]
    for column, size in enumerate(sizes[1:], 1):
        used += size + 2
        if width and used > width and len(blocks[-1]) > 1:
            blocks.append([0])
            used = sizes[0] + size + 2
        blocks[-1].append(column)
    parts = [table.title]
    for block in blocks:
        parts += [
            "  ".join(line[column].ljust(sizes[column]) for column in block).rstrip()
            for line in lines
        ]
    return "\n".join([*parts, *([table.note] if table.note else [])])
