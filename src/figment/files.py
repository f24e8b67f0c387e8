"""Writing files so that a reader, or a kill at any moment, never meets half of one."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from figment.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor


def cache_root() -> Path:
    """Return where figment keeps what it made or fetched: ``$FIGMENT_CACHE``, or the user's cache."""
    chosen = os.environ.get("FIGMENT_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "figment"


@contextmanager
def replacing(path: Path) -> Generator[Path]:
    """Give a temporary name beside ``path``; on success the file takes its place at once.

    Raises UserError for a full disk or a folder that cannot be written; the old file is then still
    there, and the temporary one is not.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise UserError(cannot_write(path, error)) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def write_text(path: Path, text: str) -> None:
    """Write a text file at once."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: object) -> None:
    """Write a JSON file at once, indented for people."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def write_tensors(
    path: Path,
    tensors: dict[str, Tensor],
    metadata: dict[str, str],
    before: Callable[[], None] = lambda: None,
) -> None:
    """Write a safetensors file at once; ``before`` runs when it is complete, just before it is placed."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    with replacing(path) as temporary:
        try:
            save_file(tensors, temporary, metadata)
        except SafetensorError as error:  # it wraps the operating system's error in a string
            full = "code: 28" in str(error) or "No space left" in str(error)
            raise OSError(errno.ENOSPC if full else errno.EIO, str(error)) from error
        before()


def cannot_write(path: Path, error: OSError) -> str:
    """Return the sentence for a file that could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full: {path} could not be written; free some space, what was saved is kept"
    return f"{path} cannot be written ({error.strerror or error}): choose another place for it"
