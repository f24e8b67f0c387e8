"""The flowers: pure in (seed, index, resolution), balanced, told apart, and their factors act."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from figment.data import flowers
from figment.data.flowers import BACKGROUNDS, CLASSES, Factors, draw_flowers, factors, render
from figment.errors import UserError

RANGES = {
    "size": (0.28, 0.37),
    "x": (0.44, 0.56),
    "y": (0.42, 0.48),
    "tilt": (-0.35, 0.35),
    "turn": (0, 2 * np.pi),
    "light": (-0.9, 0.9),
    "horizon": (0.45, 0.80),
}


@pytest.fixture(autouse=True)
def painted_anew(monkeypatch: pytest.MonkeyPatch):
    """Here every flower is painted, also one that was before."""
    monkeypatch.setattr(flowers, "render", render)


def bare(f: Factors) -> np.ndarray:
    """The picture of ``f`` without its flower, at 64 pixels: background, leaves and stem."""
    random = flowers.stream("flower details", f.detail)
    canvas = flowers._background(f, random, 128)
    flowers._paint_stem(canvas, f, random)
    return canvas.reshape(3, 64, 2, 64, 2).mean(axis=(2, 4)) * 255


def flower_pixels(f: Factors) -> np.ndarray:
    """Where [64, 64] the flower of ``f`` changes its background."""
    return np.abs(render(f, 64) - bare(f)).max(axis=0) > 25


def warmth(images: np.ndarray) -> np.ndarray:
    """Red minus blue [B] in the middle of the upper half, where every flower is."""
    r = images.shape[-1]
    middle = images[:, :, r * 5 // 16 : r * 5 // 8, r * 3 // 8 : r * 5 // 8].astype(float)
    return (middle[:, 0] - middle[:, 2]).mean(axis=(1, 2))


def mean_hue(f: Factors) -> float:
    """Hue in degrees of the mean colour of the petals, for a mean that is red, then green."""
    red, green, blue = render(f, 64)[:, flower_pixels(f)].mean(axis=1)
    return 60 * (green - blue) / (red - blue)


@pytest.mark.parametrize("resolution", [16, 33, 64, 160])
def test_shapes_types_and_labels(resolution):
    images, labels = draw_flowers([4, 7, 9], resolution)
    assert images.shape == (3, 3, resolution, resolution) and images.dtype == np.uint8
    assert labels.dtype == np.int64 and labels.tolist() == [0, 1, 1]
    assert images.min() < 60 and images.max() > 220


def test_no_flowers_are_an_empty_batch():
    images, labels = draw_flowers([], 32)
    assert images.shape == (0, 3, 32, 32) and labels.shape == (0,)
    assert images.dtype == np.uint8 and labels.dtype == np.int64


def test_a_picture_depends_on_seed_and_index_alone():
    batch, _ = draw_flowers(range(10), 32, seed=3)
    alone, _ = draw_flowers([9, 2], 32, seed=3)
    np.testing.assert_array_equal(alone, batch[[9, 2]])
    np.testing.assert_array_equal(alone[0], render(factors(9, seed=3), 32))
    other, _ = draw_flowers(range(10), 32, seed=4)
    assert (batch != other).any(axis=(1, 2, 3)).all()
    assert len(np.unique(batch.reshape(10, -1), axis=0)) == 10


def test_factors_are_plain_values_within_their_ranges():
    drawn = [factors(i) for i in range(600)]
    assert [f.label for f in drawn] == [0, 1] * 300
    for name, (low, high) in RANGES.items():
        values = np.array([getattr(f, name) for f in drawn])
        assert values.min() >= low and values.max() <= high
        assert np.ptp(values) > 0.95 * (high - low), name
        assert type(getattr(drawn[0], name)) is float
    assert {f.background for f in drawn} == set(range(len(BACKGROUNDS)))
    for label, hues, petals in ((0, (20, 60), (70, 100)), (1, (20, 48), (11, 16))):
        kind = [f for f in drawn if f.label == label]
        assert all(hues[0] <= f.hue <= hues[1] for f in kind)
        assert {f.petals for f in kind} <= set(range(petals[0], petals[1] + 1))
        assert {f.petals for f in kind} >= set(petals)
    assert len({f.detail for f in drawn}) == 600


def test_the_same_flower_at_every_resolution():
    small = draw_flowers(range(12), 32)[0].astype(float)
    large = draw_flowers(range(12), 128)[0].reshape(12, 3, 32, 4, 32, 4).mean(axis=(3, 5))
    apart = np.abs(small - large).mean(axis=(1, 2, 3))
    assert apart.max() < 2.5
    # Two different flowers are an order of magnitude further apart.
    assert np.abs(small - np.roll(large, 2, axis=0)).mean() > 20


def test_warmth_of_the_middle_tells_the_classes_apart():
    images, labels = draw_flowers(range(200), 32, seed=1)
    assert CLASSES == ("dandelion", "marigold")
    np.testing.assert_array_equal(warmth(images) > 95, labels == 1)
    assert warmth(images)[labels == 1].min() - warmth(images)[labels == 0].max() > 80


@pytest.mark.parametrize("index", [0, 1])
def test_size_and_place_are_those_of_the_factors(index):
    f = replace(factors(index), x=0.5, y=0.45, tilt=0.0)
    areas = [flower_pixels(replace(f, size=size)).mean() for size in (0.28, 0.32, 0.37)]
    assert areas[0] < areas[1] < areas[2]
    # Within a fifth of a full disc: a clock is airy, petals are uneven.
    np.testing.assert_allclose(areas, np.pi * np.array([0.28, 0.32, 0.37]) ** 2, rtol=0.2)
    for x, y in ((0.44, 0.48), (0.56, 0.42)):
        rows, columns = np.nonzero(flower_pixels(replace(f, x=x, y=y)))
        assert np.mean(columns + 0.5) / 64 == pytest.approx(x, abs=0.015)
        assert np.mean(rows + 0.5) / 64 == pytest.approx(y, abs=0.015)


def test_hue_moves_the_mean_hue():
    marigolds = [mean_hue(replace(factors(1), hue=hue)) for hue in (20.0, 34.0, 48.0)]
    assert marigolds[0] + 8 < marigolds[1] < marigolds[2] - 8
    clock = factors(0)
    reddish, yellowish = (render(replace(clock, hue=hue), 64) for hue in (20.0, 60.0))
    green = yellowish[1].astype(float) - reddish[1]
    assert green[flower_pixels(clock)].mean() > 3


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize(
    ("factor", "values"),
    [
        ("petals", ((70, 100), (11, 16))),
        ("tilt", (-0.3, 0.3)),
        ("turn", (1.0, 2.0)),
        ("light", (-0.9, 0.9)),
        ("background", (1, 4)),
        ("horizon", (0.45, 0.8)),
        ("detail", (1, 2)),
    ],
)
def test_every_other_factor_acts(index, factor, values):
    values = values[index] if factor == "petals" else values
    first, second = (render(replace(factors(index), **{factor: v}), 32) for v in values)
    assert np.abs(first.astype(float) - second).mean() > 0.4  # a stem is thin


def test_background_leaves_the_flower_alone():
    f = factors(1)
    within = np.hypot(*(np.indices((64, 64)) / 64 - np.array([f.y, f.x])[:, None, None])) < 0.2
    pictures = [render(replace(f, background=b), 64) for b in range(len(BACKGROUNDS))]
    for picture in pictures[1:]:
        np.testing.assert_array_equal(picture[:, within], pictures[0][:, within])
        assert np.abs(picture[:, ~within].astype(float) - pictures[0][:, ~within]).mean() > 5


def test_backgrounds_are_smooth():
    for background in range(len(BACKGROUNDS)):
        f = replace(factors(1), background=background)
        canvas = flowers._background(f, flowers.stream("flower details", 0), 64)
        assert canvas.dtype == np.float32 and canvas.min() >= 0 and canvas.max() <= 1
        for axis in (1, 2):
            assert np.abs(np.diff(canvas, axis=axis)).max() < 0.06


@pytest.mark.parametrize("resolution", [-1, 0, 15, 1025])
def test_resolutions_out_of_range_are_refused(resolution):
    with pytest.raises(UserError, match=f"16 to 1024 pixels, not {resolution}"):
        draw_flowers([0], resolution)
    with pytest.raises(UserError, match=f"16 to 1024 pixels, not {resolution}"):
        render(factors(0), resolution)
