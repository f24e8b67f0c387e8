"""What a run folder says: its recipe, machine, log as columns, pictures, scores and findings."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from figment.data.points import MIXTURES, Mixture
from figment.data.printing import clean, counted
from figment.doctor.finding import Finding
from figment.metrics.score import Score
from figment.report.judgement import (
    Evaluation,
    Measurement,
    read_evaluation,
    read_findings,
    read_measurements,
)
from figment.report.reading import items, mapping, number, read_note, read_object, read_rows, string

SAVED_STATE = ("state", "latest.safetensors")
"""Where a run's folder holds the weights that another run begins from."""
AUTOENCODER = "loss/autoencoder"
"""The column that only systems of an encoder and a decoder have."""


class Weights(NamedTuple):
    """What samples are drawn from: the best weights of a run, or else the latest."""

    images: float
    """Images that the generator had seen by then."""
    best: bool = False
    """Whether they were kept because they scored best; what follows is known of these alone."""
    score: str = ""
    value: float | None = None


@dataclass(frozen=True)
class Record:
    """The files of a run as far as they could be read; ``missing`` names the rest in sentences."""

    folder: Path
    recipe: dict = field(default_factory=dict)
    machine: dict = field(default_factory=dict)
    log: dict[str, np.ndarray] = field(default_factory=dict)
    samples: list[tuple[int, Path]] = field(default_factory=list)
    weights: Weights | None = None
    measurements: list[Measurement] = field(default_factory=list)
    evaluation: Evaluation | None = None
    findings: list[Finding] = field(default_factory=list)
    examined: float | None = None
    """Images that the run had seen when the doctor looked at it."""
    missing: list[str] = field(default_factory=list)
    rebuilt: Path | None = None
    """Real pictures beside what came back of them, where the system has codes."""

    @property
    def name(self) -> str:
        """The folder's own name, also where the folder was given as ``.``."""
        return self.folder.resolve().name

    @property
    def fields(self) -> dict:
        """The fields of the recipe, by name."""
        return mapping(self.recipe.get("fields"))

    @property
    def data(self) -> dict:
        """What the machine file says of the data."""
        return mapping(self.machine.get("data"))

    @property
    def points(self) -> bool:
        """Whether the run is one of points in the plane."""
        shape = self.data.get("shape")
        return isinstance(shape, list) and len(shape) == 1

    @property
    def mixture(self) -> Mixture | None:
        """The modes of the data, where they are known."""
        return MIXTURES.get(str(self.data.get("name"))) if self.points else None

    @property
    def chosen(self) -> list[str]:
        """Names of the fields that the user set, in the recipe's order."""
        return self._named("chosen")

    @property
    def taken(self) -> list[str]:
        """Names of the fields that came with the weights of another run, as its recipe had them."""
        return self._named("taken")

    @property
    def settled(self) -> list[str]:
        """Names of the fields that figment settled for these data and this machine."""
        return self._named("settled")

    @property
    def parent(self) -> str:
        """The run or the file whose weights this one began from, ``run dc``; "" of one from nothing.

        A name, never a path: reports and cards are given to others.
        """
        begun = mapping(self.machine.get("from"))
        path, run = Path(string(begun.get("path"))), string(begun.get("run"))
        if not run and path.parts[-2:] == SAVED_STATE:  # an earlier version named the file alone
            run = path.parent.parent.name
        return f"run {run}" if run else path.name

    @property
    def begun_from(self) -> str:
        """What this run began from, ``the weights of run dc (2,000 images)``, "" from nothing."""
        images = number(mapping(self.machine.get("from")).get("images"))
        seen = f" ({counted(int(images), 'image')})" if images else ""
        return f"the weights of {self.parent}{seen}" if self.parent else ""

    def _named(self, how: str) -> list[str]:
        names = items(mapping(self.machine.get("fields")).get(how))
        return [name for name in self.fields if name in names]

    @property
    def sizes(self) -> dict[str, float]:
        """How many parameters each network has, by name: of autoencoders, encoder and decoder apart."""
        parts = mapping(self.machine.get("coders"))
        sizes = mapping(self.machine.get("parameters"))
        if not parts and AUTOENCODER in self.log:  # an earlier version's, which counted both as one
            sizes = {
                "encoder and decoder" if name == "generator" else name: size
                for name, size in sizes.items()
            }
        rest = {name: size for name, size in sizes.items() if not parts or name != "generator"}
        found = {name: number(size) for name, size in (parts | rest).items()}
        return {name: size for name, size in found.items() if size is not None}

    @property
    def best_picture(self) -> Path | None:
        """The grid that the best weights draw, where they and it are there."""
        kept = self.weights
        return dict(self.samples).get(int(kept.images)) if kept and kept.best else None

    @property
    def passes(self) -> float | None:
        """How often the run has seen its data."""
        images, count = self.last("images"), number(self.data.get("count"))
        return images / count if images is not None and count else None

    @property
    def speed(self) -> float | None:
        """Images per second while rounds were played, over the whole run.

        Not over all of its time: preparation and scores would make a short run look slow.
        """
        speeds = self.log.get("speed/images_per_second", np.empty(0))
        if not speeds.size:
            return None
        images = np.diff(self.log["images"], prepend=0.0)
        counts = np.isfinite(speeds) & (speeds > 0) & (images > 0)
        taken = float((images[counts] / speeds[counts]).sum())
        return float(images[counts].sum()) / taken if taken > 0 else None

    def last(self, key: str, until: float = math.inf) -> float | None:
        """Return the newest finite value of a column of the log, None where there is none.

        ``until``: images seen after which nothing counts.
        """
        column = self.log.get(key, np.empty(0))
        counts = np.isfinite(column) & (self.log["images"] <= until if column.size else True)
        return float(column[counts][-1]) if counts.any() else None

    @property
    def modes(self) -> str:
        """Modes that the weights reach which samples are drawn from, ``6 of 8``; "" if none is known."""
        until = self.weights.images if self.weights else math.inf
        reached, total = self.last("modes/reached", until), self.last("modes/all")
        return "" if reached is None or total is None else f"{reached:.0f} of {total:.0f}"


def read_run(folder: Path) -> Record:
    """Return the record of a run folder; what is missing or broken is said, never raised."""
    missing: list[str] = []
    recipe = read_object(folder / "recipe.json", missing)
    machine = read_object(folder / "machine.json", missing)
    log = _read_log(folder / "log.jsonl", missing)
    samples = sorted(
        (int(path.stem), path)
        for path in folder.glob("samples/*.png")
        if path.stem.isascii() and path.stem.isdigit() and len(path.stem) < 20 and path.is_file()
    )
    if not samples:
        missing.append("samples/ holds no picture yet.")
    examined, findings = read_findings(folder / "doctor.json", missing)
    return Record(
        folder,
        recipe,
        machine,
        log,
        samples,
        _read_weights(folder, missing),
        read_measurements(folder / "metrics.jsonl", missing),
        read_evaluation(folder / "evaluation.json", missing),
        findings,
        examined,
        missing,
        rebuilt if (rebuilt := folder / "reconstructions.png").is_file() else None,
    )


def _read_weights(folder: Path, missing: list[str]) -> Weights | None:
    """Return which weights samples are drawn from, as the files themselves say."""
    best = folder / "best.safetensors"
    if best.exists():
        note = read_note(best)
        images = number(note.get("images"))
        if images is not None:
            name, value = string(note.get("score")), number(note.get("value"))
            shown = None if value is None else Score(name, value).shown().value
            return Weights(images, True, name, shown)
        missing.append("best.safetensors cannot be read.")
    moments = [path.stem for path in folder.glob("snapshots/*.safetensors")]
    found = [int(stem) for stem in moments if stem.isascii() and stem.isdigit()]
    return Weights(max(found)) if found else None


def _read_log(path: Path, missing: list[str]) -> dict[str, np.ndarray]:
    """Return the columns of the log, each as long as the log, NaN where a line lacks a value."""
    rows = read_rows(path, missing)
    if not rows:
        state = "is missing" if rows is None else "is empty"
        missing.append(f"log.jsonl {state}: the run has not finished a tick.")
        return {}
    keys = dict.fromkeys(key for row in rows for key in row)
    return {clean(key): np.array([_value(row.get(key)) for row in rows]) for key in keys}


def _value(value: object) -> float:
    found = number(value)
    return math.nan if found is None else found
