"""Which charts a log gives: the ones that figment knows, then one for every other group of keys."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import count

import numpy as np

from figment.report.plots import Level, Series, line_chart
from figment.report.record import number
from figment.report.words import significant

CLOCK = ("images", "rounds", "seconds", "open")  # what a line is about, not what it measured
MACHINE = ("speed", "memory")  # groups that tell of the machine, not of the game
LOG_2 = math.log(2)

# The same thing has the same colour in every chart.
COLOURS = {"discriminator": 0, "generator": 1, "D(real)": 2, "D(fake)": 3}

Log = Mapping[str, np.ndarray]


def training_charts(log: Log, fields: Mapping[str, object]) -> list[str]:
    """Return the charts of how the game went, each a ``<figure>``; none for an empty log.

    ``fields`` are the recipe's: they decide what the losses are at balance.
    """
    known = [
        _losses(log, fields),
        _probabilities(log),
        _accuracy(log),
        _gradients(log),
        _divergence(log),
    ]
    taken = {"score/real", "score/fake", "score/accuracy", "jsd", *CLOCK}
    others: dict[str, dict[str, str]] = {}
    for key in log:
        group, _, name = key.partition("/")
        if key not in taken and group not in ("loss", "gradient", *MACHINE):
            others.setdefault(group, {})[key] = _words(name or group)
    rest = [_chart(log, names, title=_title(group)) for group, names in others.items()]
    return [chart for chart in [*known, *rest] if chart]


def machine_charts(log: Log) -> list[str]:
    """Return the charts of what the machine did: speed and memory."""
    charts = []
    for group in MACHINE:
        names = _members(log, group)
        highest = max((_highest(log[key]) for key in names), default=0.0)
        scale = (0.0, 1.15 * highest) if highest > 0 else None
        charts.append(_chart(log, names, title=_title(group), y_range=scale))
    return [chart for chart in charts if chart]


def _losses(log: Log, fields: Mapping[str, object]) -> str:
    levels = _balance(fields)
    note = "Dotted: the losses of a discriminator that can only guess." if levels else ""
    return _chart(log, _members(log, "loss"), title="Loss", levels=levels, note=note)


def _balance(fields: Mapping[str, object]) -> list[Level]:
    """Return the two losses where no discriminator can tell real from fake.

    With labels a and b for real and fake the best that it can say is m = (a + b) / 2 of every
    picture: its loss is then 2 H(m), the generator's -log m or log(1 - m). Hard labels: m = ½.
    """
    labels = number(fields.get("real_target", 1.0)), number(fields.get("fake_target", 0.0))
    objective = fields.get("objective")
    if None in labels or objective not in ("nonsaturating", "minimax"):
        return []
    mean = sum(label for label in labels if label is not None) / 2
    if not 0 < mean < 1:
        return []
    judge = -2 * (mean * math.log(mean) + (1 - mean) * math.log(1 - mean))
    maker = -math.log(mean) if objective == "nonsaturating" else math.log(1 - mean)
    names = {2 * LOG_2: "2 log 2", LOG_2: "log 2", -LOG_2: "−log 2"}
    return [
        Level(value, f"{player} at balance: {names.get(value) or significant(value)}", colour)
        for player, value, colour in (("D", judge, 0), ("G", maker, 1))
    ]


def _probabilities(log: Log) -> str:
    names = {"score/real": "D(real)", "score/fake": "D(fake)"}
    title = "D(real) and D(fake)"
    if not _within(log, names, 0, 1):  # a critic gives scores without a scale
        return _chart(log, names, title=title)
    return _chart(
        log,
        names,
        title=title,
        y_range=(0, 1),
        levels=[Level(0.5, "cannot tell: ½")],
        note="The discriminator's mean probability that real and generated pictures are real.",
    )


def _accuracy(log: Log) -> str:
    return _chart(
        log,
        {"score/accuracy": "accuracy"},
        title="Accuracy of the discriminator",
        y_range=(0, 1) if _within(log, ["score/accuracy"], 0, 1) else None,
        levels=[Level(0.5, "guessing: ½")],
    )


def _gradients(log: Log) -> str:
    return _chart(
        log,
        _members(log, "gradient"),
        title="Gradient norms",
        note="A generator whose norm sinks to 0 has stopped learning.",
    )


def _divergence(log: Log) -> str:
    return _chart(
        log,
        {"jsd": "estimate"},
        title="Jensen–Shannon divergence",
        y_range=(0, 0.75) if _within(log, ["jsd"], 0, 0.75) else None,
        levels=[Level(LOG_2, "nothing in common: log 2")],
        note="A lower bound by the discriminator's loss, in nats; 0 where it can only guess.",
    )


def _chart(
    log: Log,
    names: Mapping[str, str],
    *,
    title: str,
    y_range: tuple[float, float] | None = None,
    levels: Sequence[Level] = (),
    note: str = "",
) -> str:
    """Return the chart of those columns (key → name) that hold a number, "" if none does."""
    present = {key: name for key, name in names.items() if np.isfinite(log.get(key, [])).any()}
    if not present:
        return ""
    taken = {COLOURS[name] for name in present.values() if name in COLOURS}
    free = (index for index in count() if index not in taken)
    series = [
        Series(name, log["images"], log[key], COLOURS[name] if name in COLOURS else next(free))
        for key, name in present.items()
    ]
    return line_chart(
        series, title=title, x_label="real images seen", y_range=y_range, levels=levels, note=note
    )


def _members(log: Log, group: str) -> dict[str, str]:
    """Return the keys of a group with their names: ``loss/generator`` is ``generator``."""
    return {
        key: _words(key.partition("/")[2] or group) for key in log if key.partition("/")[0] == group
    }


def _within(log: Log, keys: Sequence[str] | Mapping[str, str], low: float, high: float) -> bool:
    values = np.concatenate([np.empty(0), *(log[key] for key in keys if key in log)])
    values = values[np.isfinite(values)]
    return bool(((values >= low) & (values <= high)).all())


def _highest(values: np.ndarray) -> float:
    return float(values[np.isfinite(values)].max(initial=0.0))


def _words(name: str) -> str:
    known = {"images_per_second": "images/s", "gib": "GiB", "r1": "R1", "r2": "R2"}
    return known.get(name, name.replace("_", " "))


def _title(group: str) -> str:
    words = _words(group)
    return words[:1].upper() + words[1:]
