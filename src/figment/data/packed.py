"""Packed files: ``.npy`` and ``.npz`` of uint8 pictures, memory-mapped where they lie."""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import numpy as np

from figment.data.cache import folder_for, key_of, read_card, write_card
from figment.data.order import evenly_spaced
from figment.data.sources import existing, natural, readable
from figment.data.square import Form
from figment.data.structure import check_folders
from figment.errors import UserError
from figment.files import MARK

IMAGES = ("images", "x", "x_train", "arr_0")
LABELS = ("labels", "y", "y_train", "arr_1")
DEFLATE = 1032  # times that deflate can make bytes more, at most
GLANCE = 32 << 20  # bytes of the few pictures that are looked at first
MOST_ROWS = 20_000_000
MOST_LABELS = 1 << 28  # bytes


@dataclass(frozen=True)
class Packed:
    """A packed file of which headers and labels have been read, the pictures not yet."""

    source: str
    path: Path
    member: str  # name inside the .npz, "" for a .npy
    shape: tuple[int, ...]  # as stored
    layout: str  # NHW, NHWC or NCHW
    fortran: bool
    start: int | None  # byte of the file where the pixels begin; None where they are compressed
    crc: int | None  # of the member; None for a .npy
    labels: np.ndarray  # [N] int64
    classes: tuple[str, ...]
    card: dict | None  # what ``write_npz`` noted

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.shape[2:] if self.layout == "NCHW" else self.shape[1:3]  # ty: ignore

    @property
    def channels(self) -> int:
        """1, 3 or 4 (with transparency)."""
        return {"NHW": 1, "NHWC": self.shape[-1], "NCHW": self.shape[1]}[self.layout]


def is_packed(source: str) -> bool:
    """Return whether a source is to be read as a packed file."""
    path = Path(source).expanduser()
    return path.suffix.lower() in (".npy", ".npz") and not path.is_dir()


def read_packed(source: str, folders: str = "auto") -> Packed:
    """Return what a packed file says of itself; its pictures stay where they are.

    Wanted are uint8 [N, H, W], [N, H, W, C] or [N, C, H, W], in an .npz under ``images``, ``x`` or
    ``arr_0``, with labels [N] under ``labels`` or ``y``, which ``folders`` "none" leaves aside.
    ``UserError`` for anything else.
    """
    path = existing(source)
    try:
        npz = path.suffix.lower() == ".npz"
        packed = _read_npz(source, path) if npz else _read_npy(source, path)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, struct.error) as error:
        detail = " ".join(str(error).split())
        detail = "its header is damaged" if "malformed" in detail else detail
        raise UserError(f"{source} cannot be read as a packed file: {detail}") from None
    check_folders(folders)
    if folders == "none":
        packed = replace(packed, labels=np.zeros_like(packed.labels), classes=())
    return packed


def stored(packed: Packed) -> np.memmap:
    """Return the pictures as they are stored, memory-mapped.

    Compressed ones cannot be mapped: they are unpacked to the cache once, in constant memory.
    """
    path, start = packed.path, packed.start
    if start is None:
        needed = math.prod(packed.shape)
        folder = folder_for(state(packed), lambda folder: _inflate(packed, folder), needed=needed)
        path, start = folder / "images.raw", 0
    order = "F" if packed.fortran else "C"
    return np.memmap(path, np.uint8, "r", start, packed.shape, order)


def part(pixels: np.memmap, start: int, stop: int) -> np.ndarray:
    """Return some pictures of those stored, read and not mapped: what was mapped fills the memory."""
    if not pixels.flags.c_contiguous:
        return np.ascontiguousarray(pixels[start:stop])
    size, shape = math.prod(pixels.shape[1:]), (stop - start, *pixels.shape[1:])
    place = pixels.offset + start * size
    return np.fromfile(str(pixels.filename), np.uint8, math.prod(shape), offset=place).reshape(
        shape
    )


def as_they_are(packed: Packed, form: Form) -> np.ndarray | None:
    """Return rows [N, C, R, R] if the file holds just these, None if it must be converted."""
    channels, *size = form.shape
    if packed.size != tuple(size) or packed.channels != channels or packed.fortran:
        return None
    if packed.layout == "NHWC" and channels > 1:
        return None
    return stored(packed).reshape(len(packed), *form.shape)


def some(packed: Packed, most: int) -> np.ndarray:
    """Return a few pictures as stored, fewer of large ones: evenly spread, or the first of compressed."""
    most = max(1, min(most, GLANCE // math.prod(packed.shape[1:])))
    if packed.start is not None:
        return evenly_spaced(stored(packed), most)
    most = 1 if packed.fortran else min(most, len(packed))
    with _inside(packed) as pixels:
        first = pixels.read(most * math.prod(packed.shape[1:]))
    return np.frombuffer(first, np.uint8).reshape(most, *packed.shape[1:])


def in_colour(pictures: np.ndarray, layout: str) -> np.ndarray:
    """Return pictures as stored in channels-last form, [N, H, W, C] or [N, H, W], for Pillow."""
    pictures = pictures.transpose(0, 2, 3, 1) if layout == "NCHW" else pictures
    return pictures[..., 0] if pictures.ndim == 4 and pictures.shape[-1] == 1 else pictures


def state(packed: Packed) -> str:
    """Return the cache key of the stored pictures: checksums for an .npz, path and times else."""
    labels = hashlib.sha256(packed.labels.tobytes()).hexdigest()
    if packed.crc is not None:
        return key_of("npz", packed.shape, packed.crc, labels, packed.classes)
    status = os.stat(packed.path)
    times = status.st_size, status.st_mtime_ns, status.st_ctime_ns
    return key_of("npy", str(packed.path.resolve()), *times)


def fingerprint_of(packed: Packed) -> str:
    """Return a digest of the content, the same wherever the file lies.

    Our own packs carry the fingerprint of what they were made from, void if a checksum differs. For
    another .npz it is made of the zip's checksums, for an .npy of its bytes, read once.
    """
    card = packed.card
    if card and card.get("checksum") == packed.crc:
        return card["fingerprint"]
    if packed.crc is not None:
        return hashlib.sha256(state(packed).encode()).hexdigest()

    def build(folder: Path) -> None:
        with open(packed.path, "rb") as file:
            write_card(folder, {"sha256": hashlib.file_digest(file, "sha256").hexdigest()})

    return read_card(folder_for(key_of("sha256", state(packed)), build, needed=100))["sha256"]


def write_npz(path: Path, rows: np.ndarray, labels: np.ndarray, card: dict) -> None:
    """Write an uncompressed pack: the rows, and beside them the labels and a card."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.comment = MARK.encode()
        with archive.open(zipfile.ZipInfo("images.npy"), "w", force_zip64=True) as file:
            write_rows(file, rows)
        checksum = archive.getinfo("images.npy").CRC
        texts = np.array(json.dumps(card | {"checksum": checksum}))
        arrays = {"labels": labels, "classes": np.array(card["classes"], np.str_), "card": texts}
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w") as file:
                np.lib.format.write_array(file, array, allow_pickle=False)


def write_rows(file: IO[bytes], rows: np.ndarray) -> None:
    """Write rows as an .npy, a few megabytes at a time."""
    file.write(npy_header(rows.shape))
    step = max(1, (4 << 20) // math.prod(rows.shape[1:]))
    for start in range(0, len(rows), step):
        file.write(rows[start : start + step].tobytes())


def npy_header(shape: tuple[int, ...]) -> bytes:
    """Return the head of an .npy of uint8 rows; its length does not depend on their number."""
    head = io.BytesIO()
    entry = {"descr": "|u1", "fortran_order": False, "shape": tuple(map(int, shape))}
    np.lib.format.write_array_header_1_0(head, entry)
    return head.getvalue()


def _read_npy(source: str, path: Path) -> Packed:
    with open(path, "rb") as file:
        shape, fortran, layout = _header(source, file)
        start = file.tell()
    expected = start + math.prod(shape)
    if shape[0] > MOST_ROWS:
        raise ValueError(f"it claims {shape[0]:,} pictures, of at most {MOST_ROWS:,}")
    if os.path.getsize(path) < expected:
        raise ValueError(f"it is cut short: {os.path.getsize(path):,} of {expected:,} bytes")
    labels = np.zeros(shape[0], np.int64)
    return Packed(source, path, "", shape, layout, fortran, start, None, labels, (), None)


def _read_npz(source: str, path: Path) -> Packed:
    with zipfile.ZipFile(path) as archive:
        held = [name.removesuffix(".npy") for name in archive.namelist()]
        member = next((name for name in IMAGES if name in held), None)
        if member is None:
            names = ", ".join(held[:6]) or "nothing"
            raise UserError(f"{source} holds {names}: name the array of pictures images")
        info = archive.getinfo(f"{member}.npy")
        with archive.open(info) as file:
            shape, fortran, layout = _header(source, file)
            head = file.tell()
        _check_size(shape, head, info)
        start = None
        if info.compress_type == zipfile.ZIP_STORED:
            with open(path, "rb") as file:
                file.seek(info.header_offset + 26)
                start = info.header_offset + 30 + sum(struct.unpack("<2H", file.read(4))) + head
        tags = next((name for name in LABELS if name in held), None)
        names = _distinct(_array(archive, "classes")) if "classes" in held else ()
        given = _array(archive, tags) if tags else None
        labels, classes = _labels(source, given, names, shape[0])
        card = json.loads(str(_array(archive, "card"))) if "card" in held else None
    return Packed(
        source, path, member, shape, layout, fortran, start, info.CRC, labels, classes, card
    )


def _check_size(shape: tuple[int, ...], head: int, info: zipfile.ZipInfo) -> None:
    """Raise ValueError where a member does not hold the pictures that its header promises."""
    expected = head + math.prod(shape)
    if info.file_size != expected:
        raise ValueError(f"its pictures are {info.file_size:,} bytes and should be {expected:,}")
    stored = info.compress_type == zipfile.ZIP_STORED
    most = info.compress_size if stored else DEFLATE * (info.compress_size + 1)
    if expected > most or shape[0] > MOST_ROWS:
        raise ValueError(f"its {shape[0]:,} pictures cannot be in {info.compress_size:,} bytes")


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """Return a small array of an .npz; ValueError where its header promises more than there is."""
    info = archive.getinfo(f"{name}.npy")
    with archive.open(info) as file:
        version = np.lib.format.read_magic(file)
        first = version == (1, 0)
        read_head = (
            np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = read_head(file)
    size = math.prod(shape) * dtype.itemsize
    if dtype.hasobject:
        raise ValueError(f"{name} holds Python objects, which could be code: save numbers or texts")
    if size > info.file_size or size > MOST_LABELS:
        raise ValueError(f"{name} of {size:,} bytes is more than there is, or than labels take")
    with archive.open(info) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _distinct(names: np.ndarray) -> tuple[str, ...]:
    """Return the names of classes as they can be printed; equal ones get their number."""
    plain = [readable(str(name)) for name in names.ravel()]
    twice = {name for name, count in Counter(plain).items() if count > 1}
    return tuple(f"{name} ({i})" if name in twice else name for i, name in enumerate(plain))


def _header(source: str, file: IO[bytes]) -> tuple[tuple[int, ...], bool, str]:
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
    else:
        shape, fortran, dtype = np.lib.format.read_array_header_2_0(file)
    if dtype != np.uint8:
        raise UserError(
            f"{source} holds {dtype} values; figment wants uint8, 0 to 255: {_cure(dtype)}"
        )
    layout = "NHW" if len(shape) == 3 else ""
    if len(shape) == 4 and shape[3] in (1, 3, 4) and (shape[1] > 4 or shape[1] == shape[2]):
        layout = "NHWC"
    elif len(shape) == 4 and shape[1] in (1, 3, 4):
        layout = "NCHW"
    if layout and shape[0] == 0:
        raise UserError(f"{source} holds no picture: its array has the shape {list(shape)}")
    if not layout or 0 in shape:
        raise UserError(
            f"{source} holds an array of shape {list(shape)}; figment wants [N, H, W], [N, H, W, C]"
            " or [N, C, H, W] with 1, 3 or 4 channels"
        )
    return shape, fortran, layout


def _cure(dtype: np.dtype) -> str:
    """Return how values of a type become whole numbers from 0 to 255."""
    cures = {
        "b": "255 * x.astype('uint8')",
        "f": "(x * 255).round().astype('uint8') if they lie in [0, 1]",
        **dict.fromkeys("iu", "x.astype('uint8') if they lie there, else scale them to it first"),
        "c": "scale np.abs(x), or whichever part is the picture, to it",
    }
    return cures.get(dtype.kind, "give pixels, in numbers")


def _labels(
    source: str, given: np.ndarray | None, names: tuple[str, ...], count: int
) -> tuple[np.ndarray, tuple[str, ...]]:
    if given is None:
        return np.zeros(count, np.int64), ()
    if given.size != count or given.dtype.kind not in "iuUb":
        raise UserError(
            f"{source} holds labels of shape {list(given.shape)} and type {given.dtype} for"
            f" {count:,} pictures: give one whole number or name for each"
        )
    given = given.ravel()
    if names and given.dtype.kind in "iu" and given.min() >= 0 and given.max() < len(names):
        return given.astype(np.int64), names
    if len(names) == 0 and not given.any():
        return np.zeros(count, np.int64), ()
    values, labels = np.unique(given, return_inverse=True)
    order = sorted(range(len(values)), key=lambda i: natural(str(values[i])))
    order = order if given.dtype.kind == "U" else list(range(len(values)))
    if len(values) < 2:
        return np.zeros(count, np.int64), ()
    return np.argsort(order)[labels].astype(np.int64), _distinct(values[order])


@contextmanager
def _inside(packed: Packed) -> Generator[IO[bytes]]:
    """Yield the pixels of a compressed member as a stream."""
    with zipfile.ZipFile(packed.path) as archive, archive.open(f"{packed.member}.npy") as file:
        _header(packed.source, file)
        yield file


def _inflate(packed: Packed, folder: Path) -> None:
    try:
        with _inside(packed) as pixels, open(folder / "images.raw", "wb") as file:
            while block := pixels.read(4 << 20):
                file.write(block)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise UserError(f"{packed.source} is damaged ({error}): fetch or pack it again") from None
    write_card(folder, {"source": packed.source})
