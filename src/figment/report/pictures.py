"""Sample pictures for a page: which moments to show, and each picture as a data URI."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from figment.records import regular

VERBATIM = 60_000  # bytes of a PNG that goes into the page as it is; above, WebP is far smaller
SIDE = 512  # pixels of the longer side of a thumbnail, for screens of two pixels a point
LARGE_VERBATIM = 1_000_000
LARGE_SIDE = 1280
LARGEST_FILE, LARGEST_PICTURE = 200_000_000, 100_000_000  # bytes, pixels


@dataclass(frozen=True)
class Picture:
    """A picture inside the page: its data URI and its size in pixels."""

    uri: str
    width: int
    height: int


def log_spaced(numbers: Sequence[int], count: int = 8) -> list[int]:
    """Return at most ``count`` of the increasing numbers: first, last, and log-spaced between.

    Much happens early in a training and little late; so do the moments stand.
    """
    if len(numbers) <= count:
        return list(numbers)
    left = [*numbers[1:-1]]
    chosen = [numbers[0], numbers[-1]]
    start = numbers[0] or numbers[1]
    for target in np.geomspace(start, numbers[-1], count)[1:-1]:
        best = min(left, key=lambda number: abs(np.log(number / target)))
        left.remove(best)
        chosen.append(best)
    return sorted(chosen)


def large(path: Path, side: int = LARGE_SIDE) -> Picture:
    """Return the picture in full, its pixels untouched unless the file is very big.

    Then its longer side is at most ``side``. Raises OSError for a file that is no whole picture.
    """
    return _embed(path, LARGE_VERBATIM, side, quality=90)


def thumbnail(path: Path) -> Picture:
    """Return the picture in a small form, a few tens of kB. Raises OSError as ``large`` does."""
    return _embed(path, VERBATIM, SIDE, quality=80)


def _embed(path: Path, verbatim: int, side: int, *, quality: int) -> Picture:
    from PIL import Image

    try:
        regular(path, LARGEST_FILE)
        content = path.read_bytes()
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:  # others may start programs
            if image.width * image.height > LARGEST_PICTURE:
                raise OSError(f"{path} is too large for a page: {image.width} x {image.height}")
            image.load()
    except (
        SyntaxError,
        ValueError,
        Image.DecompressionBombError,
    ) as error:  # of broken chunks, too
        raise OSError(f"{path} is no whole picture: {error}") from error
    if len(content) <= verbatim:
        return Picture(_uri(content, "png"), *image.size)
    if image.mode not in ("L", "RGB", "RGBA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    image.thumbnail((side, side))
    stream = io.BytesIO()
    image.save(stream, "WEBP", quality=quality)
    return Picture(_uri(stream.getvalue(), "webp"), *image.size)


def _uri(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
