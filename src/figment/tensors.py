"""Files of tensors (safetensors): written whole with a checksum, read only where it is right.

The metadata hold one entry, ``figment``, since several come in any order: a note, which is a JSON object,
and in it the CRC-32 of all else in the note, and of the tensors. That is for damage, not for malice: who
can edit a file can edit its checksum. Files of version 0.1 have none.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from figment.files import replacing
from figment.records import Unreadable, parsed, regular

if TYPE_CHECKING:
    from torch import Tensor


CHANGED = "its checksum is wrong: a part of it has changed since it was written"
PLAIN = {
    **{"BOOL": "bool", "U8": "uint8", "I8": "int8", "I16": "int16", "I32": "int32", "I64": "int64"},
    **{"F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64"},
}
"""Types of numbers that figment writes: as a file names them, and as torch does."""
AT_ONCE = 4 << 20
"""Bytes that are read at once where a file is not held whole."""


class Kind(NamedTuple):
    """What a file says of a tensor before it is read."""

    dtype: str
    """As the file names it, one of ``PLAIN`` in what figment writes."""
    shape: tuple[int, ...]


class Stored(Mapping[str, "Tensor"]):
    """Tensors of a file that stays open, each read when it is asked for."""

    def __init__(self, file: Any, keys: Mapping[str, str]) -> None:
        self._file, self._keys = file, keys

    def __getitem__(self, name: str) -> Tensor:
        return self._file.get_tensor(self._keys[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def renamed(self, names: Mapping[str, str]) -> Stored:
        """Return some of the tensors by other names, each with the one that it has here."""
        return Stored(self._file, {new: self._keys[name] for new, name in names.items()})


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


def open_tensors(path: Path) -> tuple[Stored, dict[str, Any], str]:
    """Return a file's tensors, none read yet, its note, and its SHA-256.

    Whatever the file holds, this takes little memory. Raises Unreadable, with the reason, if it is damaged.
    """
    from safetensors import safe_open

    with _opening(path), open(path, "rb") as raw:
        file = safe_open(path, framework="pt")
        if not os.path.samestat(os.fstat(raw.fileno()), os.stat(path)):
            # The training that writes it has just put another in its place.
            return open_tensors(path)
        note, expected = _note(file.metadata())
        if expected not in ("", _checksum_within(raw)):
            raise Unreadable(CHANGED)
        raw.seek(0)
        digest = hashlib.file_digest(raw, "sha256").hexdigest()
        return Stored(file, {name: name for name in file.keys()}), note, digest  # noqa: SIM118


def read_kinds(path: Path) -> dict[str, Kind]:
    """Return type and shape of a file's tensors, which stay unread. Raises Unreadable, with the reason."""
    from safetensors import safe_open

    with _opening(path), safe_open(path, framework="numpy") as file:
        slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
        return {n: Kind(one.get_dtype(), tuple(one.get_shape())) for n, one in slices.items()}


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a file's tensors, which stay unread. Raises Unreadable, with the reason."""
    return {name: kind.shape for name, kind in read_kinds(path).items()}


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


def _checksum_within(file: IO[bytes]) -> str:
    """Return the checksum of the tensors in a sound file, as ``_checksum`` has it."""
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    header = json.loads(file.read(length))
    found = 0
    for name in sorted(header.keys() - {"__metadata__"}):
        about = header[name]
        dtype = f"torch.{PLAIN.get(about['dtype'])}"
        found = zlib.crc32(f"{name} {dtype} {about['shape']}".encode(), found)
        start, end = about["data_offsets"]
        file.seek(8 + length + start)
        for left in range(end - start, 0, -AT_ONCE):
            found = zlib.crc32(file.read(min(left, AT_ONCE)), found)
    return f"{found:08x}"


def _crc(data: bytes) -> str:
    return f"{zlib.crc32(data):08x}"
