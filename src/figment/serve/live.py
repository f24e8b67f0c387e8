"""A run as it stands, perhaps still in training: how far it is, its curves, samples, the doctor's words."""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from figment.data.png import SIGNATURE
from figment.errors import UserError
from figment.records import number
from figment.report.record import Record, read_run
from figment.report.smoothing import decimate
from figment.run import findings_of
from figment.serve.texts import sayable
from figment.training import folder
from figment.training.log import read_log

POINTS = 300
"""Of a curve."""
CURVES = ("loss/", "score/", "jsd", "gradient/", "speed/images_per_second")
"""Columns of the log that are shown, by how their names begin."""
LARGEST_GRID = 64 << 20
"""Bytes of a sample grid."""


def live(run: Path, name: str) -> dict[str, Any]:
    """Return a run's state as JSON values, whatever its files hold.

    "state" is "training", or "stopped" before its last image, or "finished".
    """
    record = read_run(run)
    images, total = int(record.last("images") or 0), number(record.fields.get("images"))
    state = "training" if folder.in_training(run) else "stopped"
    if state == "stopped" and total is not None and images >= total:
        state = "finished"
    seconds = record.last("seconds")
    found = {
        "name": name,
        "state": state,
        "images": images,
        "total": None if total is None else int(total),
        "seconds": seconds,
        "left": _left(images, total, seconds) if state == "training" else None,
        "curves": [*_curves(record), *_scores(record)],
        "samples": [_sample(name, images) for images, _ in record.samples],
        "doctor": _findings(run),
    }
    return sayable(found)


def grid_at(run: Path, images: int) -> bytes | None:
    """Return the file of the sample grid at a moment, None where there is none.

    Links are not followed: a stranger's run may have one that names a file of this machine.
    """
    path = folder.picture_path(run, images)
    if path.parent.is_symlink():
        return None
    try:
        opened = os.open(
            path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        )
        with open(opened, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST_GRID:
                return None
            data = file.read(LARGEST_GRID)
    except OSError:
        return None
    return data if data.startswith(SIGNATURE) else None


def _left(images: int, total: float | None, seconds: float | None) -> float | None:
    """Return the seconds that a training still takes at its speed so far, None where that is not known."""
    if not (images and total and seconds):
        return None
    return max(0.0, (total - images) * seconds / images)


def _curves(record: Record) -> Iterator[dict[str, Any]]:
    """Yield columns of the log over images seen."""
    for column, values in record.log.items():
        if column.startswith(CURVES):
            x, y = decimate(record.log["images"], values, POINTS)
            yield {"name": column, "x": _numbers(x), "y": _numbers(y)}


def _scores(record: Record) -> Iterator[dict[str, Any]]:
    """Yield the scores that were measured in training, with their intervals."""
    found: dict[str, list[tuple[float, Any]]] = {}
    for measurement in record.measurements:
        for score in measurement.scores:
            found.setdefault(score.name, []).append((measurement.images, score))
    for name, row in found.items():
        scores = [score for _, score in row]
        yield {
            "name": name,
            "x": _numbers([images for images, _ in row]),
            "y": _numbers([score.value for score in scores]),
            "low": _numbers([score.low for score in scores]),
            "high": _numbers([score.high for score in scores]),
            "better": scores[-1].better,
            "floor": _number(scores[-1].floor),
        }


def _sample(name: str, images: int) -> dict[str, Any]:
    return {"images": images, "url": f"api/models/{name}/samples/{images}.png"}


def _findings(run: Path) -> list[dict[str, Any]]:
    try:
        found = findings_of(run, read_log(run))
    except UserError:
        return []
    return [{**finding._asdict(), "flags": list(finding.flags)} for finding in found]


def _numbers(values: Any) -> list[float | None]:
    return [_number(value) for value in values]


def _number(value: Any) -> float | None:
    """Return a finite number, None for what JSON has no word for."""
    found = math.nan if value is None else float(np.float64(value))
    return found if math.isfinite(found) else None
