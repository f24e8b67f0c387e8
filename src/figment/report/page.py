"""The report of one run: an HTML page of its own, sections as functions from a record to HTML."""

from __future__ import annotations

import shlex
from html import escape
from pathlib import Path

from figment.files import write_text
from figment.report import html, labels, newest, words
from figment.report.charts import machine_charts, training_charts
from figment.report.cloud import cloud_figure
from figment.report.facts import data_rows, extent, machine_rows, sentence
from figment.report.judged import health, key_figure, pictured, scores, signs
from figment.report.pictures import large, log_spaced, thumbnail
from figment.report.record import Record, read_run

SHOWN = 5  # charts of the training that show at once


def write_report(run: Path) -> Path:
    """Return the path of ``run/report.html``, written from the files of the run folder alone.

    What is missing is said on the page. Raises UserError where the folder cannot be written.
    """
    path = run / "report.html"
    write_text(path, report(read_run(run)))
    return path


def report(record: Record) -> str:
    """Return the whole page of a run as HTML."""
    sections = [
        samples(record),
        *rebuilt(record),
        scores(record),
        health(record),
        *pictured(record),
        curves(record),
        signs(record),
        recipe(record),
        machine(record),
        words.section(_measured(record)),
        commands(record),
    ]
    return html.document(
        f"{record.name} – figment",
        [
            html.header("training report", record.name, sentence(record)),
            html.warning("This report is not complete.", record.missing),
            tiles(record),
            html.contents(sections),
            *sections,
        ],
    )


def _measured(record: Record) -> set[str]:
    """Return the names of the scores that the page shows."""
    lines = [line.scores for line in record.measurements]
    lines += [record.evaluation.scores] if record.evaluation else []
    return {score.name for scores in lines for score in scores}


def tiles(record: Record) -> str:
    """Return the key figures, those that are known; the first says how good it is."""
    key = [(' class="key-figure"', one) for one in key_figure(record)]
    items = "\n".join(
        f"<div{kind}><dt>{escape(name)}</dt><dd>{escape(figure)}</dd></div>"
        for kind, (figure, name) in [*key, *(("", one) for one in extent(record))]
    )
    return f'<dl class="tiles">\n{items}\n</dl>' if items else ""


def samples(record: Record) -> str:
    """Return what the run makes now, large, and the same latents through time."""
    moments = dict(record.samples)
    now = newest.picture(record)
    large = {images for images, path in moments.items() if now and path.name == now.name}
    spread = sorted({*log_spaced(list(moments)), *large})
    shown = {images: _thumbnail(record, moments[images]) for images in spread}
    drawn = {images: small for images, small in shown.items() if small}
    broken = [moments[images].name for images in shown if images not in drawn]
    notes = html.notes(f"Not a picture: {name}." for name in broken)
    if now is None or not (now.html or drawn):
        return html.section("samples", "Samples", notes, html.none("No picture yet."))
    figure = (
        f'<figure class="newest">{now.html}<figcaption><b>{now.when}</b></figcaption></figure>\n'
        if now.html
        else ""
    )
    strip = "\n".join(
        _moment(small, images, images in large, record) for images, small in drawn.items()
    )
    if len(drawn) > 1:
        figure += f'<div class="strip">\n{strip}\n</div>\n'
    about = (
        "Same random inputs, earlier to later, by real images seen. The framed one is shown large."
    )
    if record.mixture:
        about += " Rings: the real modes; red and dashed where no point falls into one."
    if 'class="landscape"' in now.html:
        about += " Shading: where the discriminator sees reals (blue) and fakes (orange)."
    return html.section(
        "samples", "Samples", html.about(about), notes, f'<div class="samples">\n{figure}</div>'
    )


def rebuilt(record: Record) -> list[str]:
    """Return a section with real pictures beside what their codes bring back, if the system has codes."""
    if record.rebuilt is None:
        return []
    try:
        body = html.image(large(record.rebuilt), "real pictures, and what came back of them")
    except OSError:
        body = html.none(f"Not a picture: {record.rebuilt.name}.")
    about = (
        "Real pictures, held out of training where any are; below each row, the same from codes."
    )
    shown = f'<div class="samples"><figure>{body}</figure></div>'
    return [html.section("rebuilt", "Reconstructions", html.about(about), shown)]


def _moment(small: str, images: int, framed: bool, record: Record) -> str:
    """Return a moment of the strip; ``framed``: it is the one that is shown large."""
    best = record.best_picture is not None and record.weights and images == record.weights.images
    said = f"{labels.count(images)}{', best weights' if best else ''}"
    chosen = ' class="chosen"' if framed else ""
    return f"<figure{chosen}>{small}<figcaption>{said}</figcaption></figure>"


def _thumbnail(record: Record, path: Path) -> str:
    """Return a small picture of a moment as HTML, "" where the file holds none."""
    if record.points:
        cloud = cloud_figure(path.with_suffix(".safetensors"), record.mixture, small=True)
        if cloud:
            return cloud
    try:
        return html.image(thumbnail(path), f"samples after {labels.count(int(path.stem))} images")
    except OSError:
        return ""


def curves(record: Record) -> str:
    """Return the charts of the training: the telling ones, and the others to unfold."""
    charts = training_charts(record.log, record.fields)
    if not charts:
        return html.section("curves", "Training", html.none("The log has no entries yet."))
    drawn = any("<svg" in chart for chart in charts)
    legend = "Thin: raw. Thick: smoothed. Number: the log's last." if drawn else ""
    about = " ".join(filter(None, (legend, html.single(charts))))
    first, rest = charts[:SHOWN], charts[SHOWN:]
    return html.section(
        "curves",
        "Training",
        html.about(about),
        html.chart_grid(first, "headed"),
        html.fold(f"{len(rest)} more", html.chart_grid(rest)),
    )


def recipe(record: Record) -> str:
    """Return the recipe: fields that the user changed, that came with another run, that were settled."""
    fields = {name: labels.plain(value) for name, value in record.fields.items()}
    if not fields:
        return html.section("recipe", "Recipe", html.none("No recipe was found."))
    name = record.recipe.get("recipe")
    title = f"Recipe: {name}" if name else "Recipe"
    if "fields" not in record.machine:  # a run of an earlier version
        return html.section("recipe", title, html.pairs(fields, "fields"))
    parts, rest = [], dict(fields)
    for names, about in (
        (record.chosen, "You changed"),
        (record.taken, f"Taken from {record.parent or 'another run'}, whose weights it began with"),
        (record.settled, "figment settled, for your data, your machine and the time"),
    ):
        rows = {name: rest.pop(name) for name in names if name in rest}
        parts += [f"<h3>{html.escape(about)}</h3>", html.pairs(rows, "fields")] if rows else []
    of = f"{len(rest)} fields as {name or 'the system'} has them"
    return html.section("recipe", title, *parts, html.fold(of, html.pairs(rest, "fields")))


def machine(record: Record) -> str:
    """Return the data, and to unfold the machine and how fast it went."""
    data, about = data_rows(record), machine_rows(record)
    body = html.pairs(data, "facts") if data else ""
    facts = html.pairs(about, "facts") if about else ""
    more = html.fold(
        "Machine, speed and memory", facts, html.chart_grid(machine_charts(record.log))
    )
    empty = "" if body or more else html.none("No machine was recorded.")
    return html.section("machine", "Data and machine", body, more, empty)


def commands(record: Record) -> str:
    """Return the command lines that make sense next."""
    run = shlex.quote(str(record.folder))
    lines = {
        f"figment sample {run}": "draw new pictures from the best weights, or else the newest",
        f"figment resume {run} --minutes 30": "train 30 minutes more, exactly from where it stopped",
        f"figment evaluate {run}": "measure how good it is, beside what real pictures get",
        f"figment doctor {run}": "ask what is wrong with it, how sure that is, and what to do",
        f"figment compare {run} OTHER-RUN": "set it beside another run",
    }
    if not record.points:
        lines |= _of_pictures(record, run)
    return html.section("next", "Next", html.commands(lines))


def _of_pictures(record: Record, run: str) -> dict[str, str]:
    """Return the command lines for a run of pictures, with what each is for."""
    film, strip, archive, site = (
        shlex.quote(str(path))
        for path in (
            *(record.folder / name for name in ("walk.gif", "evolution.png", "pictures.zip")),
            Path(f"{record.name}-site"),  # not among the files of the run
        )
    )
    lines = {
        f"figment walk {run} --out {film}": "make a film that passes from picture to picture",
        f"figment evolve {run} --out {strip}": "see the same pictures through the training",
    }
    if "mixing" in record.fields:  # a generator with styles
        lines |= {
            f"figment truncate {run}": "see what truncation does: safer pictures, more alike",
            f"figment sample {run} --mix 5 6 7 8 --count 4": "mix styles: the pose of one picture, "
            "the colours of another",
        }
    if record.rebuilt is not None:
        lines[f"figment project {run} PICTURE.png"] = (
            "see what comes back of a picture of yours, and its latent"
        )
    return lines | {
        f"figment sample {run} --count 100 --out {archive}": "draw a hundred single pictures into a zip",
        f"figment export {run} --to web --out {site}": "publish it: a page that draws in its visitors' "
        "browsers, for any host of plain files; the terms of your data apply, see README.md in the run",
    }
