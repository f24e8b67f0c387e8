"""A PNG without what keeps Pillow from opening it, and what its chunks say of its colours.

Pillow loses a whole picture over a text or a profile of more than 1 MB, and its limits are of the whole
process. Nothing here needs text, but for the orientation that some tools write into it.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

SIGNATURE = b"\x89PNG\r\n\x1a\n"
TEXTS = (b"tEXt", b"zTXt", b"iTXt")
TURNING = (b"Raw profile type exif", b"XML:com.adobe.xmp")  # keywords of text with an orientation
MOST_TEXT = 1 << 19  # bytes, unpacked, of a text that is kept
MOST_PROFILE = 16 << 20  # bytes, unpacked: the largest printer profiles have some megabytes


class Trimmed(NamedTuple):
    """A PNG that Pillow opens, and what was taken out of it."""

    data: bytes
    profile: bytes | None  # of its colours; b"" where it cannot be unpacked
    coded: tuple[int, int] | None  # primaries and transfer curve by the numbers of H.273 (cICP)


def trimmed(data: bytes) -> Trimmed:
    """Return a PNG, or the beginning of one, without texts and profile; other bytes as they are."""
    if not data.startswith(SIGNATURE):
        return Trimmed(data, None, None)
    profile, coded, kept, dropped, seen = None, None, [SIGNATURE], False, set()
    for kind, start, stop in _chunks(data):
        body = data[start + 8 : min(stop - 4, start + 8 + MOST_PROFILE)] if kind != b"IDAT" else b""
        if kind == b"iCCP":
            profile, dropped = _profile(body), True
            continue
        if kind in TEXTS:
            keyword = body[:80].partition(b"\0")[0]
            if keyword in seen or not _short(kind, body):
                dropped = True
                continue
            seen.add(keyword)
        if kind == b"cICP" and len(body) == 4:
            coded = body[0], body[1]
        kept.append(data[start:stop])
    return Trimmed(b"".join(kept) if dropped else data, profile, coded)


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of every chunk; a last one that is cut short ends with the data."""
    start = len(SIGNATURE)
    while start + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, start)
        yield kind, start, min(start + 12 + length, len(data))
        start += 12 + length
    if start < len(data):
        yield b"", start, len(data)


def _short(kind: bytes, body: bytes) -> bool:
    """Return whether a text may hold an orientation and is of a size that Pillow takes."""
    keyword, _, rest = body.partition(b"\0")
    if keyword not in TURNING or len(body) > MOST_TEXT:
        return False
    packed = kind == b"zTXt" or (kind == b"iTXt" and rest[:1] == b"\1")
    if kind == b"iTXt":  # flag, method, language, translated keyword, text
        rest = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    return not packed or bool(_unpacked(rest[1:] if kind == b"zTXt" else rest, MOST_TEXT))


def _profile(body: bytes) -> bytes:
    return _unpacked(body.partition(b"\0")[2][1:], MOST_PROFILE)


def _unpacked(data: bytes, most: int) -> bytes:
    """Return unpacked bytes, or none where they are damaged or more than ``most``."""
    unpacker = zlib.decompressobj()
    try:
        found = unpacker.decompress(data, most)
    except zlib.error:
        return b""
    return found if unpacker.eof else b""
