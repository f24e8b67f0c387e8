"""Numbers of a TIFF that Pillow does not read: floats and integers of any size, grey or in colour.

Programs of science write them plainly: in strips, packed by deflate or not at all. TIFF 6.0, Part 1, and
sections 18 and 19 for alpha, floats and signs; the number that stands for no data is GDAL's.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

import numpy as np

KINDS = {1: "u", 2: "i", 3: "f"}  # sample formats
SIZES = {1: "B", 2: "B", 3: "H", 4: "I", 7: "B", 16: "Q"}  # types of tags that matter here
PROFILE, NO_DATA = 34675, 42113
READ = {256, 257, 258, 259, 262, 273, 274, 277, 279, 284, 317, 338, 339, PROFILE, NO_DATA}  # tags
ASSOCIATED = 1  # of tag 338: colours have been multiplied by alpha, 2: they have not
LARGEST = 3.4e38  # of a float32, nearly
FIRST = 64  # bytes of a profile, or of a number in letters, that are looked at
DEFLATE = (8, 32946)
PLAIN = 1
TURNS = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.transpose(1, 0, 2),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: pixels[::-1, ::-1].transpose(1, 0, 2),
    8: lambda pixels: np.rot90(pixels),
}
"""By orientation, how pixels [H, W, C] come to be seen upright."""


class Plain(NamedTuple):
    """What the directory of such a file says."""

    width: int
    height: int
    channels: int  # 1 or 3, and one more of alpha
    dtype: np.dtype
    packed: int  # how the strips are
    starts: tuple[int, ...]
    counts: tuple[int, ...]
    apart: bool  # a plane for each channel
    inverted: bool  # the lowest number is white
    orientation: int
    alpha: int  # 0 if there is none, 1 if colours have been multiplied by it, 2 if not
    profiled: bool  # a profile says what its colours are
    no_data: float | None  # the number that stands for no measurement

    @property
    def colours(self) -> int:
        """Channels without alpha."""
        return self.channels - bool(self.alpha)

    @property
    def size(self) -> int:
        """Bytes of the pixels."""
        return self.width * self.height * self.channels * self.dtype.itemsize


def described(data: bytes) -> Plain | None:
    """Return the first picture of a TIFF, its pixels not yet read; None for what is not read here.

    Raises ``ValueError`` where the directory is cut short.
    """
    if data[:4] not in (b"II*\0", b"MM\0*"):
        return None
    order = "<" if data[:2] == b"II" else ">"
    try:
        tags = _tags(data, order)
    except struct.error:
        raise ValueError("cut short: its directory is truncated") from None
    one = {tag: values[0] for tag, values in tags.items() if values}
    kind, bits = KINDS.get(one.get(339, 1)), one.get(258, 1)
    channels, packed = one.get(277, 1), one.get(259, PLAIN)
    alpha = one.get(338, 0) if len(tags.get(338, ())) == 1 and channels in (2, 4) else 0
    known = bits in (8, 16, 32, 64) and (kind, bits) != ("f", 8) and len(set(tags[258])) == 1
    known = known and one.get(262) in (0, 1, 2) and one.get(317, 1) == 1
    known = known and channels - bool(alpha) in (1, 3) and alpha in (0, 1, 2)
    if not known or not kind or packed not in (PLAIN, *DEFLATE) or {256, 257, 273} - tags.keys():
        return None
    return Plain(
        one[256],
        one[257],
        channels,
        np.dtype(f"{order}{kind}{bits // 8}"),
        packed,
        tags[273],
        tags.get(279, ()),
        one.get(284, 1) == 2,
        one[262] == 0,
        one.get(274, 1),
        alpha,
        PROFILE in tags,
        number(bytes(tags.get(NO_DATA, ())).decode("latin-1")),
    )


def numbers(data: bytes, plain: Plain) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the pixels [H, W] or [H, W, 3], upright, and their alpha [H, W], None where there is none.

    Raises ``ValueError`` where they are damaged.
    """
    pixels = np.frombuffer(_strips(data, plain), plain.dtype)
    if plain.apart:
        pixels = pixels.reshape(plain.channels, plain.height, plain.width).transpose(1, 2, 0)
    pixels = pixels.reshape(plain.height, plain.width, plain.channels)
    pixels = pixels.astype(plain.dtype.newbyteorder("="), copy=False)
    pixels = TURNS.get(plain.orientation, lambda upright: upright)(pixels)
    colours = pixels[..., : plain.colours]
    return colours[..., 0] if plain.colours == 1 else colours, pixels[
        ..., -1
    ] if plain.alpha else None


def number(text: str) -> float | None:
    """Return the number that letters spell, as GDAL writes the one for no data, None where none can be."""
    try:
        found = float(text.strip("\0 "))
    except ValueError:
        return None
    return found if abs(found) < LARGEST else None


def _tags(data: bytes, order: str) -> dict[int, tuple[int, ...]]:
    """Return the whole numbers of the first directory."""
    (start,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, start)
    found = {}
    for place in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, many = struct.unpack_from(f"{order}2HI", data, place)
        letter = SIZES.get(kind)
        if letter is None or many > len(data) or tag not in READ:
            continue
        many = min(many, FIRST) if tag in (PROFILE, NO_DATA) else many
        long = struct.calcsize(letter) * many > 4
        at = struct.unpack_from(f"{order}I", data, place + 8)[0] if long else place + 8
        found[tag] = struct.unpack_from(f"{order}{many}{letter}", data, at)
    return found


def _strips(data: bytes, plain: Plain) -> bytes:
    """Return the bytes of all strips."""
    counts = plain.counts or (plain.size,)
    parts, left = [], plain.size
    for start, count in zip(plain.starts, counts, strict=False):
        part = data[start : start + count]
        if plain.packed != PLAIN:
            try:
                part = zlib.decompressobj().decompress(part, max(1, left))
            except zlib.error as error:
                raise ValueError(f"damaged: {error}") from None
        parts.append(part[:left])
        left -= len(parts[-1])
    if left:
        raise ValueError(f"cut short: {plain.size - left:,} of {plain.size:,} bytes of its pixels")
    return b"".join(parts)
