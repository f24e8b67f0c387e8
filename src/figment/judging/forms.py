"""The form of a comparison: side, colour and resizing, which belong to its protocol and not to one side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from figment.data import Dataset, Look, look
from figment.data.structure import broken
from figment.errors import UserError

FILTER = "Lanczos, bicubic to enlarge"
MOST = 256
"""Px of a side at which folders are compared, unless the user says otherwise."""
TINT = 3
"""Levels of 255 by which the channels of a grey picture may differ: JPEG is not exact."""
PATCH = 8
"""Px of a side over which channels are averaged before they are compared."""
CROPPED = 0.25
"""Mean share of the area of a side's pictures, cut off to make squares, that is worth a note."""
PART = 1 << 22
"""Numbers of pictures that are looked at together."""
UNEVEN = 0.1
"""Difference in the share of coloured pictures that is worth a note."""


class Form(NamedTuple):
    """How the pictures of both sides are compared."""

    side: int
    """Px."""
    colour: bool
    fit: str = "crop"

    def __str__(self) -> str:
        colour = "in colour" if self.colour else "in grey"
        fitted = {"crop": "cropped to squares", "pad": "padded", "stretch": "stretched"}[self.fit]
        return f"pictures of {self.side} px {colour}, {fitted} ({FILTER})"

    def as_json(self) -> dict[str, object]:
        """Return it as plain values."""
        return {
            "side": self.side,
            "channels": 3 if self.colour else 1,
            "fit": self.fit,
            "filter": FILTER,
        }


def common_side(looks: Sequence[Look], resolution: int | None) -> int:
    """Return the side at which folders are compared: the larger of theirs, at most ``MOST``, or as stated.

    Raises UserError for a resolution that no comparison has.
    """
    if resolution is not None:
        if not 8 <= resolution <= 4096:
            raise UserError(f"resolution must be between 8 and 4096 pixels, not {resolution}")
        return resolution
    return min(MOST, max(seen.side for seen in looks) or 64)


def resized(sides: Sequence[Dataset], side: int) -> list[str]:
    """Return a note for each side of which pictures have been shrunk or enlarged to ``side`` px."""
    notes = []
    for data in sides:
        facts = data.notice().facts  # of those that could be read
        short = np.minimum(facts["width"], facts["height"])
        least, most = int(short.min()), int(short.max())
        if least == most == side:
            continue
        size = f"{least:,} px" if least == most else f"{least:,} to {most:,} px (short side)"
        done = "enlarged" if most <= side else "shrunk" if least >= side else "brought"
        notes.append(f"pictures of {data.source} are {size}: {done} to {side} px")
    return notes


def cropped(sides: Sequence[Dataset]) -> list[str]:
    """Return a note for each side of which only the middle of its pictures is compared."""
    losses = [(data.source, data.notice().crop_loss) for data in sides]
    return [
        f"pictures of {source} are no squares: {loss:.0%} of their area is cut off and not compared"
        for source, loss in losses
        if loss >= CROPPED
    ]


def coloured(rows: np.ndarray) -> np.ndarray:
    """Return which pictures uint8 [N, C, H, W] have any colour: bool [N]."""
    found = np.zeros(len(rows), bool)
    if rows.shape[1] < 3:
        return found
    high, wide = (np.arange(0, size, PATCH) for size in rows.shape[2:])
    step = max(1, PART // math.prod(rows.shape[1:]))
    for start in range(0, len(rows), step):
        part = rows[start : start + step].astype(np.uint32)
        sums = np.add.reduceat(np.add.reduceat(part, high, 2), wide, 3)
        sizes = np.diff([*high, rows.shape[2]])[:, None] * np.diff([*wide, rows.shape[3]])
        found[start : start + step] = (np.ptp(sums / sizes, 1) > TINT).any((1, 2))
    return found


def colours(ours: Dataset, theirs: Dataset) -> tuple[bool, list[str]]:
    """Return whether any picture of either side has colour, and notes where the sides differ in it."""
    seen = [(side.source, coloured(side.rows)) for side in (ours, theirs)]
    shares = [float(found.mean()) for _, found in seen]
    if abs(shares[0] - shares[1]) <= UNEVEN:
        return any(shares), []
    counts = [f"{int(found.sum()):,} of {len(found):,} of {source}" for source, found in seen]
    return True, [
        f"pictures with colour: {' and '.join(counts)}; compared in colour, the grey ones as they are"
    ]


def form_of(dataset: Dataset, fit: str = "crop") -> Form:
    """Return the form that the pictures of a data set have."""
    return Form(dataset.shape[-1], dataset.shape[0] == 3, fit)


def changed_by_run(dataset: Dataset, own: bool, fit: str) -> list[str]:
    """Return notes of what the form of a run, which it has learned, does to the reals of a comparison.

    ``own``: the reals are those of the training, whose size the run was made for; ``fit``: how the run
    made its pictures square.
    """
    notes = [] if own else resized([dataset], dataset.shape[-1])
    if not own and fit == "crop":
        notes += cropped([dataset])
    if dataset.shape[0] == 1 and not look(dataset.source).grey:
        notes.append(
            f"{dataset.source} is in colour and was compared in grey, as the run has learned"
        )
    if not own and dataset.shape[0] == 3 and not coloured(dataset.rows).any():
        notes.append(
            f"{dataset.source} is in grey, samples of the run in colour: compared as they are"
        )
    return notes


def dropped(side: str, dataset: Dataset) -> list[str]:
    """Return the note of files of a side ("samples" or "reals") that could not be read, [] for none."""
    unread = broken(dataset.skipped)
    count, total = len(unread), len(dataset.skipped) + len(dataset)
    if not count:
        return []
    file, reason = unread[0]
    return [
        f"{count:,} of {total:,} files of the {side} cannot be read and are not in the scores, "
        f"e.g. {file} ({reason})"
    ]


def dropped_files(dataset: Dataset) -> dict[str, object]:
    """Return the files of a side that could not be read as plain values."""
    return {"read": len(dataset), "skipped": [list(entry) for entry in dataset.skipped]}
