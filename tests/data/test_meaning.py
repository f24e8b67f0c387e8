"""What the numbers of a file mean: every format, depth, profile and structure that was tried.

The table of docs/data.md is made of these rows: what is in the file, and the pixel that comes out.
"""

from __future__ import annotations

import struct
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from files import (
    ADOBE_RGB,
    DISPLAY_P3,
    GREY,
    GREY_ALPHA,
    PALETTE,
    RGB,
    RGBA,
    flat,
    grey_profile,
    png,
    saved,
    table_profile,
    tiff,
    without_adobe,
)
from PIL import Image, ImageCms

from figment.data.decode import decode
from figment.data.opening import quiet
from figment.data.square import Form

DOCS = Path(__file__).parents[2] / "docs" / "data.md"
COLOUR = Image.new("RGB", (8, 8), (200, 60, 50))
SHORTS = flat(2048, dtype=np.uint16, brightest=4095)
LINEAR = struct.pack(">I", 100_000)  # gAMA of 1
P3 = struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)  # cHRM
HIGH = flat(0.5, 1, 2, dtype=np.float32, brightest=4)
LEFT = np.repeat(np.array([[1, 0]], np.float32), 4, 1).repeat(8, 0)  # white is left, to be above
REDS, CYANS = np.zeros((2, 2, 2)), np.zeros((2, 2, 2, 2))
REDS[1, 0, 0] = CYANS[1, 0, 0, 0] = 60.0  # of lightness; the other corners are black
HOLES = flat(500, brightest=1000, dtype=np.int32)
HOLES[0, :2] = -32768
HDR = flat(0.5, dtype=np.float32)
HDR[4:] = 4.0


def inks(*values: int) -> Image.Image:
    return Image.new("CMYK", (8, 8), values)


def pages(kind: str, **options) -> bytes:
    second = Image.new("RGB", (8, 8), (0, 0, 255))
    return saved(COLOUR, kind, save_all=True, append_images=[second], **options)


def turned(kind: str, **options) -> bytes:
    """A picture of which the left half is white, to be turned by 90 degrees to the right."""
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.zeros((16, 16), np.uint8)
    pixels[:, :8] = 255
    return saved(Image.fromarray(pixels).convert("RGB"), kind, exif=exif, **options)


def phone(kind: str, image: Image.Image = COLOUR, **options) -> bytes:
    """A file of a format that a plugin writes."""
    if kind == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    else:
        pytest.importorskip("pillow_jxl")
    return saved(image.resize((64, 64)), kind, **options)


def planes(pixels: np.ndarray) -> np.ndarray:
    """Pixels [H, W, C] with one channel below the other, [C * H, W]."""
    return pixels.transpose(2, 0, 1).reshape(-1, pixels.shape[1])


def of_jpeg(data: bytes) -> bytes:
    """A JPEG XL that holds a JPEG, which can be had back."""
    pytest.importorskip("pillow_jxl")
    with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
        file.write(data)
        file.flush()
        with Image.open(file.name) as image:
            return saved(image, "JXL", lossless_jpeg=True)


def nclx(data: bytes, primaries: int) -> bytes:
    """An AVIF whose container says that its colours have other primaries."""
    at = data.index(b"colrnclx") + 8
    return data[:at] + struct.pack(">H", primaries) + data[at + 2 :]


def profile_of(kind: str) -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(kind)).tobytes()


def compressed(profile: bytes) -> bytes:
    return b"icc\0\0" + zlib.compress(profile)


ROWS: dict[str, tuple[Callable[[], bytes], tuple[int, int, int]]] = {
    "PNG, grey, 1 bit: 1": (lambda: png(flat(1), GREY, 1), (255, 255, 255)),
    "PNG, grey, 2 bits: 2 of 3": (lambda: png(flat(2), GREY, 2), (170, 170, 170)),
    "PNG, grey, 4 bits: 9 of 15": (lambda: png(flat(9), GREY, 4), (153, 153, 153)),
    "PNG, grey, 8 bits: 90": (lambda: png(flat(90), GREY), (90, 90, 90)),
    "PNG, grey, 16 bits, all used: 32,896": (
        lambda: png(flat(32896, dtype=np.uint16, brightest=65535), GREY, 16),
        (128, 128, 128),
    ),
    "PNG, grey, 16 bits of which 14 are used: 4,096": (
        lambda: png(flat(4096, dtype=np.uint16, brightest=16000), GREY, 16),
        (64, 64, 64),
    ),
    "PNG, grey, 16 bits of which 12 are used: 2,048": (
        lambda: png(SHORTS, GREY, 16),
        (128, 128, 128),
    ),
    "PNG, grey, 16 bits of which 10 are used: 512": (
        lambda: png(flat(512, dtype=np.uint16, brightest=1000), GREY, 16),
        (128, 128, 128),
    ),
    "PNG, grey, 16 bits of which 8 are used: 200": (
        lambda: png(flat(200, dtype=np.uint16), GREY, 16),
        (200, 200, 200),
    ),
    "PNG, colour, 8 bits: 200 60 50": (lambda: png(flat(200, 60, 50), RGB), (200, 60, 50)),
    "PNG, colour, 16 bits, all used: 51,400 15,420 12,850": (
        lambda: png(flat(51400, 15420, 12850, dtype=np.uint16), RGB, 16),
        (200, 60, 50),
    ),
    "PNG, colour, 16 bits of which 12 are used: 2,048 1,024 4,095": (
        lambda: png(flat(2048, 1024, 4095, dtype=np.uint16), RGB, 16),
        (128, 64, 255),
    ),
    "PNG, colour and alpha, 16 bits of which 12 are used, opaque": (
        lambda: png(flat(2048, 1024, 4095, 65535, dtype=np.uint16), RGBA, 16),
        (128, 64, 255),
    ),
    "PNG, colour and alpha, 16 bits, alpha a fifth": (
        lambda: png(flat(0, 25700, 51400, 13107, dtype=np.uint16), RGBA, 16),
        (204, 224, 244),
    ),
    "PNG, grey and alpha, 16 bits, alpha a fifth": (
        lambda: png(flat(25700, 13107, dtype=np.uint16), GREY_ALPHA, 16),
        (224, 224, 224),
    ),
    "PNG, colour and alpha: 0 100 200, alpha 51": (
        lambda: png(flat(0, 100, 200, 51), RGBA),
        (204, 224, 244),
    ),
    "PNG, grey and alpha: 100, alpha 51": (lambda: png(flat(100, 51), GREY_ALPHA), (224, 224, 224)),
    "PNG, palette": (
        lambda: png(flat(1), PALETTE, PLTE=bytes([9, 9, 9, 40, 50, 60])),
        (40, 50, 60),
    ),
    "PNG, palette, the entry half transparent": (
        lambda: png(flat(1), PALETTE, PLTE=bytes([9, 9, 9, 55, 55, 55]), tRNS=bytes([255, 128])),
        (155, 155, 155),
    ),
    "PNG, grey, 1 bit, level 0 transparent: 0": (
        lambda: png(flat(0), GREY, 1, tRNS=b"\0\0"),
        (255, 255, 255),
    ),
    "PNG, grey, 2 bits, level 1 transparent: 1": (
        lambda: png(flat(1), GREY, 2, tRNS=b"\0\1"),
        (255, 255, 255),
    ),
    "PNG, grey, 8 bits, level 7 transparent: 7": (
        lambda: png(flat(7), GREY, tRNS=b"\0\7"),
        (255, 255, 255),
    ),
    "PNG, grey, 16 bits, level 700 transparent: 700": (
        lambda: png(flat(700, dtype=np.uint16), GREY, 16, tRNS=struct.pack(">H", 700)),
        (255, 255, 255),
    ),
    "PNG, colour, 8 bits, that colour transparent": (
        lambda: png(flat(1, 2, 3), RGB, tRNS=struct.pack(">3H", 1, 2, 3)),
        (255, 255, 255),
    ),
    "PNG, colour, 16 bits, that colour transparent": (
        lambda: png(flat(1, 2, 700, dtype=np.uint16), RGB, 16, tRNS=struct.pack(">3H", 1, 2, 700)),
        (255, 255, 255),
    ),
    "PNG, colour, 16 bits, a colour of the same upper bytes transparent": (
        lambda: png(
            flat(51400, 15420, 12850, dtype=np.uint16),
            RGB,
            16,
            tRNS=struct.pack(">3H", 51401, 15420, 12850),
        ),
        (200, 60, 50),
    ),
    "PNG, AdobeRGB profile: 60 160 60": (
        lambda: png(flat(60, 160, 60), RGB, iCCP=compressed(ADOBE_RGB)),
        (0, 161, 47),
    ),
    "PNG, 16 bits, AdobeRGB profile: 15,420 41,120 15,420": (
        lambda: png(
            flat(15420, 41120, 15420, dtype=np.uint16), RGB, 16, iCCP=compressed(ADOBE_RGB)
        ),
        (0, 161, 47),
    ),
    "PNG, palette, AdobeRGB profile: 60 160 60": (
        lambda: png(flat(0), PALETTE, iCCP=compressed(ADOBE_RGB), PLTE=bytes([60, 160, 60])),
        (0, 161, 47),
    ),
    "PNG, alpha a fifth, AdobeRGB profile: 60 160 60": (
        lambda: png(flat(60, 160, 60, 51), RGBA, iCCP=compressed(ADOBE_RGB)),
        (204, 236, 213),
    ),
    "PNG, sRGB profile: 200 60 50": (
        lambda: png(flat(200, 60, 50), RGB, iCCP=compressed(profile_of("sRGB"))),
        (200, 60, 50),
    ),
    "PNG, grey, colour profile of another gamma (AdobeRGB): 128": (
        lambda: png(flat(128), GREY, iCCP=compressed(ADOBE_RGB)),
        (129, 129, 129),
    ),
    "PNG, grey, grey profile of gamma 1: 128": (
        lambda: png(flat(128), GREY, iCCP=compressed(grey_profile(1.0))),
        (188, 188, 188),
    ),
    "PNG, colour profile by a table in which red is a neutral of lightness 60: 255 0 0": (
        lambda: png(flat(255, 0, 0), RGB, iCCP=compressed(table_profile(b"RGB ", REDS))),
        (145, 145, 145),
    ),
    "PNG, a profile that is damaged: 200 60 50": (
        lambda: png(flat(200, 60, 50), RGB, iCCP=b"icc\0\0" + bytes(40)),
        (200, 60, 50),
    ),
    "PNG, a profile of 1.5 MB that is none: 200 60 50": (
        lambda: png(flat(200, 60, 50), RGB, iCCP=compressed(bytes(1_500_000))),
        (200, 60, 50),
    ),
    "PNG, colour, a profile for inks or Lab: 200 60 50": (
        lambda: png(flat(200, 60, 50), RGB, iCCP=compressed(profile_of("LAB"))),
        (200, 60, 50),
    ),
    "PNG, gAMA 1 (light itself): 128 128 128": (
        lambda: png(flat(128, 128, 128), RGB, gAMA=LINEAR),
        (188, 188, 188),
    ),
    "PNG, gAMA 1 and a chunk that says sRGB: 128 128 128": (
        lambda: png(flat(128, 128, 128), RGB, gAMA=LINEAR, sRGB=b"\0"),
        (128, 128, 128),
    ),
    "PNG, gAMA 0.45455: 200 60 50": (
        lambda: png(flat(200, 60, 50), RGB, gAMA=struct.pack(">I", 45455)),
        (200, 60, 50),
    ),
    "PNG, cHRM of Display P3: 200 60 50": (
        lambda: png(flat(200, 60, 50), RGB, cHRM=P3),
        (217, 42, 39),
    ),
    "PNG, cICP of Display P3: 200 60 50": (
        lambda: png(flat(200, 60, 50), RGB, cICP=bytes([12, 13, 0, 1])),
        (217, 42, 39),
    ),
    "PNG, 2 MB of compressed text": (
        lambda: png(flat(200, 60, 50), RGB, zTXt=b"note\0\0" + zlib.compress(bytes(2_000_000))),
        (200, 60, 50),
    ),
    "PNG, animated": (lambda: pages("PNG"), (200, 60, 50)),
    "PNG, EXIF orientation 6": (lambda: turned("PNG"), (255, 255, 255)),
    "JPEG, grey: 90": (lambda: saved(Image.new("L", (8, 8), 90), "JPEG"), (90, 90, 90)),
    "JPEG, colour (YCbCr): 200 60 50": (lambda: saved(COLOUR, "JPEG", quality=100), (200, 60, 50)),
    "JPEG, progressive: 200 60 50": (
        lambda: saved(COLOUR, "JPEG", quality=100, progressive=True),
        (200, 60, 50),
    ),
    "JPEG, Display P3 profile: 200 60 50": (
        lambda: saved(COLOUR, "JPEG", quality=100, icc_profile=DISPLAY_P3),
        (217, 42, 39),
    ),
    "JPEG, inks turned over as Adobe does: cyan none, magenta and yellow full": (
        lambda: saved(inks(0, 255, 255, 0), "JPEG", quality=100),
        (255, 0, 0),
    ),
    "JPEG, inks, profile in which full cyan is a neutral of lightness 60": (
        lambda: saved(
            inks(255, 0, 0, 0), "JPEG", quality=100, icc_profile=table_profile(b"CMYK", CYANS)
        ),
        (145, 145, 145),
    ),
    "JPEG, inks not turned over, without Adobe's marker: the same numbers": (
        lambda: without_adobe(saved(inks(255, 0, 0, 255), "JPEG", quality=100)),
        (255, 0, 0),
    ),
    "JPEG, EXIF orientation 6": (lambda: turned("JPEG"), (255, 255, 255)),
    "TIFF, 1 bit, white is zero: 0": (lambda: tiff(flat(0), 0, bits=1), (255, 255, 255)),
    "TIFF, 1 bit, black is zero: 0": (lambda: tiff(flat(0), 1, bits=1), (0, 0, 0)),
    "TIFF, 8 bits, white is zero: 10": (lambda: tiff(flat(10), 0), (245, 245, 245)),
    "TIFF, 16 bits, white is zero: 2,570": (
        lambda: tiff(flat(2570, dtype=np.uint16), 0),
        (245, 245, 245),
    ),
    "TIFF, floats, white is zero: 0.25": (
        lambda: tiff(flat(0.25, dtype=np.float32), 0),
        (191, 191, 191),
    ),
    "TIFF, 12 bits, packed: 2,048": (
        lambda: tiff(flat(2048, dtype=np.uint16), bits=12),
        (128, 128, 128),
    ),
    "TIFF, 16 bits of which 12 are used, Intel's order: 2,048": (
        lambda: tiff(SHORTS),
        (128, 128, 128),
    ),
    "TIFF, 16 bits of which 12 are used, Motorola's order: 2,048": (
        lambda: tiff(SHORTS, order=">"),
        (128, 128, 128),
    ),
    "TIFF, 16 bits with a sign, from -1,000 to 1,000: 0": (
        lambda: tiff(np.array([[-1000] * 8] + [[0] * 8] * 6 + [[1000] * 8], np.int16)),
        (128, 128, 128),
    ),
    "TIFF, 32 bits of which 8 are used: 200": (
        lambda: tiff(flat(200, dtype=np.int32)),
        (200, 200, 200),
    ),
    "TIFF, 32 bits of which 1 is used: 1": (lambda: tiff(flat(1, dtype=np.int32)), (255, 255, 255)),
    "TIFF, 32 bits without a sign, up to 3,000,000,000: half of it": (
        lambda: tiff(flat(1_500_000_000, dtype=np.uint32, brightest=3_000_000_000)),
        (128, 128, 128),
    ),
    "TIFF, floats from 0 to 1: 0.5": (
        lambda: tiff(flat(0.5, dtype=np.float32, brightest=1)),
        (128, 128, 128),
    ),
    "TIFF, floats from -1 to 1: 0": (
        lambda: tiff(flat(0, dtype=np.float32, brightest=-1)),
        (128, 128, 128),
    ),
    "TIFF, floats from 0 to 255: 100.5": (
        lambda: tiff(flat(100.5, dtype=np.float32, brightest=250)),
        (100, 100, 100),
    ),
    "TIFF, whole floats up to 65,535: 32,896": (
        lambda: tiff(flat(32896, dtype=np.float32, brightest=65535)),
        (128, 128, 128),
    ),
    "TIFF, 16 bits, white is zero, the other byte order: 2,570": (
        lambda: tiff(flat(2570, dtype=np.uint16), 0, order=">"),
        (245, 245, 245),
    ),
    "TIFF, 16 bits with a sign, -32,768 of no data by GDAL's tag, 10 bits used: 500": (
        lambda: tiff(HOLES.astype(np.int16), t42113=b"-32768\0"),
        (125, 125, 125),
    ),
    "TIFF, 16 bits, 65,535 of no data by GDAL's tag, 10 bits used: 500": (
        lambda: tiff(np.where(HOLES < 0, 65535, HOLES).astype(np.uint16), t42113=b"65535\0"),
        (125, 125, 125),
    ),
    "TIFF, floats, -9,999 of no data by GDAL's tag, 10 bits used: 500": (
        lambda: tiff(np.where(HOLES < 0, -9999, HOLES).astype(np.float32), t42113=b"-9999\0"),
        (125, 125, 125),
    ),
    "TIFF, floats, the smallest where there are no data, 10 bits used: 500": (
        lambda: tiff(np.where(HOLES < 0, np.finfo(np.float32).min, HOLES).astype(np.float32)),
        (125, 125, 125),
    ),
    "TIFF, floats in colour and alpha: 0.5 0.25 1, a fifth opaque": (
        lambda: tiff(flat(0.5, 0.25, 1, 0.2, dtype=np.float32), 2, t338=2),
        (230, 217, 255),
    ),
    "TIFF, 16 bits, grey and alpha: 25,700, a fifth opaque": (
        lambda: tiff(flat(25700, 13107, dtype=np.uint16), t338=2),
        (224, 224, 224),
    ),
    "TIFF, 16 bits, grey multiplied by alpha: 5,140, a fifth opaque": (
        lambda: tiff(flat(5140, 13107, dtype=np.uint16), t338=1),
        (224, 224, 224),
    ),
    "TIFF, palette whose colours have 8 bits: 40 50 60": (
        lambda: tiff(flat(1), 3, t320=(0, 40, *[0] * 254, 0, 50, *[0] * 254, 0, 60, *[0] * 254)),
        (40, 50, 60),
    ),
    "TIFF, floats of high range (HDR), up to 4: 0.5": (lambda: tiff(HDR), (32, 32, 32)),
    "TIFF, floats from 0 to 1, not a number": (
        lambda: tiff(flat(np.nan, dtype=np.float32, brightest=1)),
        (0, 0, 0),
    ),
    "TIFF, colour, 16 bits of which 12 are used, Intel's order": (
        lambda: tiff(flat(2048, 1024, 4095, dtype=np.uint16), 2),
        (128, 64, 255),
    ),
    "TIFF, colour, 16 bits of which 12 are used, Motorola's order": (
        lambda: tiff(flat(2048, 1024, 4095, dtype=np.uint16), 2, order=">"),
        (128, 64, 255),
    ),
    "TIFF, colour, floats from 0 to 1: 0.5 0.25 1": (
        lambda: tiff(flat(0.5, 0.25, 1, dtype=np.float32), 2),
        (128, 64, 255),
    ),
    "TIFF, grey, floats of 64 bits from 0 to 1: 0.5": (
        lambda: tiff(flat(0.5, dtype=np.float64, brightest=1)),
        (128, 128, 128),
    ),
    "TIFF, colour, 32 bits of which 12 are used, Motorola's order": (
        lambda: tiff(flat(2048, 1024, 4095, dtype=np.int32), 2, order=">"),
        (128, 64, 255),
    ),
    "TIFF, colour, floats of high range (HDR), a plane for each channel, up to 4: 0.5 1 2": (
        lambda: tiff(planes(HIGH), 2, t257=8, t277=3, t284=2),
        (32, 64, 128),
    ),
    "TIFF, colour, floats, EXIF orientation 6": (
        lambda: tiff(np.stack([LEFT] * 3, 2), 2, t274=6),
        (255, 255, 255),
    ),
    "TIFF, alpha a fifth, separate: 0 100 200": (
        lambda: tiff(flat(0, 100, 200, 51), 2, t338=2),
        (204, 224, 244),
    ),
    "TIFF, alpha a fifth, multiplied in: 0 20 40": (
        lambda: tiff(flat(0, 20, 40, 51), 2, t338=1),
        (204, 224, 244),
    ),
    "TIFF, inks: cyan full": (lambda: saved(inks(255, 0, 0, 0), "TIFF"), (0, 255, 255)),
    "TIFF, inks, profile in which full cyan is a neutral of lightness 60": (
        lambda: saved(inks(255, 0, 0, 0), "TIFF", icc_profile=table_profile(b"CMYK", CYANS)),
        (145, 145, 145),
    ),
    "TIFF, YCbCr: 200 60 50": (lambda: saved(COLOUR.convert("YCbCr"), "TIFF"), (200, 60, 50)),
    "TIFF, CIELAB: lightness a half, no chroma": (
        lambda: saved(Image.new("LAB", (8, 8), (128, 128, 128)), "TIFF"),
        (119, 119, 119),
    ),
    "TIFF, AdobeRGB profile, LZW: 60 160 60": (
        lambda: saved(
            Image.new("RGB", (8, 8), (60, 160, 60)),
            "TIFF",
            icc_profile=ADOBE_RGB,
            compression="tiff_lzw",
        ),
        (0, 161, 47),
    ),
    "TIFF, several pages": (lambda: pages("TIFF"), (200, 60, 50)),
    "TIFF, EXIF orientation 6": (lambda: turned("TIFF"), (255, 255, 255)),
    "GIF, animated": (lambda: pages("GIF"), (200, 60, 50)),
    "GIF, transparent": (
        lambda: saved(Image.new("P", (8, 8), 1), "GIF", transparency=1),
        (255, 255, 255),
    ),
    "WebP, lossless: 200 60 50": (lambda: saved(COLOUR, "WEBP", lossless=True), (200, 60, 50)),
    "WebP, animated": (lambda: pages("WEBP", lossless=True), (200, 60, 50)),
    "WebP, AdobeRGB profile: 60 160 60": (
        lambda: saved(
            Image.new("RGB", (8, 8), (60, 160, 60)), "WEBP", lossless=True, icc_profile=ADOBE_RGB
        ),
        (0, 161, 47),
    ),
    "BMP: 200 60 50": (lambda: saved(COLOUR, "BMP"), (200, 60, 50)),
    "TGA: 200 60 50": (lambda: saved(COLOUR, "TGA"), (200, 60, 50)),
    "PBM: 1 (black)": (lambda: b"P1\n2 2\n1 1\n1 1\n", (0, 0, 0)),
    "PGM, brightest 4,095: 2,048": (
        lambda: b"P5 8 8 4095\n" + struct.pack(">64H", *[2048] * 64),
        (128, 128, 128),
    ),
    "PPM: 200 60 50": (lambda: saved(COLOUR, "PPM"), (200, 60, 50)),
    "PFM, floats: 0.5": (
        lambda: b"Pf\n8 8\n-1.0\n" + struct.pack("<64f", *[0.5] * 64),
        (128, 128, 128),
    ),
    "JPEG 2000: 200 60 50": (lambda: saved(COLOUR, "JPEG2000"), (200, 60, 50)),
    "JPEG 2000, grey, 16 bits, all used: 12,850": (
        lambda: saved(Image.fromarray(flat(12850, dtype=np.uint16)), "JPEG2000"),
        (50, 50, 50),
    ),
    "AVIF: 200 60 50": (lambda: saved(COLOUR, "AVIF", quality=100), (200, 60, 50)),
    "AVIF, Display P3 profile: 200 60 50": (
        lambda: saved(COLOUR, "AVIF", quality=100, icc_profile=DISPLAY_P3),
        (217, 42, 39),
    ),
    "AVIF, Display P3 by the numbers of its container: 200 60 50": (
        lambda: nclx(saved(COLOUR, "AVIF", quality=100), 12),
        (217, 42, 39),
    ),
    "AVIF, turned by its container": (lambda: turned("AVIF", quality=100), (255, 255, 255)),
    "HEIC: 200 60 50": (lambda: phone("HEIF", quality=100), (200, 60, 50)),
    "HEIC, Display P3 profile: 200 60 50": (
        lambda: phone("HEIF", quality=100, icc_profile=DISPLAY_P3),
        (217, 42, 39),
    ),
    "HEIC, turned by its container": (
        lambda: phone("HEIF") and turned("HEIF", quality=100),
        (255, 255, 255),
    ),
    "JPEG XL: 200 60 50": (lambda: phone("JXL", lossless=True), (200, 60, 50)),
    "JPEG XL, made of a JPEG with a Display P3 profile: 200 60 50": (
        lambda: of_jpeg(saved(COLOUR, "JPEG", quality=100, icc_profile=DISPLAY_P3)),
        (217, 42, 39),
    ),
    "JPEG XL, made of a JPEG, EXIF orientation 6": (
        lambda: of_jpeg(turned("JPEG")),
        (255, 255, 255),
    ),
}
LOSSY = ("JPEG", "AVIF", "HEIC", "TIFF, YCbCr")
"""Of these up to three levels may be lost; of all others one, in a conversion."""


@pytest.mark.parametrize("row", ROWS)
def test_the_pixel_that_comes_out(row):
    make, expected = ROWS[row]
    with quiet():
        pixels = decode(make(), Form(8, 3)).astype(int)[:, 2, 2]
    assert np.abs(pixels - expected).max() <= (3 if row.startswith(LOSSY) else 1), pixels


def test_the_table_of_the_docs_has_these_rows():
    lines = [line for line in DOCS.read_text("utf-8").splitlines() if line.startswith("| ")]
    told = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]
    expected = [(row, " ".join(map(str, pixel))) for row, (_, pixel) in ROWS.items()]
    assert [cells for cells in told if cells[0] in ROWS] == expected
