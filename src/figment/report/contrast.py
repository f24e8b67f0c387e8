"""What tells runs apart, as tables of text: facts, scores of one protocol each, fields of recipes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from figment.errors import UserError, nearest
from figment.fields import neutral
from figment.report import labels
from figment.report.facts import data_words, device_words
from figment.report.judgement import Course, Measurement, courses
from figment.report.reading import mapping, number
from figment.report.record import Record, read_run
from figment.techniques import Fields
from figment.units import duration

LACKING = "–"
BEST, OVERLAPS = " *", " ~"
MARKS = "* the best; ~ its 95 % interval overlaps the best's."


class Contender(NamedTuple):
    """A run among others."""

    name: str
    """Its folder's name, with as many folders above it as it takes to be the only one so called."""
    record: Record
    courses: list[Course]
    """Its scores, during the training and of its evaluation."""


class Table(NamedTuple):
    """Rows of text, the first cell of each a name."""

    title: str
    head: list[str]
    rows: list[list[str]]
    note: str = ""


class Ranking(NamedTuple):
    """One score, measured the same way against the same data, of all runs that have it."""

    name: str
    """The score, and its class."""
    better: str
    """In words."""
    data: str
    """What tells the data apart, "" where all runs have the same."""
    protocol: str
    group: str
    entries: list[tuple[int, Course]]
    """Number of the run, and its course."""

    @property
    def title(self) -> str:
        """All of these in one line."""
        return _titled(f"{self.name}, {self.better}", self.data)

    @property
    def runs(self) -> list[int]:
        """Numbers of the runs that have it."""
        return [index for index, _ in self.entries]

    @property
    def through(self) -> bool:
        """Whether it was measured more than once in a run."""
        return any(len(course.moments) > 1 for _, course in self.entries)

    @property
    def best(self) -> tuple[int, Course]:
        """The run with the best score, of the weights that it samples from."""
        return min(self.entries, key=lambda entry: entry[1].kept.score.badness)

    @property
    def notes(self) -> str:
        """The reasons to be careful."""
        notes = dict.fromkeys(course.score.note for _, course in self.entries)
        return "; ".join(filter(None, notes))

    @property
    def how(self) -> str:
        """The protocol, and the reasons to be careful."""
        return "; ".join(filter(None, (self.protocol, self.notes)))

    def mark(self, index: int) -> str:
        """Return what stands behind a run's best score: whether it is the best of all."""
        number, leader = self.best
        if len(self.entries) < 2:
            return ""
        one, best = dict(self.entries)[index].kept.score, leader.kept.score
        if index == number or one.badness == best.badness:
            return BEST
        ends = (one.low, one.high, best.low, best.high)
        low, high, best_low, best_high = (math.nan if end is None else end for end in ends)
        return OVERLAPS if low <= best_high and best_low <= high else ""


def contenders(runs: Sequence[Path]) -> list[Contender]:
    """Return the runs with names that tell them apart. Raises UserError unless they are two or more."""
    places = [Path(run).resolve() for run in runs]
    for run, place in zip(runs, places, strict=True):
        if not (place / "recipe.json").is_file():
            raise UserError(_no_run(Path(run)))
        if places.count(place) > 1:
            raise UserError(f"{run} is given twice: give each run once")
    if len(runs) < 2:
        raise UserError("compare needs at least two run folders: name another")
    names = _names(places)
    found = []
    for name, run in zip(names, runs, strict=True):
        record = read_run(Path(run))
        at = record.weights.images if record.weights else None
        measured = courses([*record.measurements, *_evaluated(record)], at)
        found.append(Contender(name, record, measured))
    return found


def facts(runs: Sequence[Contender]) -> Table:
    """Return what each run is and how far it got."""
    machines = [device_words(run.record.machine) or LACKING for run in runs]
    differ = len(set(machines)) > 1
    counted = any("modes/reached" in run.record.log for run in runs)
    rows = []
    for (name, record, _), machine in zip(runs, machines, strict=True):
        images, seconds = record.last("images"), record.last("seconds")
        sizes = mapping(record.machine.get("parameters"))
        counts = [number(sizes.get(player)) for player in ("generator", "discriminator")]
        cells = [
            str(record.recipe.get("recipe") or LACKING),
            ", ".join(filter(None, (_data_name(record), data_words(record.data)))) or LACKING,
            LACKING if images is None else labels.count(images),
            LACKING if seconds is None else duration(seconds),
            LACKING if record.speed is None else labels.significant(record.speed),
            " + ".join(LACKING if count is None else labels.amount(count) for count in counts),
        ]
        cells += [record.modes or LACKING] if counted else []
        rows.append([name, *cells, *([machine] if differ else [])])
    head = ["run", "recipe", "data", "images", "time", "images/s", "parameters, G + D"]
    head += ["modes reached"] if counted else []
    note = "" if differ or machines[0] == LACKING else f"All on {machines[0]}."
    return Table("Runs", [*head, *(["machine"] if differ else [])], rows, note)


def rankings(runs: Sequence[Contender]) -> list[Ranking]:
    """Return the scores, each with the runs that it can be compared between.

    Those that most runs share come first. Runs stand in one ranking only where score, protocol, class
    and data are equal.
    """
    found: dict[tuple[str, ...], list[tuple[int, Course]]] = {}
    for index, run in enumerate(runs):
        for course in run.courses:
            score = course.score
            key = (score.name, score.protocol, score.group, _data_key(run))
            found.setdefault(key, []).append((index, course))
    several = len({_data_key(run) for run in runs}) > 1
    ranked = []
    for (_, protocol, group, data), entries in found.items():
        first = runs[entries[0][0]].record
        about = f"{_data_name(first)} ({data[:6]})" if several else ""
        score = entries[0][1].score
        title = f"{labels.score(score)}{f', {group}' if group else ''}"
        better = labels.BETTER[score.better]
        ranked.append(Ranking(title, better, about, protocol, group, entries))
    return sorted(ranked, key=lambda one: (one.group != "", -len(one.entries)))


def ranking_table(one: Ranking, runs: Sequence[Contender]) -> Table:
    """Return the score of the weights that each run samples from, and its newest one."""
    rows = []
    for index, course in one.entries:
        kept, last = course.kept, course.last
        cells = [
            f"{labels.significant(kept.score.value)}{one.mark(index)}",
            labels.interval(kept.score.low, kept.score.high) or LACKING,
            labels.count(kept.images),
            labels.significant(last.score.value),
            labels.interval(last.score.low, last.score.high) or LACKING,
            labels.count(last.images),
            _floor(last.score.floor),
        ]
        rows.append([runs[index].name, *cells])
    between = ["95 % interval", "after images"]
    head = ["run", "of its weights", *between, "last", *between]
    return Table(one.title, [*head, labels.FLOOR], rows, one.how)


def ranking_tables(ranked: Sequence[Ranking], runs: Sequence[Contender]) -> list[Table]:
    """Return such a table for each score; a protocol is told by the first that has it."""
    tables, told = [], set()
    for one in ranked:
        table = ranking_table(one, runs)
        if one.protocol in told:
            table = table._replace(note="; ".join(filter(None, ("Protocol as above", one.notes))))
        told |= {one.protocol} - {""}
        tables.append(table)
    return tables


def evaluations(ranked: Sequence[Ranking]) -> list[list[Ranking]]:
    """Return the scores in parts that fill a table each: those of the same runs."""
    parts: dict[tuple[int, ...], list[Ranking]] = {}
    for one in ranked:
        parts.setdefault(tuple(one.runs), []).append(one)
    return list(parts.values())


def evaluation_table(ranked: Sequence[Ranking], runs: Sequence[Contender]) -> Table:
    """Return scores of the same runs, a row a score and protocol, a column a run.

    Where protocols differ, a mark behind the name refers to the note, which has each of them once.
    """
    rows = []
    protocols = labels.marked(one.protocol for one in ranked)
    for one, mark in zip(ranked, marks(ranked), strict=True):
        cells = []
        for index, course in one.entries:
            score = course.kept.score
            between = labels.interval(score.low, score.high)
            figure = f"{labels.significant(score.value)}{one.mark(index)}"
            cells.append(f"{figure} ({between})" if between else figure)
        floors = dict.fromkeys(_floor(course.kept.score.floor) for _, course in one.entries)
        rows.append([f"{one.name}{mark}, {one.better}", *cells, " / ".join(floors)])
    head = ["score", *(runs[index].name for index in ranked[0].runs), labels.FLOOR]
    lines = [f"{mark} {protocol}".strip() for protocol, mark in protocols.items()]
    return Table(_titled("Evaluation", ranked[0].data), head, rows, "\n".join(lines))


def marks(ranked: Sequence[Ranking]) -> list[str]:
    """Return what stands behind the name of each score: which protocol is its own, where they differ."""
    found = labels.marked(one.protocol for one in ranked)
    return [f" {found[one.protocol]}" if found.get(one.protocol) else "" for one in ranked]


def differences(runs: Sequence[Contender], *, settled: bool = False) -> Table:
    """Return the fields of the recipes that are not equal in all runs; what a run lacks is a dash.

    Those that somebody chose, or with ``settled`` those that figment settled by itself, for the data, the
    machine or the time.
    """
    written = [{"recipe": run.record.recipe.get("recipe"), **run.record.fields} for run in runs]
    names = list(dict.fromkeys(name for fields in written for name in fields))
    rows, equal, off = [], 0, 0
    for name in names:
        values = [labels.plain(fields[name]) if name in fields else LACKING for fields in written]
        if len(set(values)) == 1:
            equal += 1
        elif LACKING in values and {*values} <= {LACKING, _off(name)}:
            off += 1
        elif _by_figment(name, runs) == settled:
            rows.append([name, *values])
    note = f"{equal} field{'s are' if equal != 1 else ' is'} equal."
    note += f" {off} that not all have are off in the others." if off else ""
    title = "Settled by figment" if settled else "Recipes"
    return Table(title, ["field", *(run.name for run in runs)], rows, "" if settled else note)


def _off(name: str) -> str:
    """Return the value at which a technique's field does nothing, "" of other fields."""
    return labels.plain(neutral(Fields, name)) if name in Fields.__dataclass_fields__ else ""


def _by_figment(name: str, runs: Sequence[Contender]) -> bool:
    """Return whether nobody chose a field, for this run or another, and figment settled it in some run."""
    chosen = any(name in (*run.record.chosen, *run.record.taken) for run in runs)
    return not chosen and any(name in run.record.settled for run in runs)


def scoreless(runs: Sequence[Contender], ranked: Sequence[Ranking]) -> list[str]:
    """Return the sentences that say which scores are missing or cannot be compared."""
    sentences = []
    without = [run.name for run in runs if not run.courses]
    if without:
        verb = "has" if len(without) == 1 else "have"
        sentences.append(
            f"{labels.listed(without)} {verb} no scores: `figment evaluate RUN` measures them."
        )
    measured = [index for index, run in enumerate(runs) if run.courses]
    if len(measured) > 1 and not any(len(one.entries) == len(measured) for one in ranked):
        sentences.append(
            "No score was measured in the same way and against the same data in all of them: "
            "each protocol has a table of its own."
        )
    return sentences


def _evaluated(record: Record) -> list[Measurement]:
    """Return an evaluation as the measurement of a moment."""
    found = record.evaluation
    if found is None:
        return []
    images = found.images if found.images is not None else record.last("images") or 0.0
    return [Measurement(images, _seconds_at(record, images), found.scores)]


def _seconds_at(record: Record, images: float) -> float | None:
    """Return when a run had seen so many images, None where its log does not say."""
    seen, seconds = record.log.get("images"), record.log.get("seconds")
    if seen is None or seconds is None:
        return None
    return next((float(s) for i, s in zip(seen, seconds, strict=True) if i >= images), None)


def _titled(title: str, data: str) -> str:
    return f"{title} – {data}" if data else title


def _data_key(run: Contender) -> str:
    return str(run.record.data.get("fingerprint") or run.name)


def _floor(value: float | None) -> str:
    return LACKING if value is None else labels.significant(value)


def _data_name(record: Record) -> str:
    return str(record.data.get("name") or "")


def _names(places: Sequence[Path]) -> list[str]:
    """Return the shortest ends of the paths that tell them apart."""
    depth = 1
    while True:
        names = ["/".join(place.parts[-depth:]) for place in places]
        if len(set(names)) == len(names):
            return names
        depth += 1


def _no_run(run: Path) -> str:
    if run.exists():
        return (
            f"{run} is not a run: it holds no recipe.json; give folders that `figment train` made"
        )
    beside = [path.name for path in run.parent.iterdir()] if run.parent.is_dir() else []
    return f"there is no run {run}.{nearest(run.name, beside)}"
