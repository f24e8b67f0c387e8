"""Resizing equals the references: PIL in float for clean-fid, plain bilinear for pytorch-fid."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from figment.metrics.features.resize import antialiased_bicubic, legacy_bilinear


def pil(image: np.ndarray, side: int) -> np.ndarray:
    resized = Image.fromarray(image.astype(np.float32)).resize(
        (side, side), Image.Resampling.BICUBIC
    )
    return np.asarray(resized)


@pytest.mark.parametrize(
    "height, width", [(64, 64), (28, 28), (299, 299), (300, 200), (37, 611), (1, 5)]
)
@pytest.mark.parametrize("side", [64, 128, 299])
def test_bicubic_equals_pil_in_float(height: int, width: int, side: int):
    images = np.random.default_rng(0).integers(0, 256, (2, 3, height, width), dtype=np.uint8)
    found = antialiased_bicubic(torch.from_numpy(images), side).numpy()
    expected = np.stack([[pil(channel, side) for channel in image] for image in images])
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() < 2e-4  # of 255


def test_bicubic_is_not_rounded_and_overshoots():
    edge = torch.zeros(1, 1, 8, 8, dtype=torch.uint8)
    edge[..., 4:] = 255
    found = antialiased_bicubic(edge, 32)
    assert found.min() < -1 and found.max() > 256
    assert (found != found.round()).any()


def test_bicubic_leaves_a_picture_of_the_right_size():
    images = torch.randint(0, 256, (2, 3, 16, 16), dtype=torch.uint8)
    assert torch.equal(antialiased_bicubic(images, 16), images.float())


def test_even_colour_stays():
    images = torch.full((1, 3, 50, 20), 77, dtype=torch.uint8)
    for resize in (antialiased_bicubic, legacy_bilinear):
        assert torch.allclose(resize(images, 33), torch.full((1, 3, 33, 33), 77.0), atol=1e-4)


def test_legacy_bilinear_skips_pixels():
    """Shrunk by 4, each pixel is the mean of the two nearest its centre; the others are not looked at."""
    row = torch.tensor([9, 1, 3, 9, 9, 5, 7, 9], dtype=torch.uint8)
    found = legacy_bilinear(row.expand(1, 1, 8, 8), 2)
    assert torch.equal(found[0, 0, 0], torch.tensor([2.0, 6.0]))


def test_legacy_bilinear_lays_centres_at_half_pixels():
    row = torch.tensor([0, 4], dtype=torch.uint8)
    found = legacy_bilinear(row.expand(1, 1, 2, 2), 4)
    assert torch.equal(found[0, 0, 0], torch.tensor([0.0, 1.0, 3.0, 4.0]))
