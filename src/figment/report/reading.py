"""Reading a run's JSON files as far as they can be read: what is broken is reported, never raised."""

from __future__ import annotations

import json
import math
from pathlib import Path

LARGEST_HEAD = 10_000_000  # bytes of a safetensors file's head


def number(value: object) -> float | None:
    """Return a finite JSON number as a float, None for anything else (also for true and false)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def mapping(value: object) -> dict:
    """Return a JSON object as it is, {} for anything else."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list:
    """Return a JSON list as it is, [] for anything else."""
    return value if isinstance(value, list) else []


def string(value: object) -> str:
    """Return a JSON string as it is, "" for anything else."""
    return value if isinstance(value, str) else ""


def read_object(path: Path, problems: list[str], *, needed: bool = True) -> dict:
    """Return the JSON object of a file, {} where there is none; what is wrong is added to ``problems``.

    A missing file is a problem only where it is ``needed``.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        problems += [f"{path.name} is missing."] if needed else []
        return {}
    except (OSError, ValueError):
        problems.append(f"{path.name} cannot be read as JSON.")
        return {}
    if not isinstance(value, dict):
        problems.append(f"{path.name} holds no JSON object.")
    return mapping(value)


def read_note(path: Path) -> dict:
    """Return what the metadata of a safetensors file say beside the recipe, {} where it cannot be read.

    Only the head of the file is read: 8 bytes of length, then JSON.
    """
    try:
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            head = json.loads(file.read(min(length, LARGEST_HEAD)))
        return mapping(json.loads(mapping(mapping(head).get("__metadata__")).get("figment", "")))
    except (OSError, ValueError, TypeError):
        return {}


def read_rows(path: Path, problems: list[str]) -> list[dict] | None:
    """Return the lines of a JSON-lines file that have ``images``, by increasing images.

    None where there is no file. A broken line is added to ``problems``, but not a last one: a killed run
    leaves that cut off. A run resumed from an older state plays some images again: newer lines hold.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    rows: list[dict] = []
    broken = 0
    for position, line in enumerate(lines):
        row = _row(line)
        if row is None:
            broken += bool(line.strip()) and position < len(lines) - 1
            continue
        while rows and rows[-1]["images"] >= row["images"]:
            rows.pop()
        rows.append(row)
    if broken:
        problems.append(f"{broken} line{'s' * (broken > 1)} of {path.name} cannot be read.")
    return rows


def _row(line: str) -> dict | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and number(row.get("images")) is not None else None
