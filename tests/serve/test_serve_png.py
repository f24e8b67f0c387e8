from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from figment.serve.encoding import encoded, side_by_side
from figment.serve.png import png_of


@pytest.mark.parametrize("channels", [1, 3])
def test_pillow_reads_the_same_pixels_and_words(channels: int):
    pixels = np.random.default_rng(0).integers(0, 256, (channels, 7, 5), dtype=np.uint8)
    words = {"Seed": "9223372036854775807", "Class": "Löwe", "Model": "кот"}
    image = Image.open(io.BytesIO(png_of(pixels, words)))
    image.load()
    found = np.asarray(image)
    assert (found == (pixels[0] if channels == 1 else pixels.transpose(1, 2, 0))).all()
    assert image.text == words


@pytest.mark.parametrize(("kind", "form"), [("webp", "WEBP"), ("jpeg", "JPEG")])
def test_other_kinds_say_their_seed_too(kind, form):
    smooth = np.linspace(0, 255, 16 * 16 * 3).reshape(16, 16, 3).transpose(2, 0, 1).astype(np.uint8)
    image = Image.open(io.BytesIO(encoded(smooth, kind, {"Seed": "7"})))
    assert image.format == form and image.getexif()[0x010E] == "Seed 7"
    assert abs(np.asarray(image).astype(int) - smooth.transpose(1, 2, 0)).mean() < 10


def test_pictures_side_by_side_are_rows_and_the_rest_is_white():
    pixels = np.arange(3, dtype=np.uint8)[:, None, None, None] * np.ones((1, 1, 2, 2), np.uint8)
    page = side_by_side(pixels, 2)
    assert page.shape == (1, 4, 4)
    assert page[0, ::2, ::2].tolist() == [[0, 1], [2, 255]]
