from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from figment.report.pictures import large, log_spaced, thumbnail


def opened(picture):
    return Image.open(io.BytesIO(base64.b64decode(picture.uri.partition(",")[2])))


def test_few_moments_are_all_shown():
    assert log_spaced([]) == [] and log_spaced([5]) == [5]
    assert log_spaced(list(range(8))) == list(range(8))


def test_many_moments_are_first_last_and_log_spaced():
    chosen = log_spaced([1000 * k for k in range(1, 1025)], 6)
    assert chosen == [1000, 4000, 16_000, 64_000, 256_000, 1_024_000]


def test_a_picture_before_training_does_not_upset_the_logarithm():
    chosen = log_spaced([1000 * k for k in range(1000)], 8)
    assert len(set(chosen)) == 8 and chosen[0] == 0 and chosen[-1] == 999_000
    assert chosen[1] < 10_000


def test_small_picture_goes_in_untouched(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(np.arange(64 * 64, dtype=np.uint8).reshape(64, 64)).save(path)
    picture = thumbnail(path)
    assert picture.uri == "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()
    assert (picture.width, picture.height) == (64, 64)


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA"])
def test_large_picture_becomes_a_small_webp(tmp_path, mode):
    path = tmp_path / "a.png"
    slope = np.add.outer(np.arange(900), np.arange(1800)) / 11
    noise = np.random.Generator(np.random.Philox(0)).integers(0, 8, (900, 1800))
    grey = Image.fromarray((slope + noise).astype(np.uint8))
    grey.convert(mode).save(path)
    picture = thumbnail(path)
    assert (picture.width, picture.height) == (512, 256)
    with opened(picture) as image:
        assert image.format == "WEBP" and image.size == (512, 256)
        middle = np.asarray(image.convert("L"), float)[120:136, 250:262].mean()
    assert middle == pytest.approx(np.asarray(grey, float)[420:480, 878:922].mean(), abs=4)
    assert len(picture.uri) < 60_000


def test_newest_picture_keeps_its_pixels(tmp_path):
    path = tmp_path / "a.png"
    noise = np.random.Generator(np.random.Philox(0)).integers(0, 256, (512, 512, 3))
    Image.fromarray(noise.astype(np.uint8)).save(path)
    picture = large(path)
    with opened(picture) as image:
        assert (np.asarray(image) == noise).all()


def test_broken_pictures_raise_oserror(tmp_path):
    path = tmp_path / "a.png"
    noise = np.random.Generator(np.random.Philox(0)).integers(0, 256, (256, 256, 3))
    Image.fromarray(noise.astype(np.uint8)).save(path)
    whole = path.read_bytes()
    for size in (0, 7, 20, 40, len(whole) // 2, len(whole) - 1000):
        path.write_bytes(whole[:size])
        with pytest.raises(OSError):
            thumbnail(path)
    second = whole.index(b"IDAT", 100)  # Pillow answers a bad name here with a SyntaxError
    path.write_bytes(whole[:second] + b"\x9b\x30" + whole[second + 2 :])
    with pytest.raises(OSError, match="no whole picture"):
        thumbnail(path)
