"""Line charts as HTML with inline SVG: no library, no script needed, colours from the page's CSS.

The text of a chart keeps its size at any width: positions are percentages of the plot area, and
the curves sit in a nested ``<svg>`` of 1000 × 1000 units that stretches while its strokes do not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape

import numpy as np

from figment.report.labels import sentence_case, significant
from figment.report.smoothing import POINTS, decimate, smooth, weight
from figment.report.ticks import log_ticks, tick_labels, ticks

COLOURS = 8  # --series-1 … --series-8 of page.css
UNITS = 1000  # the plot area in curve coordinates, both ways
DECADES = 30  # a logarithmic axis is for values that are so many times the smallest
LARGEST = (
    1e100  # beyond it, and nearer to 0 than its inverse, sums of a broken log's numbers overflow
)
FEW = 60  # points of an unsmoothed curve up to which each shows as a dot
ROUNDING = 1e-6  # differences of so small a part of the values are none


@dataclass(frozen=True)
class Series:
    """One curve. ``colour`` counts from 0; ``dash`` is an SVG dash array, "" for a solid line.

    ``low`` and ``high`` are the ends of an interval about each point, drawn as a band. Numbers are kept
    within ``LARGEST``.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    colour: int = 0
    dash: str = ""
    low: np.ndarray | None = None
    high: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name in ("y", "low", "high"):
            if (values := getattr(self, name)) is not None:
                kept = np.where(np.isinf(values), values, _bounded(values))  # infinity is no number
                object.__setattr__(self, name, kept)


@dataclass(frozen=True)
class Level:
    """A dotted horizontal line at a value that means something; its label stands in the legend."""

    value: float
    label: str
    colour: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", float(_bounded(self.value)))


@dataclass(frozen=True)
class Mark:
    """A ring about a point that means something; its label and value stand in the legend."""

    x: float
    y: float
    label: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "y", float(_bounded(self.y)))


@dataclass(frozen=True)
class Axes:
    """The ranges of a chart in data values, and how they become positions."""

    x: tuple[float, float]
    y: tuple[float, float]
    log: bool = False
    """Whether equal ratios of y are equally far apart, not equal differences."""

    def across(self, x: np.ndarray | float) -> np.ndarray:
        """Return positions from the left edge as a share of the width, 0 to 1 inside."""
        return (np.asarray(x) - self.x[0]) / (self.x[1] - self.x[0])

    def down(self, y: np.ndarray | float) -> np.ndarray:
        """Return positions from the top edge as a share of the height, 0 to 1 inside; NaN without any."""
        if not self.log:
            return (self.y[1] - np.asarray(y)) / (self.y[1] - self.y[0])
        y = np.asarray(y, dtype=float)
        place = np.log(np.where(y > 0, y, np.nan) / self.y[1])
        return place / math.log(self.y[0] / self.y[1])


def line_chart(
    series: Sequence[Series],
    *,
    title: str,
    x_label: str,
    y_range: tuple[float, float] | None = None,
    levels: Sequence[Level] = (),
    marks: Sequence[Mark] = (),
    smoothing: float = 0.9,
    raw: bool = True,
    points: int = POINTS,
    note: str = "",
    log: bool = False,
    whole: bool = True,
) -> str:
    """Return a ``<figure>`` with the raw curves faint and the smoothed ones strong.

    ``smoothing`` is the weight of the past in ``smooth`` for a long curve, less for a short one; 0 draws
    the raw curves alone, strong, and as dots where they are few. ``raw`` False leaves out the faint ones.
    ``points`` is what is kept of a long curve. ``y_range`` None fits the axis to the data. ``log`` makes it
    logarithmic where the values ask for that: all of them positive, and the largest ``DECADES`` times the
    smallest or more. Where no curve has two points there is no chart, but the figures in words. ``whole``:
    x counts things, so that its axis has whole numbers.
    """
    if not any(np.isfinite(one.y).sum() > 1 for one in series):
        return _in_words(series, title, x_label, levels, note)
    newest = [_newest(one.y) for one in series]
    smooths = [smooth(one.y, weight(one.y, smoothing)) for one in series]
    if not raw:
        series = [replace(one, y=y) for one, y in zip(series, smooths, strict=True)]
    axes = _log_axes(series, levels) if log else None
    axes = axes or _axes(series, smooths, y_range, levels)
    drawn = _curves(
        series, smooths, axes, points, faint=bool(smoothing) and raw, dots=not smoothing
    )
    notes = [note, *(_beyond(one, axes) for one in series), *(_gaps(one) for one in series)]
    ranges = " ".join(f"{value:.9g}" for value in (*axes.x, *axes.y))
    kind = ' data-scale="log"' if axes.log else ""
    summary = ", ".join(f"{one.name} {y}" for one, y in zip(series, newest, strict=True))
    return "\n".join(
        [
            '<figure class="chart">',
            f"<figcaption><h3>{escape(title)}</h3>{_legend(series, newest, levels, marks)}</figcaption>",
            '<div class="frame">',
            f'<svg class="plot" role="img" data-range="{ranges}"{kind} '
            f'aria-label="{escape(f"{title}: {summary}")}">',
            *_grid(axes, x_label, whole=whole),
            f'<svg class="curves" width="100%" height="100%" viewBox="0 0 {UNITS} {UNITS}" '
            'preserveAspectRatio="none">',
            *drawn,
            "</svg>",
            *(_level(level, axes) for level in levels),
            *(_mark(mark, axes) for mark in marks),
            "</svg>",
            "</div>",
            *(f'<p class="note">{escape(text)}</p>' for text in notes if text),
            "</figure>",
        ]
    )


def _curves(
    series: Sequence[Series],
    smooths: Sequence[np.ndarray],
    axes: Axes,
    points: int,
    *,
    faint: bool,
    dots: bool,
) -> list[str]:
    """Return the bands, the raw curves where they are to be seen, faint, and the smoothed ones."""
    drawn = [_band(one, axes) for one in series]
    drawn += [_curve(one, one.y, axes, "raw", points) for one in series if faint]
    for one, smoothed in zip(series, smooths, strict=True):
        drawn.append(_curve(one, smoothed, axes, "strong", points))
        if (dots and one.x.size <= FEW) or one.x.size == 1:
            drawn.append(_curve(one, one.y, axes, "dots", points))
    return drawn


def _in_words(
    series: Sequence[Series], title: str, x_label: str, levels: Sequence[Level], note: str
) -> str:
    """Return what stands in place of a chart whose curves have a point each at most."""
    said: dict[float, list[str]] = {}
    for one in series:
        for place in np.flatnonzero(np.isfinite(one.y)):
            ends = [math.nan if end is None else float(end[place]) for end in (one.low, one.high)]
            between = f" (95 % interval {_figure(ends[0])} – {_figure(ends[1])})"
            between = between if all(map(math.isfinite, ends)) else ""
            text = f"{escape(one.name)} <b>{_figure(float(one.y[place]))}</b>{between}"
            said.setdefault(float(one.x[place]), []).append(text)
    lines = [f"{', '.join(texts)} at {_place(x)} {escape(x_label)}" for x, texts in said.items()]
    beside = "; ".join(escape(level.label) for level in levels)
    text = "; ".join(lines) + (f". {sentence_case(beside)}" if beside else "")
    return "\n".join(
        [
            '<figure class="chart words">',
            f"<figcaption><h3>{escape(title)}</h3></figcaption>",
            f"<p>{sentence_case(text)}.</p>" if lines else "<p>No number.</p>",
            *([f'<p class="note">{escape(note)}</p>'] if note else []),
            "</figure>",
        ]
    )


def _place(x: float) -> str:
    """Return a place on the x axis: a whole number of images, three digits of hours."""
    return f"{x:,.0f}" if x == round(x) else significant(x)


def _axes(
    series: Sequence[Series],
    smooths: Sequence[np.ndarray],
    y_range: tuple[float, float] | None,
    levels: Sequence[Level],
) -> Axes:
    across = _across(series)
    if y_range:
        low, high = _bounded(y_range).tolist()
        return Axes(across, (low, high if high > low else low + 1))
    parts = [part for one in series for part in (one.y, one.low, one.high) if part is not None]
    y = np.concatenate(parts or [np.empty(0)])
    low, high = _central(y[np.isfinite(y)])
    # The newest state is what the reader came for: it is on the chart even where it is extreme.
    ends = [float(smoothed[-1]) for smoothed in smooths if len(smoothed)]
    values = [low, high, *(v for v in ends if math.isfinite(v)), *(one.value for one in levels)]
    low, high = min(values), max(values)
    if constant(low, high):  # an axis stretched over rounding errors would show them as cliffs
        low = high = (low + high) / 2
    if 0 <= low < high / 2:
        low = 0.0
    pad = 0.06 * (high - low) or 0.1 * abs(high) or 1.0
    return Axes(across, (low - pad if low else 0.0 if high >= 0 else -pad, high + pad))


def _log_axes(series: Sequence[Series], levels: Sequence[Level]) -> Axes | None:
    """Return axes with a logarithmic y, None where the values do not ask for one."""
    values = np.concatenate([one.y[np.isfinite(one.y)] for one in series] or [np.empty(0)])
    if not values.size or values.min() <= 0 or values.max() < DECADES * values.min():
        return None
    marks = [level.value for level in levels if level.value > 0]
    low, high = min([values.min(), *marks]), max([values.max(), *marks])
    pad = (high / low) ** 0.04
    return Axes(_across(series), (float(low / pad), float(high * pad)), log=True)


def _across(series: Sequence[Series]) -> tuple[float, float]:
    x = np.concatenate([one.x for one in series] or [np.empty(0)])
    x = x[np.isfinite(x)]
    left, right = (min(0.0, x.min()), x.max()) if x.size else (0.0, 1.0)
    return float(left), float(right if right > left else left + 1)


def _central(values: np.ndarray) -> tuple[float, float]:
    """Return the range of the values, without the outermost 1 % where these dwarf the others."""
    if not values.size:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    inner_low, inner_high = (float(v) for v in np.percentile(values, (1, 99)))
    if constant(inner_low, inner_high):
        return low, high
    if 3 * (inner_high - inner_low) < high - low:
        return inner_low, inner_high
    return low, high


def constant(low: float, high: float) -> bool:
    """Return whether values between two bounds are the same up to rounding."""
    return high - low <= ROUNDING * max(abs(low), abs(high))


def _curve(one: Series, y: np.ndarray, axes: Axes, kind: str, points: int) -> str:
    x, y = decimate(one.x, y, points)
    pieces = _pieces(x, y, axes)
    if kind == "dots":
        pieces = [[point] for piece in pieces for point in piece]
    # A lone point is a line of no length: with round caps it shows as a dot.
    path = "".join("M" + " ".join(piece) + ("h0" if len(piece) == 1 else "") for piece in pieces)
    return _path(one, kind, path)


def _band(one: Series, axes: Axes) -> str:
    """Return the interval of a curve as an area, "" where it has none."""
    if one.low is None or one.high is None:
        return ""
    whole = np.isfinite(one.low) & np.isfinite(one.high)
    # There may be no logarithm of an end: both are cut at the same places only above the axis's foot.
    low, high = (np.maximum(end, axes.y[0]) if axes.log else end for end in (one.low, one.high))
    lows = _pieces(one.x, np.where(whole, low, math.nan), axes)
    highs = _pieces(one.x, np.where(whole, high, math.nan), axes)
    areas = zip(highs, lows, strict=True)
    path = "".join("M" + " ".join([*high, *reversed(low)]) + "Z" for high, low in areas)
    return _path(one, "band", path) if path else ""


def _pieces(x: np.ndarray, y: np.ndarray, axes: Axes) -> list[list[str]]:
    """Return the points of a curve in curve coordinates, cut where there is no number."""
    pieces: list[list[str]] = [[]]
    places = axes.across(x) * UNITS, np.clip(axes.down(y) * UNITS, -1e6, 1e6)
    for across, down in zip(*places, strict=True):
        if math.isfinite(down):
            point = f"{across:.1f},{down:.1f}".replace(".0,", ",").removesuffix(".0")
            pieces[-1].append(point)
        elif pieces[-1]:
            pieces.append([])
    return [piece for piece in pieces if piece]


def _path(one: Series, kind: str, path: str) -> str:
    dash = f' stroke-dasharray="{escape(one.dash)}"' if one.dash and kind == "strong" else ""
    return (
        f'<path class="{kind} {_colour(one.colour)}" data-name="{escape(one.name)}"{dash} '
        f'vector-effect="non-scaling-stroke" d="{path}"/>'
    )


def _mark(mark: Mark, axes: Axes) -> str:
    across, down = float(axes.across(mark.x)), float(axes.down(mark.y))
    if not 0 <= down <= 1:
        return ""
    return f'<circle class="mark" cx="{across:.2%}" cy="{down:.2%}" r="5.5"/>'


def _grid(axes: Axes, x_label: str, *, whole: bool) -> list[str]:
    across, down = ticks(*axes.x), log_ticks(*axes.y) if axes.log else ticks(*axes.y)
    across = [value for value in across if not whole or value == round(value)]
    names = [f"{value:g}" for value in down] if axes.log else tick_labels(down)
    lines = []
    for value, label in zip(down, names, strict=True):
        at = f"{axes.down(value):.2%}"
        lines.append(f'<line class="grid" x1="0" x2="100%" y1="{at}" y2="{at}"/>')
        lines.append(f'<text class="tick y" x="-9" y="{at}" dy=".35em">{label}</text>')
    for value, label in zip(across, tick_labels(across), strict=True):
        at = f"{axes.across(value):.2%}"
        lines.append(f'<text class="tick x" x="{at}" y="100%" dy="1.6em">{label}</text>')
    lines.append('<line class="axis" x1="0" x2="100%" y1="100%" y2="100%"/>')
    lines.append(f'<text class="label" x="100%" y="100%" dy="3.2em">{escape(x_label)}</text>')
    return lines


def _level(level: Level, axes: Axes) -> str:
    colour = "" if level.colour is None else f" {_colour(level.colour)}"
    height = f"{axes.down(level.value):.2%}"
    return f'<line class="level{colour}" x1="0" x2="100%" y1="{height}" y2="{height}"/>'


def _legend(
    series: Sequence[Series],
    newest: Sequence[str],
    levels: Sequence[Level],
    marks: Sequence[Mark],
) -> str:
    items = "".join(
        f'<li class="{_colour(one.colour)}">'
        f'<svg class="key"><line x1="0" x2="100%" y1="50%" y2="50%" '
        f'stroke-dasharray="{escape(one.dash) or "none"}"/></svg>'
        f"{escape(one.name)} <b>{value}</b></li>"
        for one, value in zip(series, newest, strict=True)
    )
    items += "".join(
        f'<li class="{"" if level.colour is None else _colour(level.colour)}"><svg class="key">'
        f'<line class="level" x1="0" x2="100%" y1="50%" y2="50%"/></svg>{escape(level.label)}</li>'
        for level in levels
    )
    items += "".join(
        '<li><svg class="key ring"><circle class="mark" cx="50%" cy="50%" r="4.5"/></svg>'
        f"{escape(mark.label)} <b>{_figure(mark.y)}</b></li>"
        for mark in marks
    )
    return f'<ul class="legend">{items}</ul>'


def _beyond(one: Series, axes: Axes) -> str:
    """Return the sentence that says how many values the axis leaves out."""
    finite = one.y[np.isfinite(one.y)]
    outside = finite[(finite < axes.y[0]) | (finite > axes.y[1])]
    if not outside.size:
        return ""
    furthest = outside[np.argmax(np.abs(outside - sum(axes.y) / 2))]
    return (
        f"{one.name}: {outside.size:,} of {finite.size:,} values lie outside the axis, "
        f"the furthest {_figure(float(furthest))}."
    )


def _gaps(one: Series) -> str:
    """Return the sentence that says how many entries have no number, and how many at the end."""
    finite = np.flatnonzero(np.isfinite(one.y))
    gaps = one.y.size - finite.size
    if not gaps:
        return ""
    last = one.y.size - 1 - finite[-1] if finite.size else 0
    end = f", among them the last {last:,}" if last else ""
    return f"{one.name}: {gaps:,} of {one.y.size:,} entries have no number{end}."


def _newest(values: np.ndarray) -> str:
    finite = values[np.isfinite(values)]
    return _figure(float(finite[-1])) if finite.size else "–"


def _figure(value: float) -> str:
    return significant(value) + " or beyond" * (abs(value) >= LARGEST)


def _bounded(values: np.ndarray | Sequence[float] | float) -> np.ndarray:
    """Return numbers within ``LARGEST``, 0 where they are nearer to it than its inverse, NaN as it was."""
    values = np.asarray(values, dtype=float)
    return np.where(np.abs(values) < 1 / LARGEST, 0.0, np.clip(values, -LARGEST, LARGEST))


def _colour(index: int) -> str:
    return f"series-{index % COLOURS + 1}"
