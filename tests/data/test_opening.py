"""What is opened, what is refused before it is decoded, and in which words."""

from __future__ import annotations

import resource
import struct
import sys
import zlib

import numpy as np
import pytest
from files import GREY, RGB, flat, png, saved, tiff
from PIL import Image

from figment.data import headers, opening
from figment.data.decode import decode, see
from figment.data.opening import LARGE, MOST_BYTES, check_room, opened, quiet, why
from figment.data.square import Form
from figment.files import made_by_figment
from figment.sampling.pictures import Pictures

SIDE = 50_000


def says(data: bytes) -> str:
    """Why a file cannot be decoded."""
    with quiet(), pytest.raises(Exception) as caught:
        decode(data, Form(8, 3))
    return why(caught.value, data)


def bombs() -> dict[str, bytes]:
    """Small files that promise 50,000 x 50,000 pixels."""
    small = saved(Image.new("RGB", (8, 8)))
    jxl = sum(
        value << at
        for value, at in ((0, 0), (3, 1), (SIDE - 1, 3), (0, 33), (3, 36), (SIDE - 1, 38))
    )
    big = saved(Image.new("RGB", (16, 16)), "BMP")
    gif = saved(Image.new("P", (8, 8)), "GIF")
    wide = struct.pack("<2I", 49_999, 49_999)
    return {
        "PNG": small[:16]
        + struct.pack(">2I", SIDE, SIDE)
        + small[24:29]
        + crc(small, SIDE)
        + small[33:],
        "TIFF": tiff(flat(0), t256=SIDE, t257=SIDE, t278=SIDE),
        "BMP": big[:18] + struct.pack("<2i", SIDE, SIDE) + big[26:],
        "GIF": gif[:6] + struct.pack("<2H", SIDE, SIDE) + gif[10:],
        "PPM": b"P6 50000 50000 255\n" + bytes(99),
        "WEBP": b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + wide[:3] + wide[4:7],
        "JPEG XL": b"\xff\x0a" + jxl.to_bytes(10, "little"),
        "TGA": bytes([0, 0, 10, *bytes(9)]) + struct.pack("<2H", SIDE, SIDE) + bytes([24, 0, 9]),
    }


def crc(data: bytes, side: int) -> bytes:
    head = b"IHDR" + struct.pack(">2I", side, side) + data[24:29]
    return struct.pack(">I", zlib.crc32(head))


@pytest.mark.parametrize("kind", bombs())
def test_what_takes_too_much_memory_is_refused_by_its_header(kind):
    if kind == "JPEG XL":
        pytest.importorskip("pillow_jxl")
    data = bombs()[kind]
    saved(Image.new("RGB", (64, 64)))  # what is loaded is loaded
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert says(data).startswith("50,000 x 50,000 px would take ")
    assert says(data).endswith("MiB: make it smaller, or a JPEG")
    unit = 1 if sys.platform == "darwin" else 1024
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit < 50 << 20


def test_the_bound_is_one_of_memory_not_of_pixels():
    def room(mode: str, width: int, height: int, kind: str = "PNG") -> int:
        image = opened(saved(Image.new(mode, (2, 2)), kind))
        image._size = width, height
        return check_room(image, (width, height))

    assert room("RGB", 11_000, 11_000) == 4 * 121_000_000
    assert room("L", 22_000, 22_000) == 484_000_000
    with pytest.raises(ValueError, match="12,000 x 12,000 px would take 549 MiB"):
        room("RGB", 12_000, 12_000)
    with pytest.raises(ValueError, match="the limit is 512 MiB"):
        room("RGB", 6_000, 6_000, "WEBP")
    assert LARGE < MOST_BYTES == 512 << 20


def test_a_jpeg_may_be_larger_than_the_bound_unless_it_is_progressive():
    def huge(**options) -> bytes:
        data = saved(Image.new("L", (64, 64)), "JPEG", **options)
        marker = b"\xff\xc2" if options else b"\xff\xc0"
        at = data.index(marker) + 5
        return data[:at] + struct.pack(">2H", 40_000, 60_000) + data[at + 4 :]

    image = opened(huge())
    image.draft(None, (128, 128))
    assert check_room(image, (60_000, 40_000)) == 7_500 * 5_000
    assert says(huge(progressive=True)).startswith("60,000 x 40,000 px would take")


def test_pillows_own_limits_stay_as_they_are():
    limits = Image.MAX_IMAGE_PIXELS, Image.core
    opened(saved(Image.new("RGB", (64, 64))))
    assert limits == (Image.MAX_IMAGE_PIXELS, Image.core)


def test_large_pictures_are_reduced_in_strips_as_if_at_once(monkeypatch):
    pixels = np.random.default_rng(0).integers(0, 256, (240, 331, 4), np.uint8)
    data = saved(Image.fromarray(pixels))
    monkeypatch.setattr("figment.data.decode.LARGE_PICTURE", 9_000)
    seen = see(data, enough=60)
    assert (seen.image.size, seen.width, seen.height) == ((83, 60), 331, 240)
    shades = pixels[:236, :328].astype(float)
    alpha = shades[..., 3:] / 255
    laid = (shades[..., :3] * alpha + 255 * (1 - alpha)).reshape(59, 4, 82, 4, 3).mean((1, 3))
    assert np.abs(np.asarray(seen.image)[:59, :82] - laid).max() <= 3


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty file"),
        (b"hello\nworld", "text, not a picture"),
        (bytes(range(200)), "not a picture, or of an unknown kind"),
        (b"\x89PNG\r\n\x1a\n\0\0", "a PNG that cannot be read (its header is cut short)"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "a PNG that cannot be read (broken PNG file"),
        (tiff(flat(1, 2, 3, 4, dtype=np.float32), 2), "a TIFF that cannot be read (unknown pixel"),
        (tiff(flat(1, 2, 3, dtype=np.float32), 2, t257=9), "cut short: 768 of 864 bytes"),
        (
            tiff(flat(1, 2, 3, dtype=np.float32), 2, t256=SIDE, t257=SIDE),
            "50,000 x 50,000 px would",
        ),
        (png(flat(1, 2, 3), RGB)[:50], "cut short"),
        (saved(Image.new("RGB", (64, 64)), "JPEG")[:400], "cut short"),
    ],
)
def test_what_is_broken_is_said(data, words):
    assert says(data).startswith(words)


@pytest.mark.parametrize(
    ("module", "data", "name"),
    [
        ("pillow_heif", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC, the format of phones"),
        ("pillow_jxl", b"\xff\x0a\0\0\0\0\0\0\0\0\0\0", "JPEG XL"),
    ],
)
def test_a_missing_plugin_is_named_with_its_cure(monkeypatch, module, data, name):
    monkeypatch.setitem(sys.modules, module, None)
    assert says(data) == f"{name}: pip install 'figment-gan[heic]' reads it"


def test_text_and_profiles_are_taken_out_of_a_png_and_orientation_is_not():
    exif = Image.Exif()
    exif[0x0112] = 6
    raw = exif.tobytes().removeprefix(b"Exif\0\0")
    text = b"\nexif\n%8d\n" % len(raw) + raw.hex().encode()
    old = png(flat(90)[:, :4], GREY, zTXt=b"Raw profile type exif\0\0" + zlib.compress(text))
    assert (see(old, enough=4).width, see(old, enough=4).height) == (8, 4)
    bomb = zlib.compress(bytes(40_000_000))
    for kind, body in (
        ("zTXt", b"Raw profile type exif\0\0" + bomb),
        ("iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + bomb),
        ("tEXt", b"note\0" + bytes(2_000_000)),
        ("iCCP", b"icc\0\0" + bomb),
    ):
        data = png(flat(90), GREY, **{kind: body})
        assert (decode(data, Form(8, 1)) == 90).all(), kind
    assert opened(png(flat(90), GREY, tEXt=b"note\0some")).info.get("note") is None


def test_the_size_that_a_header_promises():
    pytest.importorskip("pillow_jxl")
    for width, height in ((8, 8), (64, 48), (300, 1000), (5000, 17), (64, 32)):
        image = Image.new("RGB", (width, height))
        assert headers.promised(saved(image, "JXL", effort=1)) == (width, height)
        assert headers.promised(saved(image, "JXL", effort=1, use_container=True)) == (
            width,
            height,
        )
        for options in ({"lossless": True}, {"quality": 50}, {"quality": 50, "exif": b"Exif\0\0"}):
            assert headers.promised(saved(image, "WEBP", **options)) == (width, height)
    assert headers.promised(b"RIFF\0\0\0\0WEBP") is None
    assert opening.why(MemoryError(), b"") == "too large for the memory of this machine"


@pytest.mark.parametrize("name", ["grid.png", "grid.jpg", "grid.webp"])
def test_pages_of_samples_are_no_pictures_and_samples_are(tmp_path, name):
    samples = Pictures(np.random.default_rng(0).integers(0, 256, (4, 3, 16, 16), np.uint8))
    with pytest.raises(ValueError, match="a page of samples that figment made"):
        opened(samples.save(tmp_path / name).read_bytes())
    alone = Pictures(samples.array[:1]).save(tmp_path / name)
    assert opened(alone.read_bytes()).size == (16, 16) and made_by_figment(alone)
    each = samples.save(tmp_path / "each") / "000000.png"
    assert opened(each.read_bytes()).size == (16, 16)
