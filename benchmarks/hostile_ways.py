"""Ways to spoil a run, for ``hostile.py``: damage, links, pipes, lies."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

EVIL = "import pathlib; pathlib.Path({mark!r}).write_text('it ran')\nclass X: pass\n"
REPORT = ("report RUN", "doctor RUN", "compare RUN OTHER")
DRAW = ("sample RUN --count 4 --out new.png",)
RESUME = ("resume RUN --images 16",)
USUAL = REPORT + DRAW + RESUME


class World(NamedTuple):
    """What a case may touch: the run to spoil, one beside it, and what must stay as it is."""

    home: Path
    run: Path
    other: Path
    outside: Path
    mark: Path
    """Written by whatever code of the folder runs."""

    def evil(self, *places: Path) -> None:
        """Lay code there that leaves the mark when it is imported."""
        for place in places:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(EVIL.format(mark=str(self.mark)))


class Case(NamedTuple):
    """A way to spoil a run, and the commands that are then tried."""

    name: str
    spoil: Callable[[World], object]
    """Returns the source of data that commands call DATA, if there is one."""
    commands: tuple[str, ...] = USUAL
    where: str = "."
    """The current folder, below the home."""


def edit(file: str, **changes: object) -> Callable[[World], object]:
    """Change values of a JSON file of the run, by dotted names; ``...`` takes one away."""

    def spoil(w: World) -> None:
        path = w.run / file
        whole = json.loads(path.read_text())
        for dotted, value in changes.items():
            *way, last = dotted.split("__")
            part = whole
            for key in way:
                part = part[key]
            if value is ...:
                del part[last]
            else:
                part[last] = value
        path.write_text(json.dumps(whole))

    return spoil


def put(file: str, content: bytes) -> Callable[[World], object]:
    """Replace a file of the run."""
    return lambda w: (w.run / file).write_bytes(content)


def add(file: str, content: bytes) -> Callable[[World], object]:
    """Add to the end of a file of the run."""

    def spoil(w: World) -> None:
        with open(w.run / file, "ab") as opened:
            opened.write(content)

    return spoil


def huge(file: str, gib: float) -> Callable[[World], object]:
    """Make a file so large, with holes."""
    return lambda w: os.truncate(w.run / file, int(gib * 2**30))


def pipe(file: str) -> Callable[[World], object]:
    """Put a pipe that nobody writes to in a file's place."""

    def spoil(w: World) -> None:
        (w.run / file).unlink(missing_ok=True)
        os.mkfifo(w.run / file)

    return spoil


def link(part: str, to: str = "victim.txt", *, hard: bool = False) -> Callable[[World], object]:
    """Put a link to something outside in the place of a part of the run."""

    def spoil(w: World) -> None:
        place, target = w.run / part, Path(to) if to.startswith("/") else w.outside / to
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        place.unlink(missing_ok=True)
        os.link(target, place) if hard else place.symlink_to(target)

    return spoil


def flip(pattern: str, at: float) -> Callable[[World], object]:
    """Flip a bit of a file, so far into it."""

    def spoil(w: World) -> None:
        path = sorted(w.run.glob(pattern))[-1]
        data = bytearray(path.read_bytes())
        data[min(int(at * len(data)), len(data) - 1)] ^= 4
        path.write_bytes(data)

    return spoil


def cut(pattern: str, share: float) -> Callable[[World], object]:
    """Keep the beginning of a file only."""

    def spoil(w: World) -> None:
        path = sorted(w.run.glob(pattern))[-1]
        os.truncate(path, int(share * path.stat().st_size))

    return spoil


def tensors(pattern: str, header: dict, size: float = 0.0) -> Callable[[World], object]:
    """Put a safetensors file with this header, and so many GiB of zeros, in a file's place."""

    def spoil(w: World) -> None:
        path = sorted(w.run.glob(pattern))[-1]
        text = json.dumps(header).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text)
        os.truncate(path, 8 + len(text) + int(size * 2**30))

    return spoil


def names_evil(recipe: str, *places: str) -> Callable[[World], object]:
    """Let the run and its snapshots name a module, and lay that module there."""

    def spoil(w: World) -> None:
        edit("recipe.json", recipe=recipe)(w)
        w.evil(*(w.home / place for place in places))
        for path in w.run.rglob("*.safetensors"):
            data = path.read_bytes()
            size = int.from_bytes(data[:8], "little")
            header = json.loads(data[8 : 8 + size])
            note = json.loads(header.get("__metadata__", {}).get("figment", "{}"))
            if "recipe" in note:
                header["__metadata__"] = {"figment": json.dumps(note | {"recipe": recipe})}
                text = json.dumps(header).encode()
                path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + size :])

    return spoil


def pickled(w: World) -> None:
    """Put a pickle that runs code in the place of every file of weights."""
    code = f"cbuiltins\nexec\n(S{EVIL.format(mark=str(w.mark))!r}\ntR.".encode()
    for path in w.run.rglob("*.safetensors"):
        path.write_bytes(code)


def bomb(w: World) -> None:
    """Put a PNG that says 60,000 pixels a side among the grids."""
    path = sorted((w.run / "samples").iterdir())[-1]
    data = path.read_bytes()
    path.write_bytes(data[:16] + (60_000).to_bytes(4, "big") * 2 + data[24:])


DEEP = b"[" * 200_000
NUMBER = b'{"images": ' + b"9" * 4_000 + b"}\n"
META = {"__metadata__": {"figment": "{}"}}


def put_last(pattern: str, content: bytes) -> Callable[[World], object]:
    """Replace the last file that fits."""
    return lambda w: (w.run / last(w, pattern)).write_bytes(content)


def last(w: World, pattern: str) -> str:
    return str(sorted(w.run.glob(pattern))[-1].relative_to(w.run))


def fifo(w: World) -> str:
    os.mkfifo(w.home / "fifo")
    return str(w.home / "fifo")
