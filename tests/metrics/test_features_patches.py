"""The judge without training: what it sees, what it does not hang on, and that it stays what it is."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter

from figment.errors import UserError
from figment.metrics.distances import kid_full
from figment.metrics.features import available, open_features, patches
from figment.metrics.features.extractor import Extractor


@pytest.fixture(scope="module")
def judge() -> Extractor:
    return open_features("patches")


def pictures() -> np.ndarray:
    """Cut from dead leaves that the features have not been made of: uint8 [96, 3, 64, 64]."""
    canvas = ((patches.leaves()[:, ::-1].transpose(0, 2, 1) + 1) * 127.5).round()
    rng = np.random.default_rng(1)
    places = rng.integers(0, patches.CANVAS - 64, (96, 2))
    cut = [canvas[:, y : y + 64, x : x + 64] for y, x in places]
    return np.stack(cut).astype(np.uint8)


def blurred(images: np.ndarray) -> np.ndarray:
    soft = [
        np.asarray(Image.fromarray(i.transpose(1, 2, 0)).filter(ImageFilter.GaussianBlur(1)))
        for i in images
    ]
    return np.stack(soft).transpose(0, 3, 1, 2)


def muted(images: np.ndarray) -> np.ndarray:
    grey = images.mean(1, keepdims=True)
    return (grey + (images - grey) * 0.5).astype(np.uint8)


def checkered(images: np.ndarray) -> np.ndarray:
    rows, columns = np.indices(images.shape[2:])
    return (images + np.where((rows + columns) % 2, 6.0, -6.0)).clip(0, 255).astype(np.uint8)


def tinted(images: np.ndarray) -> np.ndarray:
    return (images + np.array([20.0, 0, -20])[:, None, None]).clip(0, 255).astype(np.uint8)


def distance(judge: Extractor, one: np.ndarray, other: np.ndarray) -> float:
    return 1_000 * kid_full(judge(one).values, judge(other).values).value


def test_it_is_named_and_needs_nothing(judge: Extractor):
    assert available("patches")
    assert judge.protocol == "patches (nothing trained), 64 px, antialiased bicubic"
    assert judge.width == patches.WIDTH == 1_752
    assert not judge.has_logits
    with pytest.raises(UserError, match="write patches, not patches:a"):
        open_features("patches:a")


@pytest.mark.parametrize("damage", [blurred, muted, checkered, tinted])
def test_it_sees_damage_far_beyond_its_floor(judge: Extractor, damage):
    images = pictures()
    one, other = images[::2], images[1::2]
    floor = abs(distance(judge, one, other))
    assert distance(judge, one, damage(other)) > max(10, 3 * floor)


def test_no_feature_runs_away(judge: Extractor):
    """A picture of nothing but noise or edges is far, and no feature of it is infinitely far."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 2, (4, 3, 64, 64), dtype=np.uint8) * 255
    values = judge(np.concatenate([noise, np.zeros_like(noise)])).values
    kinds = values.split(patches.SIZES, dim=1)
    for kind, share, size in zip(kinds, patches.SHARES, patches.SIZES, strict=True):
        bound = patches.BEND * (share / sum(patches.SHARES) * patches.WIDTH / size) ** 0.5
        assert 0 < kind.abs().max() <= bound


def test_whitening_makes_features_uncorrelated():
    rng = np.random.default_rng(0)
    mixed = rng.standard_normal((4_000, 6)) @ rng.standard_normal((6, 6))
    rows = torch.from_numpy(mixed)
    matrix = patches.whitening(rows.float()).double()
    assert torch.allclose(matrix, matrix.T, atol=1e-5)
    covariance = torch.cov((rows @ matrix).T)
    values = torch.linalg.eigvalsh(torch.cov(rows.T))
    expected = (values / (values + patches.RIDGE)).sort().values
    assert torch.allclose(torch.linalg.eigvalsh(covariance), expected, atol=1e-3)


def test_a_response_is_that_to_the_evened_and_whitened_patch():
    """Convolved kernel over the deviation, less the offset, is (p - m) W f of the patch alone."""
    net = patches.Patches().eval().requires_grad_(False)
    image = torch.rand(1, 3, 6, 6, generator=torch.Generator().manual_seed(0)) * 2 - 1
    flat = image.flatten()
    even = (flat - flat.mean()) / (flat.var(correction=0) + patches.EVEN).sqrt()
    response = net.kernels.flatten(1) @ even - net.offset
    sides = torch.cat([response - patches.THRESHOLD, -response - patches.THRESHOLD]).relu()
    found = net.textures(image, 1)[0].view(-1, patches.QUARTERS)
    assert torch.allclose(found, sides[:, None].expand(-1, 4), atol=1e-4)


def test_it_gives_what_it_always_gave(judge: Extractor):
    line = torch.arange(64)
    y, x, c = torch.meshgrid(line, line, torch.arange(3), indexing="ij")
    image = ((x * (c + 2) + y * (5 - c)) % 256).permute(2, 0, 1)[None].to(torch.uint8)
    values = judge(image).values[0]
    places = [0, 300, 511, 700, 1_200, 1_535, 1_600, 1_727, 1_730, 1_751]
    expected = [
        -0.8984,
        -1.6227,
        -1.3959,
        0.9854,
        -0.5415,
        -1.2755,
        -1.5427,
        0.6882,
        1.8736,
        3.5998,
    ]
    assert values[places].numpy() == pytest.approx(np.array(expected), abs=2e-3)
