"""What is exported: the generator of a run folder or of a file of weights, and what is known of it."""

from __future__ import annotations

import getpass
import re
import unicodedata
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from figment.opened import generator_at, read_run
from figment.records import Unreadable
from figment.report.record import Record
from figment.report.record import read_run as read_record
from figment.sampling.generator import Generator
from figment.tensors import read_note
from figment.training import folder


class Subject:
    """A generator, opened on the CPU, with the run that it is of, if there is one."""

    def __init__(self, path: str | Path, *, trust: bool = False) -> None:
        path = Path(path)
        if not path.is_file():
            read_run(path, trust=trust)  # where it is no run, that is what is wrong
        self.weights = path if path.is_file() else folder.weights_of(path)
        """The file of weights."""
        self.generator: Generator = generator_at(self.weights, "cpu", trust=trust)
        self.run = _run_of(path)
        """The folder of the run, None where the file of weights stands alone."""
        self.note = _note(self.weights)
        """What the file of weights says of itself."""

    @property
    def images(self) -> int | None:
        """Real pictures that the generator's training had seen, None where that is not known."""
        return folder.images_of(self.weights)

    @property
    def recipe(self) -> str:
        """The name of its recipe."""
        return str(self.note.get("recipe", ""))

    @cached_property
    def record(self) -> Record | None:
        """What the files of the run say, None without a run."""
        return None if self.run is None else read_record(self.run)

    @property
    def name(self) -> str:
        """The name that it goes by: the run's, fit for a folder and an address."""
        own = self.weights.stem if self.run is None else self.run.resolve().name
        return plain_name(own)

    @property
    def data(self) -> str:
        """The name of its data, "" where that is not known."""
        told = self.record.data.get("name") if self.record else self.note.get("data")
        return without_user(told) if isinstance(told, str) else ""


def plain_name(text: str) -> str:
    """Return a name in letters that an address holds as they are: Küche 2 is kuche-2."""
    bare = unicodedata.normalize("NFKD", without_user(text))
    letters = "".join(letter for letter in bare if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", "-", letters.lower()).strip("-") or "generator"


def without_user(text: str) -> str:
    """Return a name of a folder without that of the person who uses this machine."""
    names = {Path.home().name}
    with suppress(OSError, KeyError):  # a machine that knows no name
        names.add(getpass.getuser())
    for name in names - {"", "root"}:
        text = re.sub(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", "me", text, flags=re.IGNORECASE)
    return text


def _run_of(path: Path) -> Path | None:
    """Return the run that a path is, or that a file of weights lies in."""
    if not path.is_file():
        home = path
    else:
        home = path.parent.parent if path.parent.name == "snapshots" else path.parent
    return home if folder.holds_run(home) else None


def _note(weights: Path) -> dict[str, Any]:
    try:
        return read_note(weights)
    except (OSError, Unreadable):
        return {}
