"""The log: a line a tick in ``log.jsonl``, the same to TensorBoard, and the sums of the open tick."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from figment.errors import UserError
from figment.files import append_text, write_text
from figment.records import Unreadable, read_lines
from figment.training.board import Board, board

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
        """Return the tally that ``to_json`` gave. Raises what Python raises for anything else."""
        sums, counts = dict(value["sums"]), dict(value["counts"])
        if sums.keys() != counts.keys() or not all(
            type(n) is int and 0 < n < 2**53 for n in counts.values()
        ):
            raise ValueError("its open tick is none")
        return Tally({name: float(total) for name, total in sums.items()}, counts)


class Log:
    """The log of a run, open for appending, cut back to where training goes on.

    Lines of ticks that go on are dropped with the first line that is written: until then the file says what
    it said.
    """

    def __init__(self, run: Path, *, images: int, writes: bool = True) -> None:
        self.path = run / "log.jsonl"
        there = read_log(run)
        within = [line for line in there if line["images"] <= images]
        self.lines = [line for line in within if "open" not in line]
        """All lines, oldest first."""
        self.whole = False
        """Whether the file has these lines and no others."""
        self.board: Board | None = None
        if writes:
            if len(within) < len(there) or not self.path.exists():
                write_text(self.path, _text(within))
            with suppress(OSError):  # a full disk is named by what the run cannot do without
                self.board = board(run, images)

    def write(self, line: dict[str, float]) -> None:
        """Append a line. Raises UserError where the disk is full."""
        if self.whole:
            append_text(self.path, _text([line]))
        else:
            write_text(self.path, _text([*self.lines, line]))
            self.whole = True
        self.lines.append(line)
        images = int(line["images"])
        values = {name: line[name] for name in line.keys() - {"images", "open", "not_finite"}}
        self._tell(lambda board: board.scalars(values, images))

    def picture(self, path: Path, images: int) -> None:
        """Show a sample grid, a PNG file, in TensorBoard too."""
        from PIL import Image

        if self.board is not None:
            with Image.open(path) as image:
                size = image.size
            self._tell(lambda board: board.picture("samples", path.read_bytes(), size, images))

    def close(self) -> None:
        self._tell(lambda board: board.close())

    def _tell(self, what: Callable[[Board], object]) -> None:
        """Do something with TensorBoard; where it cannot write, the run goes on without it."""
        try:
            if self.board is not None:
                what(self.board)
        except OSError:
            full, self.board = self.board, None
            if full is not None:
                full.close()


def _text(lines: list[dict]) -> str:
    return "".join(json.dumps(line) + "\n" for line in lines)


def read_log(run: Path) -> list[dict]:
    """Return the lines of a run's log, of which numbers are kept; lines that cannot be read are left out.

    Raises UserError where the log is no file, or larger than any that figment writes.
    """
    path = Path(run) / "log.jsonl"
    try:
        rows, _ = read_lines(path)
    except Unreadable as error:
        raise UserError(f"{path} cannot be read ({error}): bring back a copy of it") from None
    return [{name: value for name, value in row.items() if _said(value)} for row in rows]


def _said(value: object) -> bool:
    """Whether this is what a log says: a number that fits (NaN is one), or true."""
    return isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 2**63)
