"""Reading a run's JSON files as far as they can be read: what is broken is reported, never raised."""

from __future__ import annotations

from pathlib import Path

from figment import records, tensors
from figment.data.printing import clean
from figment.records import Unreadable, number

__all__ = ["items", "mapping", "number", "read_note", "read_object", "read_rows", "string"]


def mapping(value: object) -> dict:
    """Return a JSON object as it is, {} for anything else."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list:
    """Return a JSON list as it is, [] for anything else."""
    return value if isinstance(value, list) else []


def string(value: object) -> str:
    """Return a JSON string, "" for anything else; half letters and what steers a terminal written out."""
    return clean(value) if isinstance(value, str) else ""


def read_object(path: Path, problems: list[str], *, needed: bool = True) -> dict:
    """Return the JSON object of a file, {} where there is none; what is wrong is added to ``problems``.

    A missing file is a problem only where it is ``needed``.
    """
    try:
        return records.read_object(path)
    except FileNotFoundError:
        problems += [f"{path.name} is missing."] if needed else []
    except Unreadable as error:
        problems.append(f"{path.name} cannot be read ({error}).")
    return {}


def read_note(path: Path) -> dict:
    """Return what the metadata of a safetensors file say beside the recipe, {} where it cannot be read."""
    try:
        return tensors.read_note(path)
    except (OSError, Unreadable):
        return {}


def read_rows(path: Path, problems: list[str]) -> list[dict] | None:
    """Return the lines of a JSON-lines file that have ``images``, by increasing images.

    None where there is no file. A broken line is added to ``problems``, but not a last one: a killed run
    leaves that cut off. A run resumed from an older state plays some images again: newer lines hold.
    """
    if not path.exists():
        return None
    try:
        found, broken = records.read_lines(path)
    except Unreadable as error:
        problems.append(f"{path.name} cannot be read ({error}).")
        return None
    rows: list[dict] = []
    for row in found:
        while rows and rows[-1]["images"] >= row["images"]:
            rows.pop()
        rows.append(row)
    if broken:
        problems.append(f"{broken} line{'s' * (broken > 1)} of {path.name} cannot be read.")
    return rows
