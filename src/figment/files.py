"""Writing files: whole or not at all, never through a link, never over what is somebody else's."""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import stat
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path

from figment.errors import UserError

MARK = "made by figment"
"""What every file that figment gives to a user says of itself, so that it may be replaced by the next."""
PAGE = f"pictures side by side or in turn, {MARK}"
"""What a picture says of itself that shows several: one such among photographs is none of them."""
MARKED_WITHIN = 1 << 16
"""Bytes at either end of a file that are searched for the mark."""
TEMPORARY = re.compile(r"\..+?\.(?P<process>\d+)(\.[0-9a-f]+)?\.tmp")
"""Names of ``replacing``; those of earlier versions had no random part."""
NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP}
"""What file systems without locks answer."""


class Locked(Exception):
    """Another process holds the lock."""


def cache_root() -> Path:
    """Return where figment keeps what it made or fetched: ``$FIGMENT_CACHE``, or the user's cache."""
    chosen = os.environ.get("FIGMENT_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "figment"


@contextmanager
def replacing(path: Path) -> Generator[Path]:
    """Give a temporary name beside ``path``; on success the file takes its place at once.

    Where ``path`` is a link, the link is replaced, not what it names. The file gets the ordinary mode,
    whatever the writer made of it. Raises UserError for a full disk or a folder that cannot be written;
    the old file is then still there, and the temporary one is not.
    """
    path = Path(path)
    # Nobody can lay a link where the name cannot be guessed; two threads do not meet either.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = _created(temporary)
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except OSError as error:
        raise UserError(cannot_write(path, error)) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def write_text(path: Path, text: str) -> None:
    """Write a text file at once; what is no letter (a file name's odd byte) is written out, ``\\udcff``."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(path: Path, value: object) -> None:
    """Write a JSON file at once, indented for people."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def append_text(path: Path, text: str) -> None:
    """Add to the end of a file. Raises UserError where it is a link, or cannot be written."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    for safe in ("O_NOFOLLOW", "O_NONBLOCK"):  # no link, no waiting for the reader of a pipe
        flags |= getattr(os, safe, 0)
    try:
        with open(os.open(path, flags, 0o666), "a", encoding="utf-8", newline="\n") as file:
            if not _own(os.fstat(file.fileno())):
                raise OSError(errno.EMLINK, "it has another name elsewhere")
            file.write(text)
    except OSError as error:
        raise UserError(cannot_write(path, error)) from error


@contextmanager
def locked(path: Path, *, wait: bool = False) -> Generator[bool]:
    """Hold the lock of that name; yields False where the file system has no locks.

    Raises Locked where another process holds it, unless it is to ``wait``; UserError where the file is a
    link or cannot be made. The system lets go of a lock when its process dies, so none is ever stale.
    """
    from filelock import FileLock, Timeout

    try:
        if os.path.lexists(path) and not _own(os.lstat(path)):
            raise UserError(
                f"{path} is a link or no file, which figment does not write to: remove it"
            )
        lock = FileLock(path, timeout=-1 if wait else 0)
        lock.acquire()
    except Timeout:
        raise Locked from None
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise UserError(cannot_write(path, error)) from error
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def keep_others(paths: Iterable[Path], overwrite: bool = False) -> None:
    """Raise UserError where one of these is there and figment did not write it, unless told to replace it.

    What figment wrote says so (``MARK``): a picture in its text, a zip in its comment, a page in its head.
    An .npy has no place for it, so one is never replaced unasked.
    """
    for path in () if overwrite else map(Path, paths):
        if os.path.lexists(path) and not made_by_figment(path):
            raise UserError(
                f"{path} is there already, and not {MARK} as far as one can see: choose another place, "
                "or replace it with --overwrite"
            )


def made_by_figment(path: Path) -> bool:
    """Return whether a file says that figment made it."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return False
        with open(path, "rb") as file:
            head = file.read(MARKED_WITHIN)
            file.seek(max(0, os.fstat(file.fileno()).st_size - MARKED_WITHIN))
            return MARK.encode() in head or MARK.encode() in file.read(MARKED_WITHIN)
    except OSError:
        return False


def tidy(folder: Path) -> None:
    """Remove temporary files of this folder that processes which have died left behind, and no others'."""
    for leftover in folder.glob(".*.tmp"):
        ours = TEMPORARY.fullmatch(leftover.name)
        if ours and not _alive(int(ours["process"])):
            with suppress(OSError):
                leftover.unlink()


def cannot_write(path: Path, error: OSError) -> str:
    """Return the sentence for a file that could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full: {path} could not be written; free some space, what was saved is kept"
    return f"{path} cannot be written ({error.strerror or error}): choose another place for it"


def _created(temporary: Path) -> int:
    """Make an empty file that was not there and return its mode, as the user's umask has it."""
    with open(temporary, "xb") as file:
        return stat.S_IMODE(os.fstat(file.fileno()).st_mode)


def _own(status: os.stat_result) -> bool:
    """Whether this is a file with one name: writing to it changes nothing elsewhere."""
    return stat.S_ISREG(status.st_mode) and status.st_nlink <= 1


def _alive(number: int) -> bool:
    """Whether a process of that number runs here; where that cannot be asked, whether it may."""
    if os.name == "nt":  # there os.kill ends it
        return True
    try:
        os.kill(number, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return number != os.getpid()
