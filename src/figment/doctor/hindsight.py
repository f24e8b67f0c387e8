"""Hindsight: signs of runs that were trained without them, from their snapshots."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from figment.doctor.signs import Reference, signs


def with_signs(
    log: Sequence[dict[str, Any]],
    snapshots: Iterable[tuple[int, Tensor | np.ndarray]],
    real: Reference,
) -> list[dict[str, Any]]:
    """Return the lines of a log with the signs of snapshots in them.

    ``snapshots``: (images, samples of the same latents each time), oldest first; each goes to the first
    line at or after its moment. A log that has signs is returned as it is.
    """
    lines = [dict(line) for line in log]
    if any("watch/diversity" in line for line in lines):
        return lines
    before = None
    for images, samples in snapshots:
        found = signs(samples, real, before)
        before = samples
        line = next((line for line in lines if line.get("images", -1) >= images), None)
        if line is None:
            lines.append({"images": images} | found)
        else:
            line.update(found)
    return lines
