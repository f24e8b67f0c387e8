"""Files of tensors (safetensors): written whole with a checksum, read only where it is right.

The metadata hold one entry, ``figment``, since several come in any order: a note, which is a JSON object,
and in it the checksum of all else. Files of version 0.1 have none.
"""

from __future__ import annotations

import errno
import json
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from figment.files import replacing
from figment.records import Unreadable, parsed, regular

if TYPE_CHECKING:
    from torch import Tensor


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
    metadata = {"figment": json.dumps({**note, "checksum": checksum(whole, note)})}
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

    regular(path)
    try:
        with safe_open(path, framework="pt") as file:
            note = _note(file.metadata())
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except Exception as error:  # safetensors raises several kinds for damaged files
        raise Unreadable(_reason(error)) from None
    if note.pop("checksum", None) not in (None, checksum(tensors, note)):
        raise Unreadable("its checksum is wrong: a part of it has changed since it was written")
    return tensors, note


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a file's tensors, which stay unread. Raises Unreadable, with the reason."""
    from safetensors import safe_open

    regular(path)
    try:
        with safe_open(path, framework="numpy") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except Exception as error:
        raise Unreadable(_reason(error)) from None


def read_note(path: Path) -> dict[str, Any]:
    """Return the note of a file, its tensors unread. Raises Unreadable, with the reason."""
    from safetensors import safe_open

    regular(path)
    try:
        with safe_open(path, framework="numpy") as file:
            note = _note(file.metadata())
    except Exception as error:
        raise Unreadable(_reason(error)) from None
    note.pop("checksum", None)
    return note


def checksum(tensors: Mapping[str, Tensor], note: dict[str, Any]) -> str:
    """Return the CRC-32 of a note and of tensors on the CPU: their names, types, shapes and bytes.

    For damage, not for malice: who can edit a file can edit its checksum.
    """
    import torch

    found = zlib.crc32(json.dumps(note).encode())
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        found = zlib.crc32(f"{name} {tensor.dtype} {list(tensor.shape)}".encode(), found)
        found = zlib.crc32(tensor.reshape(-1).view(torch.uint8).numpy(), found)
    return f"{found:08x}"


def _note(metadata: dict[str, str] | None) -> dict[str, Any]:
    note = parsed((metadata or {}).get("figment", ""))
    if not isinstance(note, dict):
        raise Unreadable("it says nothing of itself: no file that figment wrote")
    return note


def _reason(error: Exception) -> str:
    return f"{error}\n".splitlines()[0] or type(error).__name__
