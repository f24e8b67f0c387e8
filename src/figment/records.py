"""Reading JSON that anybody may have written: real files only, of bounded size, whatever they hold."""

from __future__ import annotations

import json
import math
import os
import stat
from pathlib import Path
from typing import Any

LARGEST = 8 << 20
"""Bytes of a JSON file, such as recipe.json."""
LARGEST_LINES = 64 << 20
"""Bytes of a file of lines, such as log.jsonl: about 60,000 lines of a training."""
LONGEST_LINE = 1 << 18
MOST_LINES = 200_000


class Unreadable(ValueError):
    """A file is not what figment writes; the text says why, in a few words without a full stop."""


def regular(path: Path, most: int | None = None) -> None:
    """Raise Unreadable for what is no real file (a pipe, a device), or larger than ``most`` bytes.

    Raises FileNotFoundError where there is none.
    """
    try:
        status = os.stat(path)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise Unreadable(getattr(error, "strerror", None) or str(error)) from None
    if not stat.S_ISREG(status.st_mode):
        raise Unreadable("it is no file")
    if most is not None and status.st_size > most:
        raise Unreadable(f"{status.st_size / 2**20:,.0f} MiB are more than figment writes")


def read_json(path: Path) -> Any:
    """Return what a JSON file holds. Raises Unreadable with the reason; FileNotFoundError."""
    return parsed(_text(path, LARGEST))


def read_object(path: Path) -> dict[str, Any]:
    """Return the object that a JSON file holds. Raises Unreadable with the reason; FileNotFoundError."""
    value = read_json(path)
    if not isinstance(value, dict):
        raise Unreadable("it holds no JSON object")
    return value


def read_lines(path: Path) -> tuple[list[dict[str, Any]], int]:
    """Return the objects of a JSON-lines file that say ``images``, and how many lines say nothing.

    A last line that says nothing does not count: a kill cuts it off. No file is no lines. Raises
    Unreadable for a file that is too large, or none.
    """
    try:
        lines = _text(path, LARGEST_LINES).splitlines()
    except FileNotFoundError:
        return [], 0
    if len(lines) > MOST_LINES:
        raise Unreadable(f"{len(lines):,} lines are more than figment writes")
    rows = [_row(line) for line in lines]
    broken = sum(row is None and bool(line.strip()) for row, line in zip(rows, lines, strict=True))
    if rows and rows[-1] is None:
        broken -= bool(lines[-1].strip())
    return [row for row in rows if row is not None], broken


def parsed(text: str) -> Any:
    """Return what JSON text says. Raises Unreadable, also for depths and numbers that no program writes."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        deep = isinstance(error, RecursionError)
        raise Unreadable("too deep" if deep else f"no JSON: {error}") from None


def number(value: object) -> float | None:
    """Return a finite JSON number as a float, None for anything else (also for true and false)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def _row(line: str) -> dict[str, Any] | None:
    try:
        row = parsed(line) if len(line) <= LONGEST_LINE else None
    except Unreadable:
        return None
    if not isinstance(row, dict):
        return None
    images = number(row.get("images"))
    return row if images is not None and 0 <= images < 2**63 else None


def _text(path: Path, most: int) -> str:
    regular(path, most)
    try:
        with open(path, "rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from None
    return data.decode("utf-8", "replace")
