"""From the bytes of one picture file, of any kind, to a square uint8 array."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from figment.data import colour, depth, tiff
from figment.data.opening import alone, check_bytes, check_room, opened, why
from figment.data.square import Form, squared, squared_deep
from figment.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image, ImageFile

VERSION = 3  # of the pixels that ``decode`` makes: raise it when they change, and packs are remade
COLOUR_MAP = 320  # tag of a TIFF
LARGE_PICTURE = 8_000_000  # pixels from which a picture is reduced before it is converted
PAGES, ANIMATED = "of several pages: the first is used", "animated: the first frame is used"
TURNED, CLEAR = "turned upright by EXIF", "transparent: laid over white"
OPAQUE = "transparent, which is passed over: what is white is not known"
UNUSED = "with a profile, which is not applied to floats and large integers: taken as sRGB"


@dataclass(frozen=True)
class Seen:
    """A picture decoded, upright, and what was read of it on the way."""

    image: Image.Image | None  # mode L or RGB, in sRGB; None where it is deep
    deep: depth.Deep | None  # of more than 8 bits, of which the set decides the range
    width: int  # of the whole picture, as seen upright
    height: int
    mode: str  # as Pillow names it
    notes: tuple[str, ...]  # what was handled


def decode(data: bytes, form: Form) -> np.ndarray:
    """Return the picture in the bytes of a file as uint8 ``[C, R, R]``.

    Any mode becomes 8-bit sRGB or luma: see ``see``. The range of one of more than 8 bits is its own.
    Raises whatever Pillow raises; ``opening.why`` puts it into words.
    """
    seen = see(data, enough=2 * form.resolution)
    if seen.deep is None:
        assert seen.image is not None
        return squared(seen.image, form)
    values = squared_deep(seen.deep, form)
    found = depth.range_of(seen.deep.kind, seen.deep.extent, lambda: values)
    return found.bytes_of(values, inverted=seen.deep.inverted)


def decode_file(path: Path, form: Form) -> np.ndarray:
    """Return the picture in one file as uint8 ``[C, R, R]``. Raises UserError where it is none."""
    if path.exists() and not path.is_file():  # a pipe would be waited for
        raise UserError(f"{path} is no file: give a picture")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror})") from None
    try:
        return decode(data, form)
    except Exception as error:  # Pillow raises many kinds
        raise UserError(f"{path} cannot be read as a picture ({why(error, data)})") from None


def see(data: bytes, *, enough: int) -> Seen:
    """Return the picture in the bytes of a file, with what its numbers mean made plain.

    Turned as EXIF says, in sRGB by its profile, 8 bits a channel where the file leaves no doubt of
    its range (else ``deep``), transparency laid over white; of an animation or of several pages the
    first counts. Large ones are reduced, to no less than ``enough`` pixels a side. Raises
    ``ValueError`` where decoding it would take too much memory, and whatever Pillow raises.
    """
    image = _opened(data)
    if isinstance(image, tiff.Plain):
        return _scientific(data, image)
    mode, (width, height), notes = image.mode, image.size, []
    if getattr(image, "is_animated", False):
        notes.append(PAGES if image.format in ("TIFF", "MPO") else ANIMATED)
    image.draft(None, (enough, enough))
    with alone(check_room(image, (width, height))):
        profile, said = _profile(image, data)
        notes += [said] * bool(said)
        # A TIFF forgets how it was turned once it is decoded, a PNG does not know before.
        turned = orientation(image) if image.format == "TIFF" else 0
        part, alpha, deep = _parts(image, data, profile is not None, enough)
        turned = turned or orientation(image)
        notes += [TURNED] * (turned > 1) + [CLEAR] * bool(alpha)
        if turned > 4 and image.format != "TIFF":  # whose size Pillow tells as it is seen upright
            width, height = height, width
        if part is None:
            notes += [UNUSED] * (profile is not None)
            return Seen(None, deep, width, height, mode, tuple(notes))
        part, said = (colour.plain(part), "") if profile is None else colour.to_srgb(part, profile)
        notes += [said] * bool(said)
        part = over_white(part, alpha) if alpha else part
    return Seen(part, None, width, height, mode, tuple(notes))


def header(data: bytes) -> tuple[str, tuple[int, int]]:
    """Return mode and size (as stored) of a picture of which only the header is read.

    Raises what ``see`` raises where it is none.
    """
    image = _opened(data)
    if isinstance(image, tiff.Plain):
        return "F" if image.channels == 1 else "RGB", (image.width, image.height)
    return image.mode, image.size


def _opened(data: bytes) -> ImageFile.ImageFile | tiff.Plain:
    """Return a picture whose header has been read, by Pillow or by our reader of plain TIFFs."""
    try:
        return opened(data)
    except ValueError:
        found = tiff.described(data)
        if found is None or min(found.width, found.height) < 2:
            raise
        return found


def _scientific(data: bytes, plain: tiff.Plain) -> Seen:
    """Return a picture of a plain TIFF: mostly numbers, whose range the set decides."""
    needed = 3 * plain.size + 12 * plain.width * plain.height
    check_bytes(needed, (plain.width, plain.height))
    notes = [TURNED] * (plain.orientation > 1) + [UNUSED] * plain.profiled
    with alone(needed):
        numbers, clear = tiff.numbers(data, plain)
        known = depth.range_of_tiff(numbers, plain.inverted, clear is not None)
        image, deep = None, None
        if known is None:
            deep = depth.deep_of_tiff(numbers, plain.inverted, plain.no_data)
            notes += [OPAQUE] * (clear is not None)
        elif clear is None:
            image = _image(known.bytes_of(numbers))
        else:
            image = _over_white(numbers, depth.shares(clear), known, plain.alpha)
            notes.append(CLEAR)
    height, width = numbers.shape[:2]
    mode = f"{plain.dtype.name} x {plain.channels}" if plain.channels > 1 else plain.dtype.name
    return Seen(image, deep, width, height, mode, tuple(notes))


def _over_white(
    numbers: np.ndarray, alpha: np.ndarray, known: depth.Range, kind: int
) -> Image.Image:
    """Return numbers [H, W] or [H, W, 3] laid over white by their alpha [H, W], as bytes."""
    alpha = alpha[..., None] if numbers.ndim == 3 else alpha
    colours = numbers.astype(np.float32) * (1 if kind == tiff.ASSOCIATED else alpha)
    return _image(known.bytes_of(colours + (1 - alpha) * known.white))


def upright(image: Image.Image) -> Image.Image:
    """Return the picture decoded and turned as its EXIF orientation says."""
    from PIL import Image

    image.load()
    if image.format == "TIFF":  # Pillow has turned it
        return image
    turned = orientation(image)
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
    return image.transpose(turns[turned]) if turned in turns else image


def orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8; 5 and above swap width and height."""
    if image.format == "HEIF" or (image.format == "JXL" and not getattr(image, "jpeg", False)):
        return 1  # the decoder has turned it, but for a JPEG that was made a JPEG XL
    try:
        turned = int(image.getexif().get(0x0112, 1))
    except Exception:  # broken metadata is no reason to lose a picture; Pillow raises many kinds
        return 1
    return turned if 1 <= turned <= 8 else 1


def plain(image: Image.Image) -> Image.Image:
    """Return a picture of 8 bits in mode ``L`` or ``RGB``, taken as sRGB, over white."""
    part, alpha = parted(image)
    part = colour.plain(part)
    return over_white(part, alpha) if alpha else part


def parted(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Return a decoded picture of 8 bits without its transparency, and that as mode L; None if opaque.

    The colours come as L, RGB, CMYK or LAB.
    """
    if image.mode == "1":
        image = image.convert("L")  # which keeps what is said of transparency
    clear = image.info.get("transparency")
    alpha = None
    if image.mode == "L" and isinstance(clear, int):
        alpha = image.point([0 if level == clear else 255 for level in range(256)])
    elif image.has_transparency_data:
        wanted = "LA" if image.mode in ("LA", "La") else "RGBA"
        straight = image if image.mode == wanted else image.convert(wanted)
        alpha = straight.getchannel("A")
        image = straight.convert("L" if straight.mode == "LA" else "RGB")
    if image.mode not in ("L", "RGB", "CMYK", "LAB"):
        image = image.convert("RGB")
    opaque = alpha is None or alpha.getextrema() == (255, 255)
    return image, None if opaque else alpha


def over_white(image: Image.Image, alpha: Image.Image) -> Image.Image:
    """Return a picture of mode L or RGB laid over white by its alpha, mode L."""
    from PIL import Image

    return Image.composite(image, Image.new(image.mode, image.size, "white"), alpha)


def _profile(image: ImageFile.ImageFile, data: bytes) -> tuple[bytes | None, str]:
    """Return the profile of a picture's colours, None where they are sRGB's, and a note on them."""
    profile = image.info.get("icc_profile")
    if profile is not None:
        return profile, ""
    if image.format == "PNG":
        coded = image.info.get("cicp")
        return colour.of_numbers(*coded) if coded else (colour.of_png(image.info), "")
    if image.format in ("AVIF", "HEIF"):
        coded = colour.in_container(data)
        return colour.of_numbers(*coded) if coded else (None, "")
    return None, ""


def _parts(
    image: ImageFile.ImageFile, data: bytes, profiled: bool, enough: int
) -> tuple[Image.Image | None, Image.Image | None, depth.Deep | None]:
    """Return colours of 8 bits, alpha and None; or None, None and numbers whose range the set decides.

    A picture of 16 bits with a profile or with transparency is a graphics program's, which fills them.
    """
    rawmode = depth.rawmode_of_16_bits(image)
    if rawmode:
        numbers, clear = _sixteen(image, data, rawmode)
        if clear is None and not profiled:
            return None, None, depth.Deep(numbers, depth.SIXTEEN, False)
        return _eight(numbers), None if clear is None else _eight(clear), None
    level = _clear_level(image)
    _widen_palette(image)
    seen = upright(image)
    if seen.mode[0] not in "IF":
        if image.format == "JPEG" and seen.mode == "CMYK" and "adobe" not in image.info:
            seen = _ink(seen)
        if level is not None:
            seen.info["transparency"] = level
        return *_reduced(seen, enough), None
    numbers = np.asarray(seen)
    known = depth.known_range(image, profiled or level is not None)
    if known is None:
        return None, None, depth.deep_of(numbers, image)
    alpha = None if level is None else _eight(np.where(numbers == level, 0, 65535))
    return _image(known.bytes_of(numbers)), alpha, None


def _sixteen(
    image: ImageFile.ImageFile, data: bytes, rawmode: str
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return numbers of 16 bits, [H, W] or [H, W, 3], and their alpha [H, W], None where opaque."""
    if rawmode.startswith("LA"):
        depth.read_lower_bytes(image, rawmode)
        upper = lower = np.asarray(upright(image))
    else:
        again = opened(data)
        depth.read_lower_bytes(again, rawmode)
        upper, lower = np.asarray(upright(image)), np.asarray(upright(again))
    numbers = depth.joined(upper, lower, rawmode)
    alpha, level = None, image.info.get("transparency")
    if numbers.shape[2] in (2, 4):
        alpha, numbers = numbers[..., -1], numbers[..., :-1]
    elif isinstance(level, tuple):
        alpha = np.where((numbers == level).all(2), 0, 65535)
    numbers = numbers[..., 0] if numbers.shape[2] == 1 else numbers
    return numbers, None if alpha is None or alpha.min() == 65535 else alpha


def _widen_palette(image: ImageFile.ImageFile) -> None:
    """Take the colours of a TIFF's palette as 8 bits where none has more: old programs wrote them so."""
    from PIL import ImagePalette

    colours = getattr(image, "tag_v2", {}).get(COLOUR_MAP, ())
    if image.mode == "P" and colours and max(colours) < 256:
        image.palette = ImagePalette.raw("RGB;L", bytes(colours))


def _clear_level(image: ImageFile.ImageFile) -> int | None:
    """Return the level that an undecoded grey PNG calls transparent, as its pixels will have it."""
    level = image.info.get("transparency")
    if image.format != "PNG" or not isinstance(level, int) or image.mode == "P":
        return None
    return level * {"1": 255, "L;2": 85, "L;4": 17}.get(str(image.tile[0].args), 1)


def _ink(image: Image.Image) -> Image.Image:
    """Return a CMYK JPEG of no Adobe program: Pillow turns all over, as if 0 were full ink."""
    from PIL import ImageChops

    return ImageChops.invert(image)


def _eight(numbers: np.ndarray) -> Image.Image:
    """Return numbers of 16 bits as a picture of 8, v / 257 rounded."""
    numbers = numbers.astype(np.uint16, copy=False)
    return _image((numbers - (numbers >> 8) + 128 >> 8).astype(np.uint8))


def _image(pixels: np.ndarray) -> Image.Image:
    from PIL import Image

    return Image.fromarray(np.ascontiguousarray(pixels))


def _reduced(image: Image.Image, enough: int) -> tuple[Image.Image, Image.Image | None]:
    """Return a picture's colours and alpha, a large one at 1/n of its size: as JPEGs are decoded.

    No side gets under ``enough``. It is taken in strips, so that memory holds it once.
    """
    from PIL import Image

    width, height = image.size
    factor = min(width, height) // enough
    if factor < 2 or width * height < LARGE_PICTURE:
        return parted(image)
    step = factor * max(1, LARGE_PICTURE // (4 * width * factor))
    size = -(-width // factor), -(-height // factor)
    whole, alpha, clear = None, Image.new("L", size, 255), False
    for top in range(0, height, step):
        strip = image.crop((0, top, width, min(top + step, height)))
        part, shade = _smaller(*parted(strip), factor)
        whole = whole or Image.new(part.mode, size)
        whole.paste(part, (0, top // factor))
        if shade:
            alpha.paste(shade, (0, top // factor))
            clear = True
    assert whole is not None
    return whole, alpha if clear else None


def _smaller(
    image: Image.Image, alpha: Image.Image | None, factor: int
) -> tuple[Image.Image, Image.Image | None]:
    """Return colours and alpha at 1/factor of their size; what is clear gives no colour."""
    if alpha is None:
        return image.reduce(factor), None
    straight = image.convert("RGB")
    straight.putalpha(alpha)
    straight = straight.convert("RGBa").reduce(factor).convert("RGBA")
    return straight.convert("L" if image.mode == "L" else "RGB"), straight.getchannel("A")
