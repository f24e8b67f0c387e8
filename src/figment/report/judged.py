"""The sections of a report about quality: scores, findings, pictures of an evaluation, signs of health."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from html import escape

import numpy as np

from figment.doctor.finding import Finding
from figment.metrics.score import Score
from figment.report import html, labels
from figment.report.charts import watch_charts
from figment.report.judgement import Course, Evaluation, courses, leading
from figment.report.pictures import large
from figment.report.plots import Level, Mark, Series, constant, line_chart
from figment.report.record import Record

SETTLED = 0.25  # share of a training after which a score's axis must hold every value
SHEET_SIDE = 3200  # pixels of the longer side of an evaluation's picture: it has small print
STEEP = 4  # an early fall this many times deeper than what follows leaves the axis

PICTURES = {
    "copies": (
        "Copies",
        "Samples that repeat a training picture, also mirrored, shifted by a little or saved again, each "
        "beside what it repeats. evaluation.json lists all.",
    ),
    "look-alikes": (
        "Look-alikes",
        "Samples that are near-duplicates of one another have frames of the same colour.",
    ),
    "neighbours": (
        "Nearest training pictures",
        "Samples, each beside the training pictures most like it: copies show here. Above, the samples "
        "nearest to any training picture; below, the first ones. The number is the distance, divided by "
        "that of a real picture to its nearest other.",
    ),
}
"""Titles and explanations of the pictures that an evaluation leaves, by their names."""


def key_figure(record: Record) -> list[tuple[str, str]]:
    """Return the figure that tells how good the pictures are which samples are drawn like, and its name.

    The modes that points reach, or else the score by which weights are ranked; none without either.
    """
    if record.modes:
        return [(record.modes, "modes reached")]
    kept = record.weights
    course = leading(record.measurements, kept.images if kept else None)
    if course:
        moment = course.kept
        of = " of the best weights" if kept and kept.best else ""
        floor = moment.score.floor
        real = "" if floor is None else f"; real pictures: {labels.significant(floor)}"
        after = f"after {labels.count(moment.images)} images"
        name = f"{labels.score(moment.score)}{of}, {after}{real}"
        return [(labels.significant(moment.score.value), name)]
    found = record.evaluation.scores[:1] if record.evaluation else []
    return [(labels.significant(score.value), labels.score(score)) for score in found]


def scores(record: Record) -> str:
    """Return the scores, through the training and of its evaluation, "" where nothing was measured."""
    kept = record.weights
    at = kept.images if kept else None
    first, found = leading(record.measurements, at), courses(record.measurements, at)
    found.sort(key=lambda course: (course != first, course.score.group != ""))
    protocols = {one.score.protocol for one in found}
    once = protocols.pop() if len(found) > 1 and len(protocols) == 1 else ""
    drawn = [score_chart(one, bool(kept and kept.best), once) for one in found]
    charts = html.chart_grid(drawn, "headed")
    evaluated = evaluation(record.evaluation) if record.evaluation else ""
    if not charts and not evaluated:
        return ""
    about = "Dotted line: what real pictures would score. Band: 95 % interval."
    about = about if "<svg" in charts else ""
    about = " ".join(filter(None, (about, html.single(drawn))))
    said = f"{_kept(record)}{about}{once and f' Protocol of all: {once}.'}"
    return html.section("scores", "How good it is", html.about(said), charts, evaluated)


def score_chart(course: Course, best: bool = False, said: str = "") -> str:
    """Return the chart of a score: its interval as a band, its floor as a level.

    ``best``: the weights that samples are drawn from were kept for their score, so they are marked.
    ``said``: the protocol that need not be said again.
    """
    score, kept = course.score, course.kept
    x = np.array([moment.images for moment in course.moments])
    series = score_series(course, x, labels.score(score))
    group = f", {score.group}" if score.group else ""
    floor = [] if score.floor is None else [score.floor]
    return line_chart(
        [series],
        title=f"{series.name}{group}: {labels.BETTER[score.better]}",
        x_label="real images seen",
        y_range=axis_limits([series], floor),
        log=score.better == "lower",
        levels=[Level(value, f"{labels.FLOOR}: {labels.significant(value)}") for value in floor],
        marks=[Mark(kept.images, kept.score.value, "best weights")] if best else [],
        smoothing=0,
        note="; ".join(filter(None, ("" if said else score.protocol, score.note))),
    )


def score_series(
    course: Course, x: np.ndarray, name: str, colour: int = 0, dash: str = ""
) -> Series:
    """Return the curve of a score with its interval."""
    found = [moment.score for moment in course.moments]
    low, high = (
        np.array([math.nan if end is None else end for end in ends])
        for ends in ([score.low for score in found], [score.high for score in found])
    )
    return Series(name, x, np.array([score.value for score in found]), colour, dash, low, high)


def axis_limits(
    series: Sequence[Series], floors: Sequence[float] = ()
) -> tuple[float, float] | None:
    """Return the lower and upper limit of an axis that leaves out a steep early fall of the scores.

    None where all values fit one axis. The chart says below itself how many values lie outside.
    """
    early, late = [], list(floors)
    for one in series:
        after = one.x >= SETTLED * one.x.max(initial=0.0)
        for values in (one.y, one.low, one.high):
            if values is not None:
                early += values[~after & np.isfinite(values)].tolist()
                late += values[after & np.isfinite(values)].tolist()
    low, high = min(late, default=0.0), max(late, default=0.0)
    span = max([high, *early]) - min([low, *early])
    if span <= STEEP * (high - low) or constant(low, high):
        return None
    pad = 0.15 * (high - low)
    return (0.0 if 0 <= low < high / 2 else low - pad, high + pad)


def evaluation(found: Evaluation) -> str:
    """Return the table of an evaluation, and a second one of its classes, "" without scores."""
    if not found.scores:
        return ""
    whole = [score for score in found.scores if not score.group]
    protocols = labels.marked(score.protocol for score in whole or found.scores)
    several = len({score.protocol for score in found.scores}) > 1
    facts = [
        f"of {found.weights}" if found.weights else "",
        f"after {labels.count(found.images)} images" if found.images is not None else "",
        labels.moment(found.made),
    ]
    said = [f"Measured {', '.join(filter(None, facts))}."] if any(facts) else []
    said += [f"Protocol{mark and f' {mark}'}: {protocol}." for protocol, mark in protocols.items()]
    rows = [line for one in whole for line in _score_rows(one, protocols.get(one.protocol, ""))]
    head = ["Score", "Value", "95 % interval", labels.FLOOR.capitalize()]
    parts = [
        html.notes(said),
        html.table(head, rows, "scores") if rows else "",
        html.notes(labels.sentence_case(note) + "." for note in found.notes),
        _by_class([one for one in found.scores if one.group], several),
    ]
    inner = "\n".join(filter(None, parts))
    return f'<div class="evaluation">\n<h3>Evaluation</h3>\n{inner}\n</div>'


def health(record: Record) -> str:
    """Return what the doctor found, the good too, "" where it has not looked."""
    if not record.findings:
        return ""
    newest, then = record.last("images"), record.examined
    since = ""
    if newest is not None and then is not None and then < newest:
        since = f"Looked at after {labels.count(then)} images; the run has trained on since."
    cards = "\n".join(finding(one.of(record.folder)) for one in record.findings)
    return html.section(
        "health", "Health", html.about(since), f'<div class="findings">\n{cards}\n</div>'
    )


def finding(one: Finding) -> str:
    """Return a finding: what, how bad, how sure, the evidence, and what to do."""
    flags = "".join(f"<code>{escape(flag)}</code>" for flag in one.flags)
    parts = [
        f"<h3>{escape(labels.sentence_case(one.name))}</h3>",
        f'<p class="sure">{one.severity}, {one.sure:.0%} sure</p>',
        f"<p>{escape(one.evidence)}</p>" if one.evidence else "",
        f"<p>{html.prose(one.advice)}</p>" if one.advice else "",
        f'<p class="flags">{flags}</p>' if flags else "",
    ]
    inner = "\n".join(filter(None, parts))
    return f'<article class="finding {one.severity}">\n{inner}\n</article>'


def pictured(record: Record) -> list[str]:
    """Return a section for each picture of the evaluation; one that is broken or gone is named."""
    if not record.evaluation:
        return []
    sections = []
    for name, path in record.evaluation.pictures.items():
        title, about = PICTURES.get(name, (labels.sentence_case(name.replace("-", " ")), ""))
        try:
            image = html.image(large(path, SHEET_SIDE), title)
            shown = f'<div class="samples"><figure>{image}</figure></div>'
        except OSError:
            shown = html.none(f"{path.name} is missing or no picture: evaluate the run again.")
        place = re.sub(r"[^a-z0-9]+", "-", name.lower())
        sections.append(html.section(place, title, html.about(about), shown))
    return sections


def signs(record: Record) -> str:
    """Return the charts of what was watched on samples, "" where nothing was."""
    charts = watch_charts(record.log)
    if not charts:
        return ""
    about = (
        "Measured on a few samples and a few real examples during training: too coarse to score the "
        "run, enough to see when something goes wrong."
    )
    about = " ".join(filter(None, (about, html.single(charts))))
    return html.section(
        "signs",
        "Signs of health",
        html.about(about),
        html.fold(f"{len(charts)} charts", html.chart_grid(charts, "small")),
    )


def _kept(record: Record) -> str:
    """Return the sentence that says what best.safetensors holds by its own word, "" without it."""
    kept = record.weights
    if not kept or not kept.best:
        return ""
    value = ""
    if kept.value is not None:
        how = {score.name: score.protocol for line in record.measurements for score in line.scores}
        score = Score(kept.score, kept.value, protocol=how.get(kept.score, ""))
        value = f": {labels.score(score)} {labels.significant(kept.value)}"
    return (
        f"best.safetensors, which samples are drawn from, holds the weights after "
        f"{labels.count(kept.images)} images{value}. "
    )


def _score_rows(score: Score, mark: str) -> list[str]:
    """Return the row of a score, and below it why to be careful with it; ``mark``: of its protocol."""
    floor = "–" if score.floor is None else labels.significant(score.floor)
    between = labels.interval(score.low, score.high) or "–"
    cells = [labels.significant(score.value), between, floor]
    name = f"{labels.score(score)} {mark}".rstrip()
    rows = [html.row(html.explained(name, labels.BETTER[score.better]), cells)]
    below = f"<em>{escape(labels.sentence_case(score.note))}</em>" if score.note else ""
    return [*rows, html.row_below(below, 4)] if below else rows


def _by_class(scores: Sequence[Score], protocols: bool) -> str:
    """Return a table with a row a class and a column a score, "" for no scores.

    ``protocols``: whether each score's own has to be said.
    """
    if not scores:
        return ""
    groups = list(dict.fromkeys(score.group for score in scores))
    names = list(dict.fromkeys(score.name for score in scores))
    found = {(score.group, score.name): score for score in scores}
    rows = []
    for group in groups:
        cells = "".join(f"<td>{_cell(found.get((group, name)))}</td>" for name in names)
        rows.append(f'<tr><th scope="row">{escape(group)}</th>{cells}</tr>')
    called = {
        score.name: f"{labels.score(score)}: {labels.BETTER[score.better]}" for score in scores
    }
    head = ["Class", *called.values()]
    how_measured = dict.fromkeys(
        f"{score.group}, {labels.score(score)}: {'; '.join(filter(None, how))}"
        for score in scores
        if any(how := (score.protocol if protocols else "", score.note))
    )
    return (
        f"<h3>Class by class</h3>\n{html.table(head, rows, 'classes')}\n"
        f"{html.fold('How each was measured', html.notes(how_measured))}\n"
    )


def _cell(score: Score | None) -> str:
    if score is None:
        return "–"
    between = labels.interval(score.low, score.high)
    floor = "" if score.floor is None else f"{labels.FLOOR} {labels.significant(score.floor)}"
    small = "".join(f"<small>{escape(text)}</small>" for text in (between, floor) if text)
    return f"<b>{labels.significant(score.value)}</b>{small}"
