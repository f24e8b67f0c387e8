"""Files of tensors (safetensors): written whole with a checksum, read only where it is right.

The metadata hold one entry, ``figment``, since several come in any order: a note, which is a JSON object,
and in it the CRC-32 of all else in the note, and of the tensors. That is for damage, not for malice: who
can edit a file can edit its checksum. Files of version 0.1 have none.
"""

from __future__ import annotations

import errno
import json
import zlib
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from figment.files import replacing
from figment.records import Unreadable, parsed, regular

if TYPE_CHECKING:
    from torch import Tensor


CHANGED = "its checksum is wrong: a part of it has changed since it was written"


def write_tensors(
    path: Path,
    tensors: Mapping[str, Tensor],
    note: dict[str, Any],
    before: Callable[[], None] = lambda: None,
) -> None:
    """Write tensors with a note at once; ``before`` runs when the file is complete, before it is placed.

    Raises UserError for a full disk or a folder that cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    whole = {name: tensor.contiguous().cpu() for name, tensor in tensors.items()}
    sums = f"{_crc(json.dumps(note).encode())} {_checksum(whole)}"
    metadata = {"figment": json.dumps({**note, "checksum": sums})}
    with replacing(path) as temporary:
        try:
            save_file(whole, temporary, metadata)
        except SafetensorError as error:  # it wraps the operating system's error in a string
            full = "code: 28" in str(error) or "No space left" in str(error)
            raise OSError(errno.ENOSPC if full else errno.EIO, str(error)) from error
        before()


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors and the note of a file. Raises Unreadable, with the reason, if it is damaged."""
    from safetensors import safe_open

    with _opening(path), safe_open(path, framework="pt") as file:
        note, expected = _note(file.metadata())
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if expected not in ("", _checksum(tensors)):
        raise Unreadable(CHANGED)
    return tensors, note


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a file's tensors, which stay unread. Raises Unreadable, with the reason."""
    from safetensors import safe_open

    with _opening(path), safe_open(path, framework="numpy") as file:
        return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118


def read_note(path: Path) -> dict[str, Any]:
    """Return the note of a file, its tensors unread. Raises Unreadable, with the reason."""
    from safetensors import safe_open

    with _opening(path), safe_open(path, framework="numpy") as file:
        return _note(file.metadata())[0]


@contextmanager
def _opening(path: Path) -> Generator[None]:
    regular(path)
    try:
        yield
    except Exception as error:  # safetensors raises several kinds for damaged files
        raise Unreadable(f"{error}\n".splitlines()[0] or type(error).__name__) from None


def _note(metadata: dict[str, str] | None) -> tuple[dict[str, Any], str]:
    """Return a file's note and the checksum of its tensors, "" where it has none."""
    note = parsed((metadata or {}).get("figment", ""))
    if not isinstance(note, dict):
        raise Unreadable("it says nothing of itself: no file that figment wrote")
    written = note.pop("checksum", None)
    if written is None:
        return note, ""
    own, _, expected = str(written).partition(" ")
    if own != _crc(json.dumps(note).encode()):
        raise Unreadable(CHANGED)
    return note, expected or "none"


def _checksum(tensors: Mapping[str, Tensor]) -> str:
    """Return the checksum of tensors on the CPU: of their names, types, shapes and bytes."""
    import torch

    found = 0
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        found = zlib.crc32(f"{name} {tensor.dtype} {list(tensor.shape)}".encode(), found)
        found = zlib.crc32(tensor.reshape(-1).view(torch.uint8).numpy(), found)
    return f"{found:08x}"


def _crc(data: bytes) -> str:
    return f"{zlib.crc32(data):08x}"
