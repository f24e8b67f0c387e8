"""Which charts a log gives: the ones that figment knows, then one for every other group of keys."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from itertools import count

import numpy as np

from figment.report.labels import sentence_case, significant
from figment.report.plots import Level, Series, line_chart
from figment.report.reading import number

CLOCK = (
    "images",
    "rounds",
    "seconds",
    "open",
    "not_finite",
    "modes/all",
)  # what a line is about, not what it measured
MACHINE = ("speed", "memory")  # groups that tell of the machine, not of the game
SCORES = "metric"  # the group of metrics.jsonl's scores, which has them with their intervals
CLASSES = "class"  # what the doctor reads of single classes
ELSEWHERE = ("loss", "gradient", "watch", SCORES, CLASSES, *MACHINE)
LOG_2 = math.log(2)
NAMES = {
    "modes/reached": "Modes reached",
    "modes/high_quality": "Share of points near a mode",
    "score/class": "Labelled pictures told right",
    "score/held_out_class": "Held-out pictures told right",
    "score/guided": "Samples of the class asked for",
    "score/waited": "Rounds in which a player waited",
}
"""What single columns are called."""

PROBABILITIES = {
    "score/real": "D(real)",
    "score/held_out": "D(held-out)",
    "score/fake": "D(fake)",
}
LOGITS = {
    "score/real": "D logit of reals",
    "score/held_out": "D logit of held-out reals",
    "score/fake": "D logit of fakes",
}
"""What the same columns are called where the discriminator gives no probabilities."""
PROBABILISTIC = ("nonsaturating", "minimax")
"""The objectives in which it does."""
SIGNS = {"score/sign": "training pictures", "score/held_out_sign": "held-out pictures"}

VALUE = ("value/game", "value/above_minimum")
MODES = ("modes/reached", "modes/all", "modes/high_quality")
SHARES = ("score",)  # groups whose other columns are shares of a batch

# The same thing has the same colour in every chart.
COLOURS = {"discriminator": 0, "generator": 1, "D(real)": 2, "D(fake)": 3, "D(held-out)": 4}
COLOURS |= {LOGITS[key]: COLOURS[name] for key, name in PROBABILITIES.items()}

Log = Mapping[str, np.ndarray]


def training_charts(log: Log, fields: Mapping[str, object]) -> list[str]:
    """Return the charts of how the game went, each a ``<figure>``; none for an empty log.

    ``fields`` are the recipe's: they decide what the losses are at balance.
    """
    known = [
        _losses(log, fields),
        _probabilities(log, fields),
        _modes(log),
        _accuracy(log),
        _signs(log, fields),
        _gradients(log),
        _divergence(log),
        _value(log),
    ]
    taken = {*PROBABILITIES, *SIGNS, *MODES, "score/accuracy", "jsd", *VALUE, *CLOCK}
    others: dict[str, dict[str, str]] = {}
    for key in log:
        group, _, name = key.partition("/")
        if key not in taken and group not in ELSEWHERE:
            others.setdefault(group, {})[key] = NAMES.get(key) or _words(name or group)
    rest = [
        _chart(
            log,
            names,
            title=_title(group),
            y_range=_shares(log, names) if group in SHARES else None,
        )
        for group, names in others.items()
    ]
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


def watch_charts(log: Log) -> list[str]:
    """Return a chart of each thing that was watched on samples: they have scales of their own."""
    names = _members(log, "watch")
    if not names:
        return []
    from figment.doctor.signs import MEANING

    charts = []
    for key, name in names.items():
        measured = np.isfinite(log[key])  # not at every tick
        part = {"images": log["images"][measured], key: log[key][measured]}
        note = sentence_case(MEANING.get(key, ""))
        right = re.search(r"\b([01]) is right", note)
        levels = [Level(float(right[1]), f"as the reals: {right[1]}")] if right else []
        title, scale = sentence_case(name), _scale(part[key], note)
        note = f"{note}." if note else ""
        charts.append(
            _chart(part, {key: name}, scale, title=title, levels=levels, smoothing=0.6, note=note)
        )
    return [chart for chart in charts if chart]


def _scale(values: np.ndarray, meaning: str) -> tuple[float, float] | None:
    """Return the axis of what was watched: a share has 0 to 1, a ratio to the reals begins at 0."""
    low, high = float(values.min(initial=0.0)), float(values.max(initial=0.0))
    if low < 0:
        return None
    if meaning.startswith("Share") and "over the reals" not in meaning and high <= 1:
        return 0.0, 1.0
    return 0.0, 1.1 * max(high, 1.0 if "1 is right" in meaning else high) or 1.0


def column_title(key: str, objectives: Collection[object] = ()) -> str:
    """Return the title of a chart of one column: ``loss/generator`` is ``Loss, generator``.

    ``objectives`` are those of the runs that have it, where they are known.
    """
    group, _, name = key.partition("/")
    if key in PROBABILITIES:
        kinds = [LOGITS if gives_logits(one) else PROBABILITIES for one in objectives]
        return " or ".join(dict.fromkeys(kind[key] for kind in kinds or [PROBABILITIES]))
    if key in SIGNS:
        return f"Sign of the discriminator, {SIGNS[key]}"
    if key == "score/accuracy":
        return "Accuracy of the discriminator"
    if key in NAMES:
        return NAMES[key]
    if key == "jsd":
        return "Jensen–Shannon divergence, estimate"
    if group == "watch" and name:
        return f"Samples: {_words(name)}"
    titles = {"gradient": "Gradient norm"}
    title = titles.get(group) or _title(group)
    return f"{title}, {_words(name)}" if name else title


def _losses(log: Log, fields: Mapping[str, object]) -> str:
    levels = _balance(fields)
    note = "At balance: the losses of a discriminator that can only guess." if levels else ""
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
    discriminator = -2 * (mean * math.log(mean) + (1 - mean) * math.log(1 - mean))
    generator = -math.log(mean) if objective == "nonsaturating" else math.log(1 - mean)
    names = {2 * LOG_2: "2 log 2", LOG_2: "log 2", -LOG_2: "−log 2"}
    return [
        Level(value, f"{player} at balance: {names.get(value) or significant(value)}", colour)
        for player, value, colour in (("D", discriminator, 0), ("G", generator, 1))
    ]


def _modes(log: Log) -> str:
    if "modes/all" not in log:
        return ""
    total = _highest(log["modes/all"])
    return _chart(
        log,
        {"modes/reached": "reached"},
        (0.0, 1.1 * total),
        title=NAMES["modes/reached"],
        levels=[Level(total, f"all: {total:.0f}")],
        smoothing=0.0,
        note="A mode is reached by one of 2,500 samples within three standard deviations of its centre.",
    )


def gives_logits(objective: object) -> bool:
    """Return whether a discriminator's scores are logits by its objective; not where none is known."""
    return isinstance(objective, str) and objective not in PROBABILISTIC


def _probabilities(log: Log, fields: Mapping[str, object]) -> str:
    held = ""
    if _members(log, "score").keys() & {"score/held_out"}:
        held = " Held out: real pictures that it is never trained on; they part where it overfits."
    if gives_logits(fields.get("objective")) or not _within(log, PROBABILITIES, 0, 1):
        about = (
            "The discriminator's mean logits of real and generated pictures, which have no scale."
        )
        return _chart(log, LOGITS, title="Logits of the discriminator", note=about + held)
    return _chart(
        log,
        PROBABILITIES,
        title="D(real) and D(fake)",
        y_range=(0, 1),
        levels=[Level(0.5, "cannot tell: ½")],
        note="The discriminator's mean probability that real and generated pictures are real."
        + held,
    )


def _accuracy(log: Log) -> str:
    return _chart(
        log,
        {"score/accuracy": "accuracy"},
        title="Accuracy of the discriminator",
        y_range=(0, 1) if _within(log, ["score/accuracy"], 0, 1) else None,
        levels=[Level(0.5, "guessing: ½")],
    )


def _signs(log: Log, fields: Mapping[str, object]) -> str:
    adapts, target = fields.get("augment") == "ada", number(fields.get("ada_target"))
    return _chart(
        log,
        SIGNS,
        title="Sign of the discriminator on real pictures",
        y_range=(0, 1) if _within(log, SIGNS, 0, 1) else (-1, 1),
        levels=[Level(target, f"ADA's target: {target:g}")] if adapts and target else [],
        note="The mean sign of its logits: 1 where it calls each of them real. Far higher on training "
        "pictures than on held-out ones, it overfits (Karras et al. 2020).",
    )


def _gradients(log: Log) -> str:
    players = _members(log, "gradient")
    return _chart(
        log,
        players,
        title="Gradient norms",
        note="A generator whose norm sinks to 0 has stopped learning." if len(players) > 1 else "",
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


def _value(log: Log) -> str:
    return _chart(
        log,
        {"value/game": "V(D, G)"},
        title="Value of the game",
        levels=[Level(-2 * LOG_2, "its minimum for the best D: −log 4")],
        note="E log D(real) + E log(1 - D(fake)); twice the estimated divergence above -log 4.",
    )


def _chart(
    log: Log,
    names: Mapping[str, str],
    y_range: tuple[float, float] | None = None,
    *,
    title: str,
    levels: Sequence[Level] = (),
    smoothing: float = 0.9,
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
        series,
        title=title,
        x_label="real images seen",
        y_range=y_range,
        levels=levels,
        smoothing=smoothing,
        note=note,
    )


def _members(log: Log, group: str) -> dict[str, str]:
    """Return the keys of a group with their names: ``loss/generator`` is ``generator``."""
    return {
        key: _words(key.partition("/")[2] or group) for key in log if key.partition("/")[0] == group
    }


def _shares(log: Log, names: Mapping[str, str]) -> tuple[float, float] | None:
    """Return the axis of shares where the values are such."""
    return (0.0, 1.0) if _within(log, names, 0, 1) else None


def _within(log: Log, keys: Sequence[str] | Mapping[str, str], low: float, high: float) -> bool:
    values = np.concatenate([np.empty(0), *(log[key] for key in keys if key in log)])
    values = values[np.isfinite(values)]
    return bool(((values >= low) & (values <= high)).all())


def _highest(values: np.ndarray) -> float:
    return float(values[np.isfinite(values)].max(initial=0.0))


def _words(name: str) -> str:
    known = {"images_per_second": "images/s", "gib": "GiB", "r1": "R1", "r2": "R2"}
    known |= {"look_alikes": "look-alikes", "real_diversity": "diversity of the reals"}
    term, _, player = name.partition("/")
    words = known.get(term, term.replace("_", " "))
    return f"{words} ({player})" if player else words


def _title(group: str) -> str:
    titles = {"penalty": "Penalties", "score": "Shares of a batch"}
    return titles.get(group) or sentence_case(_words(group))
