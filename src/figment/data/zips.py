"""The members of a zip, read where they lie: nothing is ever extracted.

``zipfile`` takes 0.8 GB for a directory of a million files and trusts what it says; this reads the
directory into arrays, a quarter of that, and refuses bombs. Layout: PKWARE's APPNOTE 6.3.
"""

from __future__ import annotations

import os
import re
import stat
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from figment.errors import UserError

MEMBER = np.dtype(
    [("offset", "i8"), ("packed", "i8"), ("size", "i8"), ("crc", "u4"), ("method", "u2")]
)
STORED, DEFLATED = 0, 8
Place = tuple[int, int, int, int, int]  # of a member, as MEMBER
MOST_MEMBERS = 300_000
"""Three seconds of reading a directory: of more the folder is as easily given."""
LARGEST = 1 << 28  # bytes of one picture file: more than any under the pixel limit needs
FREE = 1 << 24  # bytes that a member may unpack to whatever its ratio: blank pictures pack well
RATIO = 200  # times a member, or all of them together, may grow from there on: photographs do not
FREE_SUM = 1 << 30

ODD = re.compile(r"(^|/)\.{0,2}(/|$)")  # parts of a path that lead elsewhere or nowhere
END = struct.Struct("<4s4H2LH")
END64 = struct.Struct("<4sQ2H2L4Q")
ENTRY = struct.Struct("<4s6H3L5H2L")


class Member(NamedTuple):
    """One file of a zip."""

    name: str  # parts that lead elsewhere taken out, folders by "/"
    reason: str  # why it cannot be read, or ""
    place: Place


def members(path: Path) -> Iterator[Member]:
    """Yield the files that a zip's directory names, folders left out.

    Raises UserError where it is no zip, or one made to do harm: members that overlap, or that unpack
    to far more than pictures do.
    """
    try:
        with open(path, "rb") as file:
            directory, count, shift = _directory(path, file)
        found = list(_entries(directory, count, shift))
    except (OSError, ValueError, struct.error) as error:
        error = "its directory is cut short" if isinstance(error, struct.error) else error
        raise UserError(f"{path} is not a zip that can be read ({error}): fetch it again") from None
    _refuse_bombs(path, found)
    end = path.stat().st_size
    for name, flags, link, place in found:
        spelled = name.replace("\\", "/")  # some Windows tools write these
        if not spelled.endswith("/"):
            if ODD.search(spelled):
                spelled = "/".join(p for p in spelled.split("/") if p not in ("", ".", ".."))
            yield Member(spelled, "a link" if link else _reason(flags, place, end), place)


def read_member(file: IO[bytes], member: Place, most: int) -> bytes:
    """Return the bytes of a member, or some of its first ``most``; ValueError where it is damaged."""
    offset, packed, size, crc, method = member
    file.seek(offset)
    head = file.read(30)
    if head[:4] != b"PK\x03\x04" or len(head) < 30:
        raise ValueError("damaged in the zip: no entry where the directory says")
    file.seek(sum(struct.unpack("<2H", head[26:30])), os.SEEK_CUR)
    data = file.read(min(packed, most))
    if method == DEFLATED:  # never unpack more than was promised
        data = zlib.decompressobj(-15).decompress(data, min(size + 1, most))
    if most < size:
        return data
    if len(data) != size or zlib.crc32(data) != crc:
        raise ValueError("damaged in the zip: wrong checksum")
    return data


def _reason(flags: int, place: Place, end: int) -> str:
    offset, packed, size, _, method = place
    if offset + packed > end:
        return "damaged in the zip: its bytes lie beyond the end"
    if flags & 1:
        return "encrypted: unzip it with its password first"
    if method not in (STORED, DEFLATED):
        return f"compression method {method}: zip it again with deflate"
    if size > LARGEST:
        return f"{size / 1e9:.1f} GB: too large for a picture"
    if size > FREE and size > RATIO * max(1, packed):
        return f"unpacks to {size // max(1, packed):,} times its size: refused as a zip bomb"
    return ""


def _refuse_bombs(path: Path, found: list[tuple[str, int, bool, Place]]) -> None:
    """Raise UserError for members that share bytes, or that are out of all proportion together."""
    if not found:
        return
    places = np.array([place[:3] for *_, place in found], np.float64)  # sizes go up to 2^64
    places = places[np.argsort(places[:, 0])]
    offset, packed, size = places.T
    if (offset[:-1] + 30 + packed[:-1] > offset[1:]).any():
        raise UserError(
            f"{path} is refused as a zip bomb: members overlap. Fetch it again, or unpack it"
        )
    total = float(size.sum())
    if total > FREE_SUM and total > RATIO * path.stat().st_size:
        raise UserError(
            f"{path} is refused as a zip bomb: it unpacks to {total / 1e9:,.0f} GB. If these are your own "
            "pictures, unpack it and give the folder"
        )


def _directory(path: Path, file: IO[bytes]) -> tuple[bytes, int, int]:
    """Return the bytes of the directory, how many files it names, and how far offsets are shifted."""
    length = file.seek(0, os.SEEK_END)
    start = max(0, length - END.size - 65_535)
    file.seek(start)
    tail = file.read()
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or place + END.size > len(tail):
        raise ValueError("it has no directory" if length else "it is empty")
    _, disk, _, _, count, size, offset, _ = END.unpack_from(tail, place)
    end = start + place
    if tail[max(0, place - 20) : place][:4] == b"PK\x06\x07":
        (at,) = struct.unpack_from("<Q", tail, place - 12)
        file.seek(min(at, length))
        fields = END64.unpack(file.read(END64.size))
        if fields[0] != b"PK\x06\x06":
            raise ValueError("its directory is damaged")
        count, size, offset = fields[7:10]
        end = at
    elif disk:
        raise ValueError("it is one part of several")
    if count > MOST_MEMBERS:
        raise UserError(
            f"{path} names {count:,} files, and a zip is read up to {MOST_MEMBERS:,}: "
            "unpack it and give the folder"
        )
    if size > end or offset > end - size:
        raise ValueError("its directory is cut short")
    file.seek(end - size)
    return file.read(size), count, end - size - offset


def _entries(directory: bytes, count: int, shift: int) -> Iterator[tuple[str, int, bool, Place]]:
    """Yield (name, flags, whether it is a link, place) of a directory's entries."""
    at = 0
    for _ in range(count):
        mark, _, _, flags, method, _, _, crc, packed, size, *lengths, mode, offset = (
            ENTRY.unpack_from(directory, at)
        )
        if mark != b"PK\x01\x02":
            raise ValueError("its directory is damaged")
        named, extra, comment = lengths[:3]
        at += ENTRY.size
        raw = directory[at : at + named]
        if 0xFFFFFFFF in (packed, size, offset):
            more = directory[at + named : at + named + extra]
            size, packed, offset = _large(more, size, packed, offset)
        at += named + extra + comment
        yield (
            _spelled(raw),
            flags,
            stat.S_ISLNK(mode >> 16),
            (offset + shift, packed, size, crc, method),
        )


def _large(extra: bytes, *fields: int) -> list[int]:
    """Return sizes and offset with those that do not fit 32 bits from the extra field."""
    at, found = 0, list(fields)
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            wide = iter(struct.unpack_from(f"<{length // 8}Q", extra, at + 4))
            found = [next(wide, field) if field == 0xFFFFFFFF else field for field in fields]
        at += 4 + length
    return found


def _spelled(raw: bytes) -> str:
    """Return a name: UTF-8, which many tools write without saying so, or the old IBM code page."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp437")
