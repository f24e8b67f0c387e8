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
import zlib
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from figment.errors import UserError
from figment.files import cache_root, locked, write_json
from figment.records import Unreadable, read_object

CARD = "card.json"
CHECKSUMS = "checksums.json"
LARGEST = 1 << 30
"""Bytes of a file that is read again each time that it is opened, to see that it is as it was written."""
SOUND: set[Path] = set()
"""Folders that this process has found sound, or made."""


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
    if _sound(root / key):
        return root / key
    root = _writable(root)
    final = root / key
    with _lock(root / f".{key}.lock") as alone:
        if _sound(final):
            return final
        if alone:
            _sweep(root, key)
        _check_space(root, needed)
        partial = Path(tempfile.mkdtemp(prefix=f"{key}.", suffix=".partial", dir=root))
        try:
            build(partial)
            write_json(partial / CHECKSUMS, _checksums(partial))
            os.replace(partial, final)
            SOUND.add(final)
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
    """Hold the lock of that name, waiting for it; yields False where there are no locks."""
    with locked(path, wait=True) as alone:
        yield alone


def _sound(folder: Path) -> bool:
    """Whether a folder is whole and as it was written; one that has changed is said to be made again."""
    if not (folder / CARD).exists():
        return False
    if folder not in SOUND:
        try:
            changed = read_object(folder / CHECKSUMS) != _checksums(folder)
        except FileNotFoundError:  # of a version that wrote none
            changed = False
        except (OSError, Unreadable):
            changed = True
        if changed:
            print(
                f"figment: {folder} has been damaged since it was made: made again", file=sys.stderr
            )
            return False
        SOUND.add(folder)
    return True


def _checksums(folder: Path) -> dict[str, int]:
    """Return the CRC-32 of each file of a folder but of those that are too large to read each time."""
    files = (path for path in sorted(folder.iterdir()) if path.name != CHECKSUMS)
    return {path.name: _crc(path) for path in files if path.stat().st_size <= LARGEST}


def _crc(path: Path) -> int:
    found = 0
    with open(path, "rb") as file:
        while block := file.read(4 << 20):
            found = zlib.crc32(block, found)
    return found


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
