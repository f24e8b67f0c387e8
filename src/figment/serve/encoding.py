"""Pixels as files of the kinds that clients ask for, with the seed inside."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from PIL import ExifTags, Image

from figment.files import MARK
from figment.sampling.pictures import to_image
from figment.serve.png import png_of

Format = Literal["png", "webp", "jpeg", "raw"]
MEDIA_TYPES: dict[str, str] = {
    "png": "image/png",
    "webp": "image/webp",
    "jpeg": "image/jpeg",
    "raw": "application/octet-stream",
}
QUALITY = 80
"""Of WebP, whose lossless form takes thirty times as long."""
JPEG_QUALITY = 90


def encoded(pixels: np.ndarray, kind: Format, text: Mapping[str, str]) -> bytes:
    """Return pixels [C, H, W], uint8, as a file that says that figment made it, and ``text``.

    "raw" is the pixels alone, row by row, the channels of a pixel together.
    """
    if kind == "raw":
        return raw(pixels[None])
    if kind == "png":
        return png_of(pixels, {"Software": MARK, **text})
    about = Image.Exif()
    about[ExifTags.Base.Software] = MARK
    about[ExifTags.Base.ImageDescription] = " ".join(f"{k} {v}" for k, v in text.items())
    more: dict[str, Any] = {"quality": QUALITY} if kind == "webp" else {"quality": JPEG_QUALITY}
    file = io.BytesIO()
    to_image(pixels).save(file, kind.upper(), exif=about.tobytes(), **more)
    return file.getvalue()


def raw(pixels: np.ndarray) -> bytes:
    """Return the bytes of pixels [N, C, H, W] as [N, H, W, C]."""
    return np.ascontiguousarray(pixels.transpose(0, 2, 3, 1)).tobytes()


def side_by_side(pixels: np.ndarray, columns: int) -> np.ndarray:
    """Return pictures [N, C, H, W] as one [C, rows * H, columns * W]; missing places are white."""
    count, channels, height, width = pixels.shape
    rows = -(-count // columns)
    page = np.full((rows * columns, channels, height, width), 255, np.uint8)
    page[:count] = pixels
    page = page.reshape(rows, columns, channels, height, width).transpose(2, 0, 3, 1, 4)
    return page.reshape(channels, rows * height, columns * width)
