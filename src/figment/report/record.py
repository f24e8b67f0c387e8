"""What a run folder says: its recipe, machine, log as columns, pictures, scores and findings."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from figment.doctor.finding import Finding
from figment.report.judgement import (
    Evaluation,
    Measurement,
    read_evaluation,
    read_findings,
    read_measurements,
)
from figment.report.reading import mapping, number, read_object, read_rows


@dataclass(frozen=True)
class Record:
    """The files of a run as far as they could be read; ``missing`` names the rest in sentences."""

    folder: Path
    recipe: dict = field(default_factory=dict)
    machine: dict = field(default_factory=dict)
    log: dict[str, np.ndarray] = field(default_factory=dict)
    samples: list[tuple[int, Path]] = field(default_factory=list)
    measurements: list[Measurement] = field(default_factory=list)
    evaluation: Evaluation | None = None
    findings: list[Finding] = field(default_factory=list)
    examined: float | None = None
    """Images that the run had seen when the doctor looked at it."""
    missing: list[str] = field(default_factory=list)

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
    def passes(self) -> float | None:
        """How often the run has seen its data."""
        images, count = self.last("images"), number(self.data.get("count"))
        return images / count if images is not None and count else None

    @property
    def speed(self) -> float | None:
        """Images per second over the whole run."""
        images, seconds = self.last("images"), self.last("seconds")
        return images / seconds if images is not None and seconds else None

    def last(self, key: str) -> float | None:
        """Return the newest finite value of a column of the log, None where there is none."""
        column = self.log.get(key, np.empty(0))
        finite = column[np.isfinite(column)]
        return float(finite[-1]) if finite.size else None


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
        read_measurements(folder / "metrics.jsonl", missing),
        read_evaluation(folder / "evaluation.json", missing),
        findings,
        examined,
        missing,
    )


def _read_log(path: Path, missing: list[str]) -> dict[str, np.ndarray]:
    """Return the columns of the log, each as long as the log, NaN where a line lacks a value."""
    rows = read_rows(path, missing)
    if not rows:
        state = "is missing" if rows is None else "is empty"
        missing.append(f"log.jsonl {state}: the run has not finished a tick.")
        return {}
    keys = dict.fromkeys(key for row in rows for key in row)
    return {key: np.array([_value(row.get(key)) for row in rows]) for key in keys}


def _value(value: object) -> float:
    found = number(value)
    return math.nan if found is None else found
