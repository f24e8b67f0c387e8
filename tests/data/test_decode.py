from __future__ import annotations

import io
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from figment.data.decode import decode, orientation, see, upright
from figment.data.opening import Unknown, opened, quiet, why
from figment.data.square import FITS, Form, squared
from figment.errors import UserError


def saved(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def noise(height: int, width: int, channels: int = 3) -> np.ndarray:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, channels), np.uint8)
    return pixels[..., 0] if channels == 1 else pixels


def colour(image: Image.Image, kind: str = "PNG", **options) -> list[int]:
    """The mean colour of a picture after decoding."""
    row = decode(saved(image, kind, **options), Form(4, 3))
    return np.rint(row.mean(axis=(1, 2))).astype(int).tolist()


def fails(data: bytes) -> str:
    with pytest.raises(Exception) as caught:
        decode(data, Form(4, 3))
    return why(caught.value, data)


def test_a_picture_of_the_right_size_comes_out_as_it_is():
    pixels = noise(8, 8)
    row = decode(saved(Image.fromarray(pixels)), Form(8, 3))
    assert row.dtype == np.uint8
    assert (row == pixels.transpose(2, 0, 1)).all()


@pytest.mark.parametrize(
    ("mode", "value", "expected"),
    [
        ("1", 1, [255, 255, 255]),
        ("L", 90, [90, 90, 90]),
        ("RGB", (10, 20, 30), [10, 20, 30]),
        ("RGBA", (10, 20, 30, 255), [10, 20, 30]),
        ("RGBA", (10, 20, 30, 0), [255, 255, 255]),
        ("RGBA", (0, 100, 200, 51), [204, 224, 244]),  # 0.2 of it over 0.8 white
        ("LA", (100, 51), [224, 224, 224]),
        ("LA", (100, 0), [255, 255, 255]),
    ],
)
def test_every_mode_becomes_rgb_over_white(mode, value, expected):
    assert colour(Image.new(mode, (6, 6), value)) == expected


def test_palettes_with_and_without_transparency():
    image = Image.new("P", (6, 6), 1)
    image.putpalette([1, 2, 3, 40, 50, 60])
    assert colour(image) == [40, 50, 60]
    assert colour(image, transparency=1) == [255, 255, 255]
    assert colour(image, transparency=0) == [40, 50, 60]
    assert colour(image, transparency=bytes([255, 0])) == [255, 255, 255]
    assert colour(image, "GIF", transparency=1) == [255, 255, 255]


def test_a_transparent_colour_of_an_rgb_or_grey_png_is_white():
    assert colour(Image.new("RGB", (6, 6), (1, 2, 3)), transparency=(1, 2, 3)) == [255] * 3
    assert colour(Image.new("L", (6, 6), 7), transparency=7) == [255] * 3


def test_sixteen_bits_are_scaled_not_clipped():
    ramp = np.array([[0, 257, 32896, 65535]] * 4, np.uint16)
    for data in (saved(Image.fromarray(ramp)), saved(Image.fromarray(ramp), "TIFF")):
        assert decode(data, Form(4, 1))[0, 0].tolist() == [0, 1, 128, 255]
    deep = Image.fromarray(ramp.astype(np.int32))
    assert deep.mode == "I"
    assert decode(saved(deep, "TIFF"), Form(4, 3))[2, 3].tolist() == [0, 1, 128, 255]


def test_cmyk_and_ycbcr_become_rgb():
    data = saved(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=100)
    assert opened(data).mode == "CMYK"
    red, green, blue = decode(data, Form(4, 3)).mean(axis=(1, 2))
    assert red > 250 and green < 5 and blue < 5
    assert colour(Image.new("CMYK", (6, 6), (255, 0, 0, 0)), "TIFF") == [0, 255, 255]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_counts(kind):
    frames = [Image.new("RGB", (8, 8), shade) for shade in ((200, 0, 0), (0, 200, 0))]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = saved(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert opened(data).n_frames == 2
    assert colour(frames[0], kind, save_all=True, append_images=frames[1:], **options) == [
        200,
        0,
        0,
    ]


def test_grey_is_luma_and_colour_of_grey_is_three_times_the_same():
    pixels = noise(8, 8)
    luma = np.asarray(Image.fromarray(pixels).convert("L"))
    assert (decode(saved(Image.fromarray(pixels)), Form(8, 1)) == luma).all()
    assert (decode(saved(Image.fromarray(luma)), Form(8, 3)) == np.stack([luma] * 3)).all()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_the_exif_orientation_is_applied(kind, turn):
    pixels = np.zeros((16, 32, 3), np.uint8)
    pixels[:8, :8] = 255  # a white mark in the corner tells all eight apart with the aspect
    pixels[8:, :8] = 128
    exif = Image.Exif()
    exif[0x0112] = turn
    options = {"quality": 100} if kind in ("JPEG", "WEBP") else {}
    image = opened(saved(Image.fromarray(pixels), kind, exif=exif, **options))
    tops = {
        1: pixels,
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: pixels.transpose(1, 0, 2),
        6: pixels[::-1].transpose(1, 0, 2),
        7: pixels[::-1, ::-1].transpose(1, 0, 2),
        8: pixels[:, ::-1].transpose(1, 0, 2),
    }
    seen = np.asarray(upright(image), np.int16)
    assert seen.shape == tops[turn].shape
    assert np.abs(seen - tops[turn]).mean() < 4


def test_a_strange_orientation_changes_nothing():
    exif = Image.Exif()
    exif[0x0112] = 77
    data = saved(Image.fromarray(noise(8, 16)), exif=exif)
    assert orientation(opened(data)) == 1
    assert upright(opened(data)).size == (16, 8)
    broken = saved(Image.fromarray(noise(8, 16)), "JPEG", exif=b"Exif\0\0MM\0*garbage")
    with quiet():
        assert upright(opened(broken)).size == (16, 8)


def test_crop_keeps_the_central_square():
    pixels = np.zeros((8, 20, 3), np.uint8)
    pixels[:, 6:14] = noise(8, 8)
    expected = pixels[:, 6:14].transpose(2, 0, 1)
    assert (decode(saved(Image.fromarray(pixels)), Form(8, 3, "crop")) == expected).all()
    tall = decode(saved(Image.fromarray(pixels.transpose(1, 0, 2))), Form(8, 3))
    assert (tall == expected.transpose(0, 2, 1)).all()


def test_pad_keeps_everything_on_white():
    row = decode(saved(Image.new("RGB", (40, 20), (10, 20, 30))), Form(16, 3, "pad"))
    assert (row[:, :4] == 255).all() and (row[:, 12:] == 255).all()
    assert (row[:, 4:12] == np.array([10, 20, 30])[:, None, None]).all()
    thin = decode(saved(Image.new("L", (2, 400), 0)), Form(16, 1, "pad"))
    assert (thin[0, :, 7] == 0).all() and (np.delete(thin[0], 7, axis=1) == 255).all()


def test_stretch_uses_everything():
    pixels = np.repeat(np.array([[0, 50, 100, 150]], np.uint8), 2, axis=0)
    pixels = np.kron(pixels, np.ones((32, 8), np.uint8))  # 64 rows, 32 columns
    row = decode(saved(Image.fromarray(pixels)), Form(16, 1, "stretch"))
    assert row[0, 8, [1, 6, 10, 14]].tolist() == pytest.approx([0, 50, 100, 150], abs=8)


def test_shrinking_is_lanczos_and_enlarging_bicubic():
    image = Image.fromarray(noise(16, 16))
    for side, kernel in ((8, Image.Resampling.LANCZOS), (24, Image.Resampling.BICUBIC)):
        expected = np.asarray(image.resize((side, side), kernel)).transpose(2, 0, 1)
        assert (squared(image, Form(side, 3)) == expected).all()


@settings(max_examples=40, deadline=None)
@given(
    st.integers(2, 70),
    st.integers(2, 70),
    st.integers(2, 40),
    st.sampled_from([1, 3]),
    st.sampled_from(FITS),
)
def test_any_size_gives_the_form_that_was_asked_for(width, height, side, channels, fit):
    form = Form(side, channels, fit)
    row = squared(Image.new("RGB", (width, height), (60, 60, 60)), form)
    assert row.shape == (channels, side, side)
    assert set(np.unique(row)) <= {60, 255}
    assert fit == "pad" or (row == 60).all()


def test_large_jpegs_are_decoded_small_but_never_below_what_is_needed():
    smooth = Image.fromarray(noise(8, 8)).resize((1024, 640))
    data = saved(smooth, "JPEG", quality=95)
    for enough, size in ((64, (128, 80)), (81, (256, 160)), (700, (1024, 640))):
        seen = see(data, enough=enough)
        assert seen.image.size == size
        assert (seen.width, seen.height) == (1024, 640)
    exact = squared(smooth, Form(32, 3)).astype(int)
    assert np.abs(decode(data, Form(32, 3)) - exact).mean() < 2


def test_broken_files_are_put_into_words():
    png = saved(Image.fromarray(noise(32, 32)))
    jpeg = saved(Image.fromarray(noise(32, 32)), "JPEG")
    assert fails(b"") == "empty file"
    assert fails(b"hello\nworld") == "text, not a picture"
    assert fails(bytes(range(200))) == "not a picture, or of an unknown kind"
    assert fails(png[: len(png) // 2]).startswith("cut short")
    assert fails(jpeg[: len(jpeg) // 2]).startswith("cut short")
    assert (
        fails(saved(Image.new("L", (1, 1)))) == "one pixel wide or high: too small to be a picture"
    )
    assert (
        fails(saved(Image.new("L", (1, 500))))
        == "one pixel wide or high: too small to be a picture"
    )
    assert (
        fails(b"%!PS-Adobe-3.0 EPSF-3.0\n") == "text, not a picture"
    )  # never given to Ghostscript
    assert why(MemoryError(), b"") == "too large for the memory of this machine"
    assert why(PermissionError(13, "Permission denied"), b"") == "Permission denied"
    assert why(KeyError(), b"") == "KeyError"


def test_quiet_silences_and_restores():
    filters = list(warnings.filters)
    with quiet():
        warnings.warn("of a single file", stacklevel=1)
    assert warnings.filters == filters
    with pytest.raises(UserWarning):
        warnings.warn("of a single file", stacklevel=1)


@pytest.mark.parametrize(
    ("form", "answer"),
    [
        (Form(1, 3), "resolution must be between 2 and 4096 pixels, not 1"),
        (Form(9999, 3), "not 9999"),
        (Form(64, 4), r"channels must be 1 \(grey\) or 3 \(colour\), not 4"),
        (Form(64, 3, "crap"), r"not 'crap'\. Did you mean crop\?"),
    ],
)
def test_senseless_forms_are_refused(form, answer):
    with pytest.raises(UserError, match=answer):
        form.check()


def test_unknown_formats_are_not_tried():
    with pytest.raises(Unknown):
        opened(saved(Image.new("RGB", (8, 8)), "PCX"))
