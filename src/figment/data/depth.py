"""Pictures of more than 8 bits, and the range of numbers that a set of them uses.

A file of 16 bits says how many numbers there are room for, not how many are used: cameras and microscopes
leave 12 bits in them. So such pictures wait, in floats, until the whole set has been seen.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from figment.data.tiff import LARGEST, NO_DATA, number

if TYPE_CHECKING:
    from PIL import Image, ImageFile

DEPTHS = (1, 8, 10, 12, 14, 16)  # bits that sensors and programs use
SIXTEEN, THIRTY_TWO, FLOATS = "16-bit", "32-bit", "floating-point"
NEARLY = 0.05  # of the range, by which resampling may leave it
HIGHLIGHTS = 0.001  # share of the numbers at either end that an unknown range leaves out
FAINT = 1 / 8  # of the range, below which a picture that stays is nearly black
SAMPLED = 1 << 22  # numbers that the ends of an unknown range are read from


@dataclass(frozen=True)
class Deep:
    """A picture of which the range is not known yet."""

    pixels: np.ndarray  # [H, W] or [H, W, 3], integers or float32, all finite
    kind: str  # SIXTEEN, THIRTY_TWO or FLOATS
    inverted: bool  # the lowest number is white

    @property
    def extent(self) -> Extent:
        low, high = float(self.pixels.min()), float(self.pixels.max())
        whole = self.kind != FLOATS or bool((self.pixels == np.rint(self.pixels)).all())
        return Extent(low, high, float(self.pixels.mean(dtype=np.float64)), whole, 1)


@dataclass(frozen=True)
class Extent:
    """The numbers that pictures use."""

    low: float
    high: float
    mean: float
    whole: bool  # whole numbers only
    count: int  # pictures

    def and_also(self, other: Extent) -> Extent:
        """Return the extent of both."""
        count = self.count + other.count
        mean = (self.mean * self.count + other.mean * other.count) / count
        whole = self.whole and other.whole
        return Extent(min(self.low, other.low), max(self.high, other.high), mean, whole, count)


@dataclass(frozen=True)
class Range:
    """Which number becomes black and which white."""

    black: float
    white: float
    why: str = field(compare=False)

    def bytes_of(self, values: np.ndarray, *, inverted: bool = False) -> np.ndarray:
        """Return numbers as uint8; those beyond the range become its ends, NaN (padding) white."""
        share = (values.astype(np.float32) - self.black) / (self.white - self.black)
        share = np.nan_to_num(1 - share if inverted else share, nan=1.0)
        return np.rint(255 * share.clip(0, 1)).astype(np.uint8)

    def mostly(self, highs: Sequence[float]) -> str:
        """Return a clause where a few of the pictures, by the ``highs`` of all, set the range: else ""."""
        middle = float(np.median(highs))
        if middle - self.black >= FAINT * (self.white - self.black):
            return ""
        return f", though half of the pictures stay at or below {_number(middle)}"


def range_of(kind: str, extent: Extent, sampled: Callable[[], np.ndarray]) -> Range:
    """Return the range that pictures of one kind use, with the reason in words.

    Whole numbers from 0 on: the fewest bits of 1, 8, 10, 12, 14, 16 that hold the largest. Floats: 0
    to 1 or -1 to 1 if they (nearly) keep within, 0 to 255 if they do and are 8 or more on average.
    Everything else: from the smallest number to the largest if they are whole, without the 0.1 % at
    either end if they are not. ``sampled`` gives the pictures' numbers, or some of them, for that.
    """
    used = f"{_number(extent.low)} to {_number(extent.high)}"
    if extent.whole and extent.low >= 0:
        bits = next((bits for bits in DEPTHS if extent.high < 2**bits), None)
        if bits and (kind != FLOATS or bits > 1):
            return Range(0, 2**bits - 1, f"{used}, taken as {bits} bit{'s' if bits > 1 else ''}")
    if not extent.whole or extent.high <= 1:
        if extent.high <= 1 + NEARLY and extent.low >= -NEARLY:
            return Range(0, 1, f"{used}, taken as 0 to 1")
        if extent.high <= 1 + NEARLY and extent.low >= -1 - NEARLY:
            return Range(-1, 1, f"{used}, taken as -1 to 1")
        if extent.low >= -255 * NEARLY and extent.mean >= 8 and extent.high <= 255 * (1 + NEARLY):
            return Range(0, 255, f"{used}, taken as 0 to 255")
    low, high, cut = extent.low, extent.high, ""
    if not extent.whole:
        ends = np.nanquantile(sampled(), (HIGHLIGHTS, 1 - HIGHLIGHTS))
        low, high, cut = *map(float, ends), ", where 99.8 % lie"
    low = min(0.0, low) if low >= 0 or abs(low) < NEARLY * high else low
    high = high if high > low else low + 1
    return Range(low, high, f"{used}, taken as {_number(low)} to {_number(high)}{cut}")


def deep_of_tiff(numbers: np.ndarray, inverted: bool, no_data: float | None) -> Deep:
    """Return the numbers [H, W] or [H, W, 3] of a TIFF that Pillow does not read."""
    if numbers.dtype.kind == "f":
        return Deep(finite(numbers.astype(np.float32), no_data), FLOATS, inverted)
    return Deep(measured(numbers, no_data), f"{8 * numbers.dtype.itemsize}-bit", inverted)


def range_of_tiff(numbers: np.ndarray, inverted: bool, transparent: bool) -> Range | None:
    """Return the range of the numbers of a TIFF that Pillow does not read where there is no doubt of it.

    As of ``known_range``: a graphics program's pictures, with transparency, fill what they have.
    """
    kind, size = numbers.dtype.kind, numbers.dtype.itemsize
    if kind == "u" and (size == 1 or (size == 2 and (inverted or transparent))):
        top = 2 ** (8 * size) - 1
        return Range(top, 0, "") if inverted else Range(0, top, "")
    if kind == "f" and transparent and numbers.min() >= -NEARLY and numbers.max() <= 1 + NEARLY:
        return Range(0, 1, "")
    return None


def finite(numbers: np.ndarray, no_data: float | None = None) -> np.ndarray:
    """Return floats that all are numbers: where nothing was measured 0, for infinity the largest.

    Nothing is NaN, the file's own number for it, and what is (nearly) the largest float of either sign.
    """
    nothing = np.isnan(numbers) | (np.isfinite(numbers) & (np.abs(numbers) >= LARGEST))
    if no_data is not None:
        nothing |= numbers == np.float32(no_data)
    numbers = np.where(nothing, np.float32(0), numbers) if nothing.any() else numbers
    endless = np.isinf(numbers)
    if not endless.any():
        return numbers
    top = float(np.abs(numbers[~endless]).max(initial=0.0)) or 1.0
    return np.where(endless, np.copysign(np.float32(top), numbers), numbers)


def measured(numbers: np.ndarray, no_data: float | None) -> np.ndarray:
    """Return whole numbers, 0 where nothing was measured."""
    if no_data is None or no_data % 1:
        return numbers
    return np.where(numbers == int(no_data), 0, numbers)


def shares(alpha: np.ndarray) -> np.ndarray:
    """Return how much is to be seen by numbers of alpha, float32 from 0 to 1."""
    top = 1 if alpha.dtype.kind == "f" else np.iinfo(alpha.dtype).max
    return np.nan_to_num(alpha.astype(np.float32) / np.float32(top)).clip(0, 1)


def deep_of(numbers: np.ndarray, image: Image.Image) -> Deep:
    """Return the numbers [H, W] of a grey picture of more than 8 bits, as its file has them."""
    inverted, nothing = white_is_zero(image), no_data(image)
    if numbers.dtype == np.float32:
        return Deep(finite(numbers, nothing), FLOATS, inverted)
    if numbers.dtype == np.uint16:
        return Deep(measured(numbers, nothing), SIXTEEN, False)
    bits = max(_tag(image, 258, (32,)))
    if bits == 32 and 1 in _tag(image, 339, (2,)):  # TIFF's sample format, 1: without a sign
        numbers = numbers.view(np.uint32)
    numbers = measured(numbers, nothing)
    return Deep(numbers, SIXTEEN if bits == 16 else THIRTY_TWO, inverted)


def known_range(image: Image.Image, filled: bool) -> Range | None:
    """Return the range of a grey picture of more than 8 bits where there is no doubt of it.

    ``filled``: all 16 bits are used. Twelve bits packed tightly, 16 bits where 0 is white; formats
    whose decoders spread what the file declares over 16 bits (PGM and PPM, JPEG 2000, JPEG XL).
    """
    if image.format in ("PPM", "JPEG2000", "JXL") and image.mode[0] == "I":
        return Range(0, 65535, "")
    if image.mode.startswith("I;16"):
        bits = max(_tag(image, 258, (16,)))
        if white_is_zero(image):
            return Range(2**bits - 1, 0, "")
        if bits < 16 or filled:
            return Range(0, 2**bits - 1, "")
    return None


def white_is_zero(image: Image.Image) -> bool:
    """Return whether a TIFF says that its lowest number is white (of 8 bits Pillow turns them over)."""
    return image.format == "TIFF" and 0 in _tag(image, 262, (1,))


def no_data(image: Image.Image) -> float | None:
    """Return the number that stands for no measurement in a TIFF, None where it names none."""
    return number(str(getattr(image, "tag_v2", {}).get(NO_DATA, "")))


def rawmode_of_16_bits(image: ImageFile.ImageFile) -> str:
    """Return how the numbers of an undecoded PNG or TIFF of 16 bits in several channels lie, or ""."""
    args = image.tile[0].args if image.tile else ()
    mode = args if isinstance(args, str) else args[0] if args else ""
    several = isinstance(mode, str) and mode[:-1] in ("RGB;16", "RGBX;16", "RGBA;16", "LA;16")
    return mode if several else ""


def read_lower_bytes(image: ImageFile.ImageFile, rawmode: str) -> None:
    """Make an undecoded picture of 16 bits a channel decode to the lower bytes of its numbers.

    Pillow keeps the upper ones; with the bytes the other way about, it keeps these. A picture of
    level and alpha decodes to all four bytes, as if they were the channels of RGBA.
    """
    order = rawmode[-1] if rawmode[-1] in "LB" else "L" if sys.byteorder == "little" else "B"
    other = rawmode[:-1] + ("L" if order == "B" else "B")
    other = "RGBA" if rawmode.startswith("LA") else other
    tiles = []
    for tile in image.tile:
        rest = tile.args[1:] if isinstance(tile.args, tuple) else ()
        tiles.append(tile._replace(args=(other, *rest) if rest else other))
    image.tile = tiles


def joined(upper: np.ndarray, lower: np.ndarray, rawmode: str) -> np.ndarray:
    """Return the numbers [H, W, 2, 3 or 4] uint16 of a picture that was decoded in both ways."""
    if rawmode.startswith("LA"):
        upper, lower = lower[..., ::2], lower[..., 1::2]
    return upper.astype(np.uint16) << 8 | lower


def _tag(image: Image.Image, tag: int, default: tuple[int, ...]) -> tuple[int, ...]:
    """Return the numbers of a TIFF's tag."""
    found = getattr(image, "tag_v2", {}).get(tag, default)
    return tuple(found) if isinstance(found, tuple) else (int(found),)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:,.3g}"
