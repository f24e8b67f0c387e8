"""The cache: a folder per key, made once however many processes ask for it at the same time."""

from __future__ import annotations

import atexit
import errno
import functools
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from figment.errors import UserError
from figment.files import cache_root

CARD = "card.json"


def key_of(*parts: object) -> str:
    """Return the name of the folder that belongs to a source under some options."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def folder_for(key: str, build: Callable[[Path], None], *, needed: int) -> Path:
    """Return the finished folder of a key; where there is none, ``build`` fills it first.

    It is filled under a temporary name and then renamed, so a folder of that name is always whole.
    Processes that want the same one wait for the first (where the file system has locks; without
    them the work is merely done twice). ``needed`` is how many bytes ``build`` will write: a full
    disk is a ``UserError`` that says so. Where the cache cannot be written, the folder lies in a
    temporary one that goes when the process ends, and a note on stderr says so.
    """
    root = cache_root()
    final = root / key
    if (final / CARD).exists():
        return final
    root = _writable(root)
    final = root / key
    with _lock(root / f".{key}.lock") as alone:
        if (final / CARD).exists():
            return final
        if alone:
            _sweep(root, key)
        _check_space(root, needed)
        partial = Path(tempfile.mkdtemp(prefix=f"{key}.", suffix=".partial", dir=root))
        try:
            build(partial)
            os.replace(partial, final)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise UserError(_full(root, needed)) from None
            if not (final / CARD).exists():  # otherwise another process was quicker
                raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return final


def finished(key: str) -> Path | None:
    """Return the folder of a key if it is there."""
    folder = cache_root() / key
    return folder if (folder / CARD).exists() else None


def read_card(folder: Path) -> dict:
    """Return the card of a finished folder."""
    return json.loads((folder / CARD).read_text("utf-8"))


def write_card(folder: Path, card: dict) -> None:
    """Write the card that marks a folder as whole: call it last."""
    (folder / CARD).write_text(json.dumps(card, indent=1), "utf-8")


def _writable(root: Path) -> Path:
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root):
            return root
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UserError(_full(root, 0)) from None
        return _scratch(root, error.strerror or str(error))


@functools.cache
def _scratch(root: Path, reason: str) -> Path:
    scratch = Path(tempfile.mkdtemp(prefix="figment-"))
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    print(
        f"figment: the cache {root} cannot be written ({reason}); what is packed goes to {scratch}"
        " and is lost afterwards. Set FIGMENT_CACHE to a folder that can be written.",
        file=sys.stderr,
    )
    return scratch


@contextmanager
def _lock(path: Path) -> Generator[bool]:
    """Hold the lock of that name, waiting for it; yields False where there are no locks.

    The system lets go of it when a process dies, so none is ever stale.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        yield False
        return
    with open(path, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:  # some network file systems
            yield False
            return
        yield True


def _sweep(root: Path, key: str) -> None:
    """Remove what a process that died left of this key, and a folder that never got its card."""
    for remains in [root / key, *root.glob(f"{key}.*.partial")]:
        shutil.rmtree(remains, ignore_errors=True)


def _check_space(root: Path, needed: int) -> None:
    if shutil.disk_usage(root).free < needed:
        raise UserError(_full(root, needed))


def _full(root: Path, needed: int) -> str:
    return (
        f"the disk of {root} is full: packing needs about {max(1, round(needed / 1e6)):,} MB there."
        " Free some, or set FIGMENT_CACHE to a folder on another disk"
    )
