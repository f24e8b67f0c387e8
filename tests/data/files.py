"""Picture files made byte by byte: what Pillow would not write, or would write another way."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

from figment.data.colour import D65, PRIMARIES, matrix_profile

ADOBE_RGB = matrix_profile((0.64, 0.33, 0.21, 0.71, 0.15, 0.06), D65, 2.19921875)
DISPLAY_P3 = matrix_profile(PRIMARIES[12], D65, None)
TYPES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6  # colour types of PNG


def saved(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    """The bytes of a file as Pillow writes it."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def flat(*channels: float, dtype=np.uint8, brightest: float | None = None) -> np.ndarray:
    """8 x 8 pixels of one colour, [8, 8] or [8, 8, C]; the last row is of another number."""
    pixels = np.full((8, 8, len(channels)), channels, dtype)
    if brightest is not None:
        pixels[-1] = brightest
    return pixels[..., 0] if len(channels) == 1 else pixels


def png(pixels: np.ndarray, kind: int, depth: int = 8, **chunks: bytes) -> bytes:
    """A PNG of pixels [H, W] or [H, W, C], every row with the filter Sub; chunks come before them."""
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    if depth < 8:
        bits = np.unpackbits(pixels.astype(np.uint8)[..., None], axis=-1)[..., 8 - depth :]
        rows = np.packbits(bits.reshape(height, -1), axis=1)
    else:
        rows = pixels.reshape(height, -1).astype(f">u{depth // 8}").view(np.uint8)
    step = max(1, channels * depth // 8)
    left = np.pad(rows, ((0, 0), (step, 0)))[:, : rows.shape[1]]
    lines = b"".join(
        b"\1" + (row - before).tobytes() for row, before in zip(rows, left, strict=True)
    )
    parts = {"IHDR": struct.pack(">2I5B", width, height, depth, kind, 0, 0, 0)} | chunks
    parts |= {"IDAT": zlib.compress(lines), "IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(name, data) for name, data in parts.items())


def chunk(name: str, data: bytes) -> bytes:
    """One chunk of a PNG."""
    body = name.encode() + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def tiff(
    pixels: np.ndarray,
    photometric: int = 1,
    *,
    bits: int | None = None,
    order: str = "<",
    **tags: int | bytes | tuple[int, ...],
) -> bytes:
    """An uncompressed TIFF of pixels [H, W] or [H, W, C], byte by byte; tags by number as ``t338=2``.

    A tag of bytes holds letters, one of several numbers 16 bits each.
    """
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    bits = bits or 8 * pixels.dtype.itemsize
    data = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    if bits == 12:
        wide = np.unpackbits(pixels.astype(">u2").view(np.uint8).reshape(-1, 2), axis=1)[:, 4:]
        data = np.packbits(wide.reshape(height, -1), axis=1).tobytes()
    if bits == 1:
        data = np.packbits(pixels, axis=1).tobytes()
    formats = {"u": 1, "i": 2, "f": 3}
    entries = {
        256: width,
        257: height,
        259: 1,
        262: photometric,
        273: 8,
        277: channels,
        278: height,
    }
    entries |= {279: len(data), 339: formats[pixels.dtype.kind]}
    entries |= {int(name[1:]): value for name, value in tags.items()}
    entries[258] = bits
    more = b""
    start = 8 + len(data) + len(data) % 2
    later = start + 2 + 12 * len(entries) + 4
    table = struct.pack(f"{order}H", len(entries))
    for tag, value in sorted(entries.items()):
        many = channels if tag in (258, 339) else 1
        if isinstance(value, bytes | tuple):
            kind = 2 if isinstance(value, bytes) else 3
            table += struct.pack(f"{order}2H2I", tag, kind, len(value), later + 16 + len(more))
            more += value if kind == 2 else struct.pack(f"{order}{len(value)}H", *value)
            more += bytes(len(more) % 2)
        elif many > 2:
            table += struct.pack(f"{order}2H2I", tag, 3, many, later + 8 * (tag == 339))
        elif tag in (273, 279, 256, 257, 278):
            table += struct.pack(f"{order}2H2I", tag, 4, 1, value)
        else:
            table += struct.pack(f"{order}2HI2H", tag, 3, many, value, value if many == 2 else 0)
    table += bytes(4)
    table += struct.pack(f"{order}4H", *[bits] * 4) + struct.pack(f"{order}4H", *[entries[339]] * 4)
    head = b"II*\0" if order == "<" else b"MM\0*"
    return head + struct.pack(f"{order}I", start) + data + bytes(len(data) % 2) + table + more


def without_adobe(jpeg: bytes) -> bytes:
    """A JPEG without the marker of Adobe's programs."""
    start = jpeg.index(b"\xff\xee")
    return jpeg[:start] + jpeg[start + 2 + struct.unpack_from(">H", jpeg, start + 2)[0] :]


def icc(kind: bytes, space: bytes, between: bytes, **tags: bytes) -> bytes:
    """An ICC profile, version 2: class, colours of the file, colours between, tags by name."""
    text = b"desc\0\0\0\0\0\0\0\5test\0" + bytes(78)
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    tags = {"desc": text, "cprt": b"text\0\0\0\0none\0", "wtpt": white} | tags
    start = 132 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, tag in tags.items():
        table += struct.pack(">4sII", name.encode(), start + len(body), len(tag))
        body += tag + bytes(-len(tag) % 4)
    head = struct.pack(
        ">I4sI4s4s4s12x4s", start + len(body), b"lcms", 2 << 24, kind, space, between, b"acsp"
    )
    return head + bytes(28) + struct.pack(">3i", 63190, 65536, 54061) + bytes(48) + table + body


def grey_profile(gamma: float) -> bytes:
    """A profile of grey pictures."""
    curve = struct.pack(">4s4xIH", b"curv", 1, round(256 * gamma))
    return icc(b"mntr", b"GRAY", b"XYZ ", kTRC=curve)


def table_profile(space: bytes, lightness: np.ndarray) -> bytes:
    """A profile by a table of lightness (0 to 100) at the corners, [2, 2, 2] or with a fourth ink."""
    inputs, ramp = lightness.ndim, bytes(range(256))
    corners = np.full((lightness.size, 3), 128, np.uint8)
    corners[:, 0] = np.rint(lightness.ravel() * 2.55)
    matrix = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    head = b"mft1\0\0\0\0" + bytes([inputs, 3, 2, 0]) + matrix
    table = head + ramp * inputs + corners.tobytes() + ramp * 3
    kind = b"prtr" if space == b"CMYK" else b"scnr"
    return icc(kind, space, b"Lab ", A2B0=table)
