"""The report of one run: an HTML page of its own, sections as functions from a record to HTML.

The page loads nothing: its style, its script and its pictures are inside it, and a content security
policy has the browser hold it to that. Without the script it lacks only the read-out, the switch
between dark and light, and the enlarging of thumbnails.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from html import escape
from importlib.resources import files
from pathlib import Path

from figment.files import write_text
from figment.report import words
from figment.report.charts import machine_charts, training_charts
from figment.report.pictures import Picture, large, spread, thumbnail
from figment.report.record import Record, number, read_run
from figment.words import duration

CLASSES = 20  # names that the page lists

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def write_report(run: Path) -> Path:
    """Return the path of ``run/report.html``, written from the files of the run folder alone.

    What is missing is said on the page. Raises UserError where the folder cannot be written.
    """
    path = run / "report.html"
    write_text(path, report(read_run(run)))
    return path


def report(record: Record) -> str:
    """Return the whole page of a run as HTML."""
    return document(
        f"{record.name} – figment",
        [
            header(record),
            missing(record),
            tiles(record),
            samples(record),
            curves(record),
            recipe(record),
            machine(record),
            commands(record),
        ],
    )


def document(title: str, sections: Iterable[str]) -> str:
    """Return an HTML page that loads nothing, around sections of HTML; empty ones are left out."""
    here = files("figment.report")
    body = "\n".join(section for section in sections if section)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<link rel="icon" href="data:,">
<style>
{here.joinpath("page.css").read_text(encoding="utf-8")}</style>
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


def header(record: Record) -> str:
    """Return the title and one sentence in plain words: what was trained on what, how far."""
    return (
        f'<header>\n<p class="kind">figment · training report</p>\n'
        f"<h1>{escape(record.name)}</h1>\n"
        f'<p class="lead">{escape(_sentence(record))}</p>\n</header>'
    )


def missing(record: Record) -> str:
    """Return a box that says which files are missing or broken, "" when all is there."""
    if not record.missing:
        return ""
    items = "".join(f"<li>{escape(text)}</li>" for text in record.missing)
    return (
        f'<aside class="missing">\n<p>This report is not complete.</p>\n<ul>{items}</ul>\n</aside>'
    )


def tiles(record: Record) -> str:
    """Return the key figures, those that are known."""
    images, seconds = record.last("images"), record.last("seconds")
    parameters = record.machine.get("parameters")
    figures = [
        (words.count, images, "images seen"),
        (words.significant, _passes(record), "passes over the data"),
        (duration, seconds, "of training"),
        (words.significant, _speed(record), "images per second"),
    ]
    if isinstance(parameters, dict):
        figures += [
            (words.amount, number(value), f"parameters, {name}")
            for name, value in parameters.items()
        ]
    items = "\n".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(show(value))}</dd></div>"
        for show, value, name in figures
        if value is not None
    )
    return f'<dl class="tiles">\n{items}\n</dl>' if items else ""


def samples(record: Record) -> str:
    """Return the newest sample picture, large, and the same latents through time."""
    moments = dict(record.samples)
    shown: list[tuple[int, Picture]] = []
    broken: list[str] = []
    for images in spread(list(moments)):
        try:
            shown.append((images, thumbnail(moments[images])))
        except OSError:
            broken.append(moments[images].name)
    parts = [f"Not a picture: {name}." for name in broken]
    note = "".join(f'<p class="note">{escape(text)}</p>\n' for text in parts)
    if not shown:
        return _section("samples", "Samples", f'{note}<p class="none">No picture yet.</p>')
    newest = shown[-1][0]
    picture = large(moments[newest])
    strip = "\n".join(
        f"<figure>{_image(small, images)}<figcaption>{words.count(images)}</figcaption></figure>"
        for images, small in shown
    )
    body = (
        '<p class="about">The same latents at each moment: all that changes is the generator.</p>\n'
        f'{note}<div class="samples">\n'
        f'<figure class="newest">{_image(picture, newest)}'
        f"<figcaption>after <b>{words.count(newest)}</b> images</figcaption></figure>\n"
    )
    if len(shown) > 1:
        body += f'<div class="strip">\n{strip}\n</div>\n'
    return _section("samples", "Samples", f"{body}</div>")


def curves(record: Record) -> str:
    """Return the charts of the training."""
    charts = training_charts(record.log, record.fields)
    if not charts:
        return _section("curves", "Training", '<p class="none">No tick in the log yet.</p>')
    about = (
        '<p class="about">Faint: each tick of the log. '
        "Strong: its moving average, whose newest value stands beside the name.</p>\n"
    )
    return _section("curves", "Training", about + _charts(charts))


def recipe(record: Record) -> str:
    """Return the recipe: every field that decides what the run learned."""
    rows = {name: words.plain(value) for name, value in record.fields.items()}
    if not rows:
        return _section("recipe", "Recipe", '<p class="none">No recipe was found.</p>')
    name = record.recipe.get("recipe")
    title = f"Recipe: {name}" if name else "Recipe"
    return _section("recipe", title, _table(rows, "fields"))


def machine(record: Record) -> str:
    """Return the machine, the data and how fast it went."""
    tables = [
        f"<div>\n<h3>{title}</h3>\n{_table(rows, 'facts')}</div>"
        for title, rows in (("Data", _data_rows(record)), ("Machine", _machine_rows(record)))
        if rows
    ]
    body = f'<div class="pair">\n{"".join(tables)}</div>\n' if tables else ""
    charts = _charts(machine_charts(record.log))
    none = '<p class="none">No machine was recorded.</p>'
    return _section("machine", "Data and machine", body + charts or none)


def commands(record: Record) -> str:
    """Return the command lines that make sense next."""
    run = shlex.quote(str(record.folder))
    lines = {
        f"figment sample {run}": "new pictures from the newest snapshot",
        f"figment resume {run}": "go on with the training, exactly where it stopped",
    }
    items = "\n".join(
        f"<dt><code>{escape(line)}</code></dt><dd>{escape(what)}</dd>"
        for line, what in lines.items()
    )
    return _section("next", "Next", f'<dl class="commands">\n{items}\n</dl>')


def _sentence(record: Record) -> str:
    name = record.recipe.get("recipe")
    system = words.system(name) if isinstance(name, str) else "An unnamed recipe"
    source = record.data.get("name")
    parts = [system, "trained on", str(source) if source else "unknown data"]
    described = _described(record.data)
    if described:
        parts.append(f"({described})")
    images, seconds = record.last("images"), record.last("seconds")
    if images is None:
        return " ".join(parts) + ". Nothing is known of how far it got."
    if seconds is not None:
        parts.append(f"for {duration(seconds)}")
    facts = [f"{words.count(images)} images seen"]
    passes, speed = _passes(record), _speed(record)
    if passes is not None:
        facts.append(f"{words.significant(passes)} passes over the data")
    if speed is not None:
        facts.append(f"{words.significant(speed)} images/s")
    device = _device(record.machine)
    return f"{' '.join(parts)}: {', '.join(facts)}{f' on {device}' if device else ''}."


def _described(data: Mapping) -> str:
    """Return ``13,217 pictures, 64×64 colour`` or ``50,000 points in 2 dimensions``."""
    shape = data.get("shape")
    shape = shape if isinstance(shape, list) else []
    found = number(data.get("count"))
    many = f"{words.count(found)} " if found is not None else ""
    if len(shape) == 1:
        return f"{many}points in {shape[0]} dimension{'s' * (shape[0] != 1)}"
    parts = [f"{many}pictures"] if many else []
    if len(shape) == 3:
        channels, height, width = shape
        kind = {1: " grey", 3: " colour", 4: " colour with transparency"}.get(channels, "")
        parts.append(f"{width}×{height}{kind}")
    return ", ".join(parts)


def _device(machine: Mapping) -> str:
    device = str(machine.get("device") or "")
    processor = str(machine.get("processor") or "").replace("(R)", "").replace("(TM)", "")
    if device == "cpu":
        device = processor or "the CPU"
        threads = number(machine.get("threads"))
        device += f" ({threads:.0f} thread{'s' * (threads != 1)})" if threads else ""
    processes = number(machine.get("processes")) or 1
    return f"{processes:.0f} processes, each on {device}" if device and processes > 1 else device


def _data_rows(record: Record) -> dict[str, str]:
    data = record.data
    classes = data.get("classes")
    classes = [str(name) for name in classes] if isinstance(classes, list) else []
    more = f" and {len(classes) - CLASSES:,} more" if len(classes) > CLASSES else ""
    rows = {
        "name": _text(data.get("name")),
        "source": _text(data.get("source")),
        "holds": _described(data),
        "classes": ", ".join(classes[:CLASSES]) + more,
        "skipped as broken": _text(data.get("skipped")),
        "duplicates": _text(data.get("duplicates")),
        "fingerprint": _text(data.get("fingerprint")),
    }
    return {name: text for name, text in rows.items() if text}


def _machine_rows(record: Record) -> dict[str, str]:
    rows: dict[str, str] = {}
    for key, value in record.machine.items():
        if isinstance(value, str):
            rows[key] = words.moment(value)
        elif key not in ("data", "parameters"):
            parts = value if isinstance(value, dict) else {"": value}
            rows |= {f"{key} {part}".strip(): _text(inner) for part, inner in parts.items()}
    return {_label(name): text for name, text in rows.items() if text}


def _label(key: str) -> str:
    """Return the name of a row: ``memory_gib`` is ``memory, GiB``."""
    return key.replace("_gib", ", GiB").replace("_", " ")


def _text(value: object) -> str:
    found = number(value)
    if found is None:
        return "" if value is None else words.plain(value)
    return words.count(found) if found == round(found) else words.significant(found)


def _passes(record: Record) -> float | None:
    images, found = record.last("images"), number(record.data.get("count"))
    return images / found if images is not None and found else None


def _speed(record: Record) -> float | None:
    images, seconds = record.last("images"), record.last("seconds")
    return images / seconds if images is not None and seconds else None


def _section(name: str, title: str, body: str) -> str:
    return f'<section id="{name}">\n<h2>{escape(title)}</h2>\n{body}\n</section>'


def _charts(charts: list[str]) -> str:
    return '<div class="charts">\n' + "\n".join(charts) + "\n</div>" if charts else ""


def _table(rows: Mapping[str, str], name: str) -> str:
    items = "\n".join(
        f"<div><dt>{escape(key)}</dt><dd>{escape(value)}</dd></div>" for key, value in rows.items()
    )
    return f'<dl class="{name}">\n{items}\n</dl>\n'


def _image(picture: Picture, images: int) -> str:
    """Return the ``<img>``; a small picture is shown at a whole multiple of its size, crisp."""
    zoom = max(1, 600 // picture.width)
    crisp = ' class="crisp"' if zoom > 1 else ""
    return (
        f'<img{crisp} src="{picture.uri}" width="{picture.width * zoom}" '
        f'height="{picture.height * zoom}" alt="samples after {words.count(images)} images">'
    )
