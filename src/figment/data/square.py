"""How pictures are made square: cropped, padded or squeezed to the side that a pack has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from figment.data import depth
from figment.errors import UserError, nearest

if TYPE_CHECKING:
    from PIL import Image

FITS = ("crop", "pad", "stretch")
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # BT.601, as Pillow's


@dataclass(frozen=True)
class Form:
    """How every picture of a pack is to look."""

    resolution: int  # pixels of a side
    channels: int  # 1 (luma) or 3; 0 of a pack that is asked for as its pictures need
    fit: str = "crop"  # how a picture that is not square is made so: see ``squared``

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.channels, self.resolution, self.resolution

    def check(self) -> None:
        """Raise ``UserError`` unless pictures can look so."""
        if not 2 <= self.resolution <= 4096:
            raise UserError(f"resolution must be between 2 and 4096 pixels, not {self.resolution}")
        if self.channels not in (0, 1, 3):
            raise UserError(f"channels must be 1 (grey) or 3 (colour), not {self.channels}")
        if self.fit not in FITS:
            hint = nearest(self.fit, FITS)
            raise UserError(f"fit must be crop, pad or stretch, not {self.fit!r}.{hint}")


def squared(image: Image.Image, form: Form) -> np.ndarray:
    """Return a picture of mode ``L`` or ``RGB`` as uint8 ``[C, R, R]``.

    ``crop`` keeps the central square, ``pad`` sets the whole picture on white, ``stretch`` squeezes
    it. Lanczos when shrinking, bicubic when enlarging.
    """
    if form.channels == 1 and image.mode != "L":
        image = image.convert("L")
    pixels = np.asarray(_square(image, form, "white"))
    if pixels.ndim == 2:
        return np.broadcast_to(pixels, form.shape)
    return pixels.transpose(2, 0, 1)  # [R, R, C] -> [C, R, R]


def squared_deep(deep: depth.Deep, form: Form) -> np.ndarray:
    """Return a picture of more than 8 bits as ``squared`` does, float32 ``[C, R, R]``; padding is NaN."""
    from PIL import Image

    planes = deep.pixels.transpose(2, 0, 1) if deep.pixels.ndim == 3 else deep.pixels[None]
    squares = np.stack(
        [
            np.asarray(_square(Image.fromarray(plane.astype(np.float32)), form, float("nan")))
            for plane in planes
        ]
    )  # [1 or 3, R, R]
    if form.channels == 1 and len(squares) == 3:
        squares = np.tensordot(LUMA, squares, 1)[None]
    return np.broadcast_to(squares, form.shape)


def _square(image: Image.Image, form: Form, blank: str | float) -> Image.Image:
    from PIL import Image

    resolution = form.resolution
    width, height = image.size
    if form.fit == "stretch":
        return _resized(image, resolution, resolution)
    if form.fit == "crop":
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        image = image.crop((left, top, left + side, top + side)) if width != height else image
        return _resized(image, resolution, resolution)
    scale = resolution / max(width, height)
    image = _resized(image, max(1, round(width * scale)), max(1, round(height * scale)))
    canvas = Image.new(image.mode, (resolution, resolution), blank)
    canvas.paste(image, ((resolution - image.width) // 2, (resolution - image.height) // 2))
    return canvas


def _resized(image: Image.Image, width: int, height: int) -> Image.Image:
    from PIL import Image

    if image.size == (width, height):
        return image
    shrinking = image.width * image.height > width * height
    kernel = Image.Resampling.LANCZOS if shrinking else Image.Resampling.BICUBIC
    return image.resize((width, height), kernel)
