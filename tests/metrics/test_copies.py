"""Copies are found as pictures: exact, mirrored, shifted, compressed, and no others."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from figment.data.flowers import draw_flowers
from figment.metrics.copies import ALIKE, Gallery, threshold

RNG = np.random.default_rng(0)


def jpeg(picture: np.ndarray) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(picture.transpose(1, 2, 0)).save(file, "JPEG", quality=75)
    return np.asarray(Image.open(file)).transpose(2, 0, 1)


def shifted(picture: np.ndarray) -> np.ndarray:
    side = picture.shape[1]
    return np.pad(picture, ((0, 0), (0, 2), (2, 0)), mode="edge")[:, 2:, :side]


CHANGES = {
    "exact": lambda picture: picture,
    "mirrored": lambda picture: picture[:, :, ::-1],
    "jpeg": jpeg,
    "shifted": shifted,
    "mirrored and shifted": lambda picture: shifted(picture[:, :, ::-1]),
    "darker": lambda picture: (picture * 0.7).astype(np.uint8),
}


@pytest.fixture(scope="module")
def flowers() -> np.ndarray:
    return draw_flowers(range(160), 64, 0)[0]


@pytest.fixture(scope="module")
def gallery(flowers) -> tuple[Gallery, float]:
    """120 pictures, and the likeness from which something is a copy of one, by the other 40."""
    one = Gallery(flowers, np.arange(120))
    return one, threshold(one.matches(flowers[120:]).likeness)


@pytest.mark.parametrize("change", CHANGES)
def test_copies_are_found_and_their_originals_named(change, flowers, gallery):
    originals = np.arange(0, 120, 5)
    copies = np.stack([CHANGES[change](flowers[row]) for row in originals])
    found = gallery[0].matches(copies)
    assert (found.likeness >= gallery[1]).float().mean() >= 0.95
    assert found.places.tolist() == originals.tolist()
    assert found.mirrored.all() if "mirrored" in change else not found.mirrored.any()


def test_other_pictures_are_no_copies(flowers, gallery):
    assert ALIKE <= gallery[1] < 1
    assert (gallery[0].matches(draw_flowers(range(200, 260), 64, 0)[0]).likeness < gallery[1]).all()


def test_a_picture_is_not_compared_with_what_is_set_apart(flowers):
    twice = np.concatenate([flowers[:10], flowers[:1]])
    gallery = Gallery(twice, np.arange(11))
    found = gallery.matches(flowers[:2], [np.array([0, 10]), np.array([1])])
    assert (found.likeness < 0.99).all() and found.places[0] not in (0, 10)
    alone = Gallery(twice, np.arange(1))
    assert alone.matches(flowers[:1], [np.array([0])]).likeness.tolist() == [-1]


def test_pictures_with_nothing_on_them_are_no_copies_of_each_other():
    black = np.zeros((3, 3, 32, 32), np.uint8)
    assert (Gallery(black, np.arange(3)).matches(black).likeness < 0.5).all()
