"""What ``figment runs`` says: the runs in a folder, read off their files without torch."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from figment.data.printing import clean
from figment.errors import UserError
from figment.metrics.score import Score
from figment.records import number, read_lines
from figment.runs import runs_here, trained_at
from figment.training import folder
from figment.training.log import read_log

MOST = 90
"""Letters of the sentence that says what is wrong with a damaged run."""
COLUMNS = ("run", "system", "data", "images", "score", "trained", "state")


def listing(place: str | Path | None = None) -> list[dict[str, Any]]:
    """Return what there is to say of the runs in a folder, or of those here, the one trained last first.

    Raises UserError where there is no such folder.
    """
    if place is not None and not Path(place).is_dir():
        raise UserError(
            f"there is no folder {place}: name one that holds runs, or none for those here"
        )
    return [about(run) for run in reversed(runs_here(Path(place) if place is not None else None))]


def about(run: Path) -> dict[str, Any]:
    """Return a run's name, system, data, images, score, time and state; a damaged one's name and state."""
    found: dict[str, Any] = {"run": str(run), "trained": _moment(trained_at(run))}
    try:
        name, fields, machine = folder.read(run)
        lines = read_log(run)
        images, planned = _images(run, lines), int(fields["images"])
        found |= {"system": name, "data": machine["data"]["name"], "images": images}
        found |= {"score": _score(run, images), "state": _state(run, images, planned)}
    # Its files may hold anything: the other runs are listed all the same.
    except Exception as error:
        found["state"] = f"damaged ({_why(error)})"
    return found


def _images(run: Path, lines: Sequence[dict[str, Any]]) -> int:
    """Return how many images a run has seen, by its log, or by its last snapshot where that is lost."""
    if lines:
        return lines[-1]["images"]
    return max((int(path.stem) for path in folder.snapshots_of(run)), default=0)


def _why(error: Exception) -> str:
    """Return what is wrong in a few words: the sentence, where figment has one."""
    if not isinstance(error, UserError):
        return type(error).__name__
    text = str(error)
    return text if len(text) <= MOST else f"{text[:MOST]}…"


def listing_text(found: Sequence[dict[str, Any]]) -> str:
    """Return the same as a table for people."""
    if not found:
        return "There is no run here yet: `figment train DATA` makes one."
    # names may be anybody's: none of them steers a terminal
    rows = [COLUMNS] + [tuple(clean(_cell(entry.get(name))) for name in COLUMNS) for entry in found]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if title == "images" else cell.ljust(width)
            for cell, width, title in zip(row, widths, COLUMNS, strict=True)
        ).rstrip()
        for row in rows
    )


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        score = Score(value["name"], value["value"], protocol=value["protocol"])
        shown = score.shown().value
        after = f" after {value['after']:,}" if "after" in value else ""
        figure = f"{shown:,.0f}" if abs(shown) >= 1000 else f"{shown:.3g}"
        return f"{score.called()} {figure}{after}"
    return f"{value:,}" if isinstance(value, int) else str(value or "")


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds)) if seconds else ""


def _state(run: Path, images: int, planned: int) -> str:
    if folder.in_training(run):
        return "training"
    if images >= planned:
        return "finished"
    return f"stopped at {images / planned:.0%}" if images else "not begun"


def _score(run: Path, images: int) -> dict[str, Any] | None:
    """The first score of the weights that ``figment sample`` draws from: the best, or else the latest.

    ``images``: those that the run has seen. A latest score of an earlier moment says "after" how many;
    what was measured after 0 is the untrained network's, and no score of the run.
    """
    lines, _ = read_lines(run / "metrics.jsonl")
    trained = [line for line in lines if number(line.get("images")) != 0]
    measured = [(found, line) for line in trained if (found := _first(line.get("scores")))]
    if not measured:
        return None
    (name, value, better), line = measured[-1]
    protocol = str(line.get("protocol", ""))
    least = {"lower": min, "higher": max}.get(better)
    if least is not None and (run / folder.BEST).exists():
        name, value, _ = least((found for found, _ in measured), key=lambda each: each[1])
        return {"name": name, "value": value, "protocol": protocol}
    when = number(line.get("images"))
    early = {"after": int(when)} if when is not None and when < images else {}
    return {"name": name, "value": value, "protocol": protocol, **early}


def _first(scores: Any) -> tuple[str, float, str] | None:
    """The name and value of the first score of a line, and which way is better; None where it is none."""
    name, score = next(iter(scores.items()), ("", {})) if isinstance(scores, dict) else ("", {})
    value = number(score.get("value")) if isinstance(score, dict) else None
    return None if value is None else (name, value, str(score.get("better", "")))
