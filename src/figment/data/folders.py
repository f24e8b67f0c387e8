"""The files below a folder: links followed but never in a circle, what is no file never opened."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from figment.data.kinds import HIDDEN, RUNS, is_clutter, is_run
from figment.errors import UserError

GONE = "vanished while the folder was listed"


class Entry(NamedTuple):
    """A file below a folder, or what is passed over."""

    name: str  # the path below the folder, as the file system spells it
    reason: str = ""  # why it cannot be read
    passed_over: str = ""  # what it is, where nobody would look for pictures in it
    outside: bool = False  # whether a link leads to it, out of the folder


def below(root: Path) -> Iterator[Entry]:
    """Yield every file under a folder. Raises UserError where the folder itself cannot be read.

    Runs of figment, hidden files and the system's own are passed over whole. Linked folders are
    followed: real ones first, so that a link never takes their place, and none twice.
    """
    top = os.path.realpath(root)
    seen: set[str] = set()
    folders, links = [""], []
    while folders or links:
        linked = not folders
        folder = links.pop() if linked else folders.pop()
        real = _real(os.path.join(root, folder))
        if not real and folder:
            yield Entry(folder, GONE)
            continue
        if real in seen or (linked and Path(top).is_relative_to(real)):
            continue
        seen.add(real)
        try:
            found = _scan(real)
        except OSError as error:
            if not folder:
                raise UserError(f"{root} cannot be read: {error.strerror}") from None
            yield Entry(folder, f"cannot be read: {error.strerror}")
            continue
        if is_run({name for name, _, _ in found}):
            if not folder:
                raise UserError(f"{root} is a run of figment, not data: give a folder of pictures")
            yield Entry(folder, passed_over=RUNS)
            continue
        out = not Path(real).is_relative_to(top)
        for name, kind, link in found:
            if is_clutter(name):
                yield Entry(folder + name, passed_over=HIDDEN)
            elif kind == "folder":
                (links if link else folders).append(f"{folder}{name}/")
            else:
                leads = _real(os.path.join(real, name)) if link else real
                reason = GONE if not leads else "" if kind == "file" else "no file behind this name"
                away = out or (link and not Path(leads).is_relative_to(top))
                yield Entry(folder + name, reason, outside=away)


def _scan(folder: str) -> list[tuple[str, str, bool]]:
    """Return (name, "file", "folder" or "", whether it is a link) of what lies in a folder, sorted."""
    found = []
    with os.scandir(folder) as scan:
        for entry in scan:
            link = entry.is_symlink()
            kind = "folder" if _is(entry.is_dir) else "file" if _is(entry.is_file) else ""
            found.append((entry.name, kind, link))
    return sorted(found)


def _is(test: Callable[[], bool]) -> bool:
    try:
        return test()
    except OSError:  # a link that leads to itself
        return False


def _real(path: str) -> str:
    """Return where a path leads, "" where it has vanished, as files of /proc do while it is listed."""
    try:
        return os.path.realpath(path)
    except OSError:
        return ""
