"""PNG files, quickly, and with words in them: what is drawn is encoded for every request.

Rows are filtered by Up (the difference to the row above) and packed by zlib at level 1: at 64 pixels a
third of the time that Pillow takes at its default, for files a few percent larger.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, COLOUR = 0, 2  # colour types
UP = 2  # filter type


def png_of(pixels: np.ndarray, text: Mapping[str, str] | None = None) -> bytes:
    """Return pixels [C, H, W], uint8 of one or three channels, as a PNG.

    ``text`` is written into it by keyword: as tEXt, or as iTXt where it is not Latin-1.
    """
    channels, height, width = pixels.shape
    rows = np.ascontiguousarray(pixels.transpose(1, 2, 0)).reshape(height, width * channels)
    filtered = np.empty((height, 1 + rows.shape[1]), np.uint8)
    filtered[:, 0] = UP
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])  # modulo 256, as the format has it
    kind = GREY if channels == 1 else COLOUR
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    chunks = [_chunk(b"IHDR", header)]
    chunks += [_text(keyword, value) for keyword, value in (text or {}).items()]
    chunks += [_chunk(b"IDAT", zlib.compress(filtered.tobytes(), 1)), _chunk(b"IEND", b"")]
    return SIGNATURE + b"".join(chunks)


def _text(keyword: str, value: str) -> bytes:
    """Return a chunk of text: PNG specification, 11.3.3."""
    try:
        return _chunk(b"tEXt", keyword.encode("latin-1") + b"\0" + value.encode("latin-1"))
    except UnicodeEncodeError:  # not compressed, of no language, its keyword not translated
        return _chunk(b"iTXt", keyword.encode("latin-1") + b"\0\0\0\0\0" + value.encode())


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
