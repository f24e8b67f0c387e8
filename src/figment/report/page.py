"""The report of one run: an HTML page of its own, sections as functions from a record to HTML."""

from __future__ import annotations

import shlex
from html import escape
from pathlib import Path

from figment.files import write_text
from figment.report import html, labels
from figment.report.charts import machine_charts, training_charts
from figment.report.facts import data_rows, machine_rows, sentence
from figment.report.judged import health, key_figure, pictured, scores, signs
from figment.report.pictures import Picture, large, log_spaced, thumbnail
from figment.report.reading import number
from figment.report.record import Record, read_run
from figment.units import duration


def write_report(run: Path) -> Path:
    """Return the path of ``run/report.html``, written from the files of the run folder alone.

    What is missing is said on the page. Raises UserError where the folder cannot be written.
    """
    path = run / "report.html"
    write_text(path, report(read_run(run)))
    return path


def report(record: Record) -> str:
    """Return the whole page of a run as HTML."""
    return html.document(
        f"{record.name} – figment",
        [
            html.header("training report", record.name, sentence(record)),
            html.warning("This report is not complete.", record.missing),
            tiles(record),
            samples(record),
            scores(record),
            health(record),
            *pictured(record),
            curves(record),
            signs(record),
            recipe(record),
            machine(record),
            commands(record),
        ],
    )


def tiles(record: Record) -> str:
    """Return the key figures, those that are known."""
    seconds = record.last("seconds")
    parameters = record.machine.get("parameters")
    figures = [
        (labels.count, record.last("images"), "images seen"),
        (labels.significant, record.passes, "passes over the data"),
        (duration, seconds, "of training"),
        (labels.significant, record.speed, "images per second"),
    ]
    if isinstance(parameters, dict):
        figures += [
            (labels.amount, number(value), f"parameters, {name}")
            for name, value in parameters.items()
        ]
    shown = [(show(value), name) for show, value, name in figures if value is not None]
    items = "\n".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(figure)}</dd></div>"
        for figure, name in [*key_figure(record), *shown]
    )
    return f'<dl class="tiles">\n{items}\n</dl>' if items else ""


def samples(record: Record) -> str:
    """Return the newest sample picture, large, and the same latents through time."""
    moments = dict(record.samples)
    shown: list[tuple[int, Picture]] = []
    broken: list[str] = []
    for images in log_spaced(list(moments)):
        try:
            shown.append((images, thumbnail(moments[images])))
        except OSError:
            broken.append(moments[images].name)
    notes = html.notes(f"Not a picture: {name}." for name in broken)
    if not shown:
        return html.section("samples", "Samples", notes, html.none("No picture yet."))
    newest = shown[-1][0]
    figure = (
        f'<figure class="newest">{_image(large(moments[newest]), newest)}'
        f"<figcaption>after <b>{labels.count(newest)}</b> images</figcaption></figure>\n"
    )
    strip = "\n".join(
        f"<figure>{_image(small, images)}<figcaption>{labels.count(images)}</figcaption></figure>"
        for images, small in shown
    )
    if len(shown) > 1:
        figure += f'<div class="strip">\n{strip}\n</div>\n'
    return html.section(
        "samples",
        "Samples",
        html.about(
            "The same random inputs (latents), earlier to later: only the generator has changed."
        ),
        notes,
        f'<div class="samples">\n{figure}</div>',
    )


def curves(record: Record) -> str:
    """Return the charts of the training."""
    charts = training_charts(record.log, record.fields)
    if not charts:
        return html.section("curves", "Training", html.none("The log has no entries yet."))
    about = (
        "Thin line: each entry of the log. Thick line: the same, smoothed; "
        "the number beside the name is its newest value."
    )
    return html.section("curves", "Training", html.about(about), html.chart_grid(charts, "headed"))


def recipe(record: Record) -> str:
    """Return the recipe: every field that decides what the run learned."""
    rows = {name: labels.plain(value) for name, value in record.fields.items()}
    if not rows:
        return html.section("recipe", "Recipe", html.none("No recipe was found."))
    name = record.recipe.get("recipe")
    title = f"Recipe: {name}" if name else "Recipe"
    return html.section("recipe", title, html.pairs(rows, "fields"))


def machine(record: Record) -> str:
    """Return the machine, the data and how fast it went."""
    tables = [
        f"<div>\n<h3>{title}</h3>\n{html.pairs(rows, 'facts')}</div>"
        for title, rows in (("Data", data_rows(record)), ("Machine", machine_rows(record)))
        if rows
    ]
    body = f'<div class="pair">\n{"".join(tables)}</div>' if tables else ""
    charts = html.chart_grid(machine_charts(record.log))
    empty = "" if body or charts else html.none("No machine was recorded.")
    return html.section("machine", "Data and machine", body, charts, empty)


def commands(record: Record) -> str:
    """Return the command lines that make sense next."""
    run = shlex.quote(str(record.folder))
    lines = {
        f"figment sample {run}": "new pictures from the best weights, or else the newest",
        f"figment evaluate {run}": "how good it is: scores with their floors and intervals",
        f"figment doctor {run}": "what is wrong with it, how sure that is, and what to do",
        f"figment compare {run} OTHER-RUN": "this run and others, side by side",
        f"figment resume {run}": "go on with the training, exactly where it stopped",
    }
    return html.section("next", "Next", html.commands(lines))


def _image(picture: Picture, images: int) -> str:
    return html.image(picture, f"samples after {labels.count(images)} images")
