"""From the bytes of a file, whatever it is called, to a picture of which only the header has been read."""

from __future__ import annotations

import io
import struct
import threading
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from figment.data import headers, png
from figment.files import PAGE

if TYPE_CHECKING:
    from PIL import ImageFile

MOST_BYTES = 512 << 20
"""Of memory for the pixels of one picture: 134 million in colour, of a JPEG those that are left when it is
decoded at 1/8 of its size."""
DECODERS = {"JPEG2000": 20, "WEBP": 16, "AVIF": 10, "HEIF": 10, "JXL": 10}
"""Bytes a pixel of the formats whose decoders keep more than the picture."""
PAGE_WITHIN = 4096  # bytes at either end of a picture in which its texts lie
LARGE = 32 << 20  # bytes from which pictures are decoded one at a time
# Pillow knows more, but not all are safe to try on strange files: EPS starts Ghostscript.
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "DIB", "TIFF", "PPM", "AVIF", "JPEG2000")
FORMATS += ("TGA",)  # has no signature, so it comes last
HEIF = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"mif2")
CURE = "pip install 'figment-gan[heic]'"
_UNFIT = (SyntaxError, IndexError, TypeError, KeyError, EOFError, struct.error)
_alone = threading.Lock()


class Unknown(ValueError):
    """These are the bytes of no picture that can be read."""


def opened(data: bytes) -> ImageFile.ImageFile:
    """Return a picture of which only the header has been read, found by its content.

    Raises ``ValueError`` for a page of samples, and where its size alone rules it out: a single
    pixel, a decompression bomb in a format whose decoder makes room at once. Of the others ``check_room``
    tells.
    """
    if PAGE.encode() in data[:PAGE_WITHIN] + data[-PAGE_WITHIN:]:
        raise ValueError("a page of samples that figment made, not one picture")
    size = headers.promised(data)
    if size:
        check_bytes(4 * size[0] * size[1], size)
    small, profile, coded = png.trimmed(data)
    image = _found(small)
    if profile is not None:
        image.info["icc_profile"] = profile
    if coded:
        image.info["cicp"] = coded
    if min(image.size) < 2:
        raise ValueError("one pixel wide or high: too small to be a picture")
    return image


def check_room(image: ImageFile.ImageFile, whole: tuple[int, int]) -> int:
    """Return how many bytes of memory decoding takes; ``ValueError`` if more than ``MOST_BYTES``.

    ``whole`` is the size of the picture before ``draft`` made it smaller.
    """
    needed = image.width * image.height * _bytes_a_pixel(image) + _coefficients(image, whole)
    check_bytes(needed, whole)
    return needed


@contextmanager
def alone(needed: int) -> Generator[None]:
    """Wait for other large pictures, if this is one: memory is to hold one of them, not one a core."""
    if needed < LARGE:
        yield
        return
    with _alone:
        yield


def why(error: Exception, data: bytes) -> str:
    """Return in a few words why a file could not be decoded."""
    from PIL import UnidentifiedImageError

    if not data and isinstance(error, Unknown):
        return "empty file"
    if isinstance(error, UnidentifiedImageError):
        return "not a picture, or of an unknown kind"
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


def _found(data: bytes) -> ImageFile.ImageFile:
    """Return the picture as the first format has it whose signature it bears.

    Not by ``Image.open``: its limit of pixels is one for all formats, before anything is known of how
    a picture will be decoded, and can be changed for the whole process only.
    """
    from PIL import Image

    plugin = _plugin(data)
    if plugin:
        return plugin(io.BytesIO(data), "")
    Image.init()
    reason = ""
    for name in FORMATS:
        if name not in Image.OPEN:
            continue
        factory, accept = Image.OPEN[name]
        if not _bears(accept, data):
            continue
        try:
            return factory(io.BytesIO(data), "")
        except _UNFIT as error:
            cut = any(isinstance(one, struct.error) for one in (error, error.__cause__))
            said = "its header is cut short" if cut else " ".join(str(error).split())
            reason = f"a {name} that cannot be read ({said})"
    if reason:
        raise ValueError(reason)
    text = data[:64].isascii() and all(byte >= 32 or byte in b"\t\n\r" for byte in data[:64])
    raise Unknown("text, not a picture" if text else "not a picture, or of an unknown kind")


def _plugin(data: bytes) -> Callable | None:
    """Return what opens a phone's or a new format; ``ValueError`` names the cure where it is missing."""
    brand = data[8:12] if data[4:8] == b"ftyp" else b""
    brands = data[8 : 8 + int.from_bytes(data[:4], "big")][:96] if brand else b""
    if brand == b"avif" or (brand and b"avif" in brands):
        from PIL import features

        if not features.check("avif"):
            raise ValueError(
                f"AVIF, for which this Pillow has no decoder: {CURE} brings a newer one"
            )
        return None
    if brand in HEIF:
        try:
            import pillow_heif
        except ImportError:
            raise ValueError(f"HEIC, the format of phones: {CURE} reads it") from None
        return pillow_heif.HeifImageFile
    if headers.is_jpeg_xl(data):
        try:
            from pillow_jxl import JpegXLImagePlugin
        except ImportError:
            raise ValueError(f"JPEG XL: {CURE} reads it") from None
        return JpegXLImagePlugin.JXLImageFile
    return None


def _bears(accept: Callable | None, data: bytes) -> bool:
    """Return whether data begin with a format's signature; TGA has none."""
    if accept is None:
        return _is_targa(data)
    try:
        return accept(data[:16]) is True
    except (IndexError, struct.error):  # fewer bytes than a signature
        return False


def _is_targa(data: bytes) -> bool:
    """Return whether these can be the bytes of a TGA, which has no signature."""
    if len(data) < 18:
        return False
    mapped, kind, depth = data[1], data[2], data[16]
    width, height = struct.unpack_from("<2H", data, 12)
    plain = mapped in (0, 1) and kind in (1, 2, 3, 9, 10, 11) and depth in (1, 8, 15, 16, 24, 32)
    whole = kind > 3 or len(data) >= 18 + width * height * depth // 8
    return plain and width > 0 and height > 0 and whole


def _bytes_a_pixel(image: ImageFile.ImageFile) -> int:
    """Return how many bytes of memory a pixel takes while it is decoded, as measured."""
    if image.format in DECODERS:
        return DECODERS[image.format]
    if image.mode[0] in "IF":
        return 16
    if ";16" in str(image.tile[0].args if image.tile else ""):
        return 26
    return 1 if image.mode in ("1", "L", "P") else 4


def _coefficients(image: ImageFile.ImageFile, whole: tuple[int, int]) -> int:
    """Return the bytes that a progressive JPEG takes whole, at whatever size it is decoded."""
    parts = getattr(image, "layer", None)
    if not parts or not image.info.get("progressive"):
        return 0
    most = max(across * down for _, across, down, _ in parts)
    return 2 * whole[0] * whole[1] * sum(across * down for _, across, down, _ in parts) // most


def check_bytes(needed: int, size: tuple[int, int]) -> None:
    """Raise ``ValueError`` where decoding a picture of a size takes more than ``MOST_BYTES``."""
    if needed > MOST_BYTES:
        raise ValueError(
            f"{size[0]:,} x {size[1]:,} px would take {needed / 2**20:,.0f} MiB of memory to decode, and"
            f" the limit is {MOST_BYTES >> 20} MiB: make it smaller, or a JPEG"
        )
