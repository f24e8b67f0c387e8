"""Which size a file promises in its first bytes: for decoders that make room for it when they open it."""

from __future__ import annotations


def promised(data: bytes) -> tuple[int, int] | None:
    """Return width and height of a WebP or JPEG XL, or None for other files and damaged ones."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    if is_jpeg_xl(data):
        return _jpeg_xl(data)
    return None


def is_jpeg_xl(data: bytes) -> bool:
    """Return whether these are the first bytes of a JPEG XL, bare or in its container."""
    return data[:2] == b"\xff\x0a" or data[:12] == b"\0\0\0\x0cJXL \r\n\x87\n"


def _webp(data: bytes) -> tuple[int, int] | None:
    kind, body = data[12:16], data[20:30]
    if len(body) < 10:
        return None
    if kind == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(
        body[8:10], "little"
    ) & 0x3FFF


RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))


def _jpeg_xl(data: bytes) -> tuple[int, int] | None:
    """Read the SizeHeader of ISO/IEC 18181-1, which comes first, from its lowest bit on."""
    start = 2
    if data[:2] != b"\xff\x0a":
        box = max(data.find(b"jxlc", 12, 4096), data.find(b"jxlp", 12, 4096))
        start = data.find(b"\xff\x0a", box, box + 16) + 2 if box > 0 else 1
        if start < 2:
            return None
    bits = int.from_bytes(data[start : start + 10], "little")

    def take(count: int) -> int:
        nonlocal bits
        value, bits = bits & ((1 << count) - 1), bits >> count
        return value

    def length() -> int:
        return 8 * (1 + take(5)) if small else 1 + take((9, 13, 18, 30)[take(2)])

    small = take(1)
    height, ratio = length(), take(3)
    if ratio:
        across, down = RATIOS[ratio - 1]
        return height * across // down, height
    return length(), height
