"""The log: a line a tick in ``log.jsonl``, the same to TensorBoard, and the sums of the open tick."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from figment.errors import UserError
from figment.files import cannot_write, write_text

MEASURED = frozenset({"seconds", "speed/images_per_second", "memory/gib"})
"""Log columns that depend on the machine's mood; all others are functions of recipe and data."""


@dataclass
class Tally:
    """Sums of the open tick, and in how many rounds each thing was seen (a lazy penalty in few)."""

    sums: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, seen: dict[str, float]) -> None:
        """Count one round in."""
        for name, value in seen.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
            self.counts[name] = self.counts.get(name, 0) + 1

    def means(self) -> dict[str, float]:
        """Return the means over the tick so far."""
        return {name: total / self.counts[name] for name, total in self.sums.items()}

    def to_json(self) -> dict[str, dict]:
        return {"sums": self.sums, "counts": self.counts}

    @staticmethod
    def from_json(value: dict[str, dict]) -> Tally:
        return Tally(dict(value["sums"]), dict(value["counts"]))


class Log:
    """The log of a run, open for appending, cut back to where training goes on."""

    def __init__(self, run: Path, *, images: int, writes: bool = True) -> None:
        self.path = run / "log.jsonl"
        kept = [line for line in read_log(run) if line["images"] <= images]
        kept = [line for line in kept if "open" not in line]  # their ticks go on now
        self.lines = kept
        """All lines, oldest first."""
        self.board = None
        if writes:
            write_text(self.path, "".join(json.dumps(line) + "\n" for line in kept))
            self.board = _tensorboard(run, images)

    def write(self, line: dict[str, float]) -> None:
        """Append a line. Raises UserError where the disk is full."""
        try:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as error:
            raise UserError(cannot_write(self.path, error)) from error
        self.lines.append(line)
        images = int(line["images"])
        values = {name: line[name] for name in line.keys() - {"images", "open", "not_finite"}}
        self._tell(lambda board: [board.add_scalar(k, v, images) for k, v in values.items()])

    def picture(self, path: Path, images: int) -> None:
        """Show a sample grid in TensorBoard too."""
        import numpy as np
        from PIL import Image

        if self.board is not None:
            with Image.open(path) as image:
                pixels = np.asarray(image.convert("RGB"))
            self._tell(lambda board: board.add_image("samples", pixels, images, dataformats="HWC"))

    def close(self) -> None:
        self._tell(lambda board: board.close())

    def _tell(self, what: Callable[[Any], object]) -> None:
        """Do something with TensorBoard; where it cannot write, the run goes on without it."""
        try:
            if self.board is not None:
                what(self.board)
        except OSError:
            self.board = None


def read_log(run: Path) -> list[dict]:
    """Return the lines of a run's log; one that a kill cut off is left out."""
    path = Path(run) / "log.jsonl"
    lines = []
    if path.exists():
        for text in path.read_text(encoding="utf-8").splitlines():
            try:
                lines.append(json.loads(text))
            except json.JSONDecodeError:
                break
    return lines


def has_tensorboard() -> bool:
    """Return whether TensorBoard events can be written."""
    from importlib.util import find_spec

    return find_spec("tensorboard") is not None


def _tensorboard(run: Path, images: int):
    if not has_tensorboard():
        return None
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own imports warn
        from torch.utils.tensorboard import SummaryWriter

        return SummaryWriter(str(run), purge_step=images + 1)
