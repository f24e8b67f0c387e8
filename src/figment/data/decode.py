"""From the bytes of one picture file, of any kind, to a square uint8 array."""

from __future__ import annotations

import io
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from figment.errors import UserError, nearest

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image

VERSION = 1  # of the pixels that ``decode`` makes: raise it when they change, and packs are remade
MOST_PIXELS = 2 * (1024**3 // 4 // 3)  # 178,956,970: where Pillow's own limit becomes an error
# Pillow knows more, but not all are safe to try on strange files: EPS starts Ghostscript.
FORMATS = ("JPEG", "MPO", "PNG", "GIF", "WEBP", "BMP", "DIB", "TIFF", "PPM", "AVIF", "JPEG2000")
FORMATS += ("TGA",)  # has no signature, so it comes last
FITS = ("crop", "pad", "stretch")


@dataclass(frozen=True)
class Form:
    """How every picture of a pack is to look."""

    resolution: int  # pixels of a side
    channels: int  # 1 (luma) or 3
    fit: str = "crop"  # how a picture that is not square is made so: see ``squared``

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.channels, self.resolution, self.resolution

    def check(self) -> None:
        """Raise ``UserError`` unless pictures can look so."""
        if not 2 <= self.resolution <= 4096:
            raise UserError(f"resolution must be between 2 and 4096 pixels, not {self.resolution}")
        if self.channels not in (1, 3):
            raise UserError(f"channels must be 1 (grey) or 3 (colour), not {self.channels}")
        if self.fit not in FITS:
            hint = nearest(self.fit, FITS)
            raise UserError(f"fit must be crop, pad or stretch, not {self.fit!r}.{hint}")


def decode(data: bytes, form: Form) -> np.ndarray:
    """Return the picture in the bytes of a file as uint8 ``[C, R, R]``.

    Any mode becomes 8-bit RGB or luma: transparency is laid over white, 16 bits are scaled to 8,
    CMYK is converted, the EXIF orientation is applied, and of an animation the first frame counts.
    Raises whatever Pillow raises; ``why`` puts it into words.
    """
    return squared(plain(upright(opened(data), enough=2 * form.resolution)), form)


def decode_file(path: Path, form: Form) -> np.ndarray:
    """Return the picture in one file as uint8 ``[C, R, R]``. Raises UserError where it is none."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror})") from None
    try:
        return decode(data, form)
    except Exception as error:  # Pillow raises many kinds
        raise UserError(f"{path} cannot be read as a picture ({why(error, data)})") from None


def opened(data: bytes) -> Image.Image:
    """Return a picture of which only the header has been read.

    Raises ``ValueError`` where its size alone rules it out: a decompression bomb, a single pixel.
    """
    from PIL import Image

    Image.init()
    image = Image.open(io.BytesIO(data), formats=[name for name in FORMATS if name in Image.OPEN])
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise ValueError(_bomb(width * height))
    if min(width, height) < 2:
        raise ValueError(f"{width} x {height} px: too small to be a picture")
    return image


def upright(image: Image.Image, *, enough: int) -> Image.Image:
    """Return the picture decoded and turned as its EXIF orientation says.

    A JPEG is decoded at 1/2, 1/4 or 1/8 of its size where both sides stay at least ``enough``
    pixels: several times faster for photographs.
    """
    from PIL import Image

    image.draft(None, (enough, enough))
    image.load()
    turn = Image.Transpose
    turns = {
        2: turn.FLIP_LEFT_RIGHT,
        3: turn.ROTATE_180,
        4: turn.FLIP_TOP_BOTTOM,
        5: turn.TRANSPOSE,
        6: turn.ROTATE_270,
        7: turn.TRANSVERSE,
        8: turn.ROTATE_90,
    }
    turned = orientation(image)
    return image.transpose(turns[turned]) if turned in turns else image


def orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8; 5 and above swap width and height."""
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:  # broken metadata is no reason to lose a picture; Pillow raises many kinds
        return 1


def plain(image: Image.Image) -> Image.Image:
    """Return the picture in mode ``L`` or ``RGB``, 8 bits a channel, without transparency."""
    from PIL import Image

    if image.mode.startswith("I"):  # 16 bits a pixel, in several byte orders, or 16 held in 32
        deep = np.clip(np.asarray(image), 0, 65535)
        return Image.fromarray(np.rint(deep / 257).astype(np.uint8))
    if image.mode == "F":
        raise ValueError("floating-point pixels: save it with 8 or 16 bits a channel")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    wanted = "L" if image.mode in ("1", "L") else "RGB"
    return image if image.mode == wanted else image.convert(wanted)


def squared(image: Image.Image, form: Form) -> np.ndarray:
    """Return a picture of mode ``L`` or ``RGB`` as uint8 ``[C, R, R]``.

    ``crop`` keeps the central square, ``pad`` sets the whole picture on white, ``stretch`` squeezes
    it. Lanczos when shrinking, bicubic when enlarging.
    """
    from PIL import Image

    resolution = form.resolution
    if form.channels == 1 and image.mode != "L":
        image = image.convert("L")
    width, height = image.size
    if form.fit == "crop":
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        image = _resized(image.crop((left, top, left + side, top + side)), resolution, resolution)
    elif form.fit == "pad":
        scale = resolution / max(width, height)
        image = _resized(image, max(1, round(width * scale)), max(1, round(height * scale)))
        canvas = Image.new(image.mode, (resolution, resolution), "white")
        corner = (resolution - image.width) // 2, (resolution - image.height) // 2
        canvas.paste(image, corner)
        image = canvas
    else:
        image = _resized(image, resolution, resolution)
    pixels = np.asarray(image)
    if pixels.ndim == 2:
        return np.broadcast_to(pixels, form.shape)
    return pixels.transpose(2, 0, 1)  # [R, R, C] -> [C, R, R]


def why(error: Exception, data: bytes) -> str:
    """Return in a few words why a file could not be decoded."""
    from PIL import Image, UnidentifiedImageError

    if isinstance(error, Image.DecompressionBombError):
        return _bomb(None)
    if not data and isinstance(error, UnidentifiedImageError):
        return "empty file"
    if isinstance(error, UnidentifiedImageError):
        if data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"hevc"):
            return "HEIC: save it as JPEG"
        start = data[:64]
        text = all(byte >= 32 or byte in b"\t\n\r" for byte in start) and start.isascii()
        return "text, not a picture" if text else "not a picture, or of an unknown kind"
    if isinstance(error, MemoryError):
        return "too large for the memory of this machine"
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    reason = " ".join(reason.split()) or type(error).__name__
    return f"cut short: {reason}" if "truncated" in reason.lower() else reason


@contextmanager
def quiet() -> Generator[None]:
    """Keep Pillow's warnings about single files off the screen: what matters is listed instead.

    To be entered around a whole pass, not in its threads, which share the filters of the process.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _resized(image: Image.Image, width: int, height: int) -> Image.Image:
    from PIL import Image

    if image.size == (width, height):
        return image
    shrinking = image.width * image.height > width * height
    kernel = Image.Resampling.LANCZOS if shrinking else Image.Resampling.BICUBIC
    return image.resize((width, height), kernel)


def _bomb(pixels: int | None) -> str:
    size = f"{pixels / 1e6:,.0f} million pixels" if pixels else "far too many pixels"
    return f"{size}: refused as a decompression bomb (the limit is {MOST_PIXELS / 1e6:.0f} million)"
