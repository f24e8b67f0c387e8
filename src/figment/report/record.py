"""What a run folder says: its recipe, its machine, its log as columns, its sample pictures."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Record:
    """The files of a run as far as they could be read; ``missing`` names the rest in sentences."""

    folder: Path
    recipe: dict = field(default_factory=dict)
    machine: dict = field(default_factory=dict)
    log: dict[str, np.ndarray] = field(default_factory=dict)
    samples: list[tuple[int, Path]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The folder's own name, also where the folder was given as ``.``."""
        return self.folder.resolve().name

    @property
    def fields(self) -> dict:
        """The fields of the recipe, by name."""
        return _mapping(self.recipe.get("fields"))

    @property
    def data(self) -> dict:
        """What the machine file says of the data."""
        return _mapping(self.machine.get("data"))

    def last(self, key: str) -> float | None:
        """Return the newest finite value of a column of the log, None where there is none."""
        column = self.log.get(key, np.empty(0))
        finite = column[np.isfinite(column)]
        return float(finite[-1]) if finite.size else None


def read_run(folder: Path) -> Record:
    """Return the record of a run folder; what is missing or broken is said, never raised."""
    missing: list[str] = []
    recipe = _read_json(folder / "recipe.json", missing)
    machine = _read_json(folder / "machine.json", missing)
    log = _read_log(folder / "log.jsonl", missing)
    samples = sorted(
        (int(path.stem), path)
        for path in folder.glob("samples/*.png")
        if path.stem.isascii() and path.stem.isdigit()
    )
    if not samples:
        missing.append("samples/ holds no picture yet.")
    return Record(folder, recipe, machine, log, samples, missing)


def number(value: object) -> float | None:
    """Return a finite JSON number as a float, None for anything else (also for true and false)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _read_json(path: Path, missing: list[str]) -> dict:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        missing.append(f"{path.name} is missing.")
        return {}
    except (OSError, ValueError):
        missing.append(f"{path.name} cannot be read as JSON.")
        return {}
    if not isinstance(value, dict):
        missing.append(f"{path.name} holds no JSON object.")
    return _mapping(value)


def _read_log(path: Path, missing: list[str]) -> dict[str, np.ndarray]:
    """Return the columns of the log, each as long as the log, NaN where a line lacks a value."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        missing.append("log.jsonl is missing: the run has not finished a tick.")
        return {}
    rows: list[dict] = []
    broken = 0
    for position, line in enumerate(lines):
        row = _row(line)
        if row is None:
            # A killed run leaves its last line cut off; that is no news.
            broken += bool(line.strip()) and position < len(lines) - 1
            continue
        # A run resumed from an older state plays some images again: the newer lines hold.
        while rows and rows[-1]["images"] >= row["images"]:
            rows.pop()
        rows.append(row)
    if broken:
        missing.append(f"{broken} line{'s' * (broken > 1)} of log.jsonl cannot be read.")
    if not rows:
        missing.append("log.jsonl is empty: the run has not finished a tick.")
    keys = dict.fromkeys(key for row in rows for key in row)
    return {key: np.array([_value(row.get(key)) for row in rows]) for key in keys}


def _row(line: str) -> dict | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and number(row.get("images")) is not None else None


def _value(value: object) -> float:
    found = number(value)
    return math.nan if found is None else found


def _mapping(value: object) -> dict:
    return value if isinstance(value, dict) else {}
