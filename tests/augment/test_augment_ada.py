"""The 18 transforms of ADA, one by one, and the probability of each."""

from __future__ import annotations

import math
from dataclasses import fields

import pytest
import torch
from torch import Tensor

from figment.augment import BG, BGC, BGCFNC, PRESETS, R3GAN, Strengths, ada, colour
from figment.errors import UserError

TRANSFORMS = [field.name for field in fields(Strengths) if field.name != "imgfilter_bands"]


def only(name: str, strength: float = 1) -> Strengths:
    return Strengths(**{name: strength})


def changed(x: Tensor, seen: Tensor) -> float:
    """The share of images that are not what they were."""
    return (x != seen).flatten(1).any(1).float().mean().item()


def about(share: float, n: int):
    """Within four standard deviations of a binomial share."""
    return pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / n))


# -- nothing, and how often ------------------------------------------------------------------------


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(("channels", "size"), [(1, 16), (3, 30), (3, 256)])
def test_p_0_is_the_identity_bit_for_bit(preset: str, channels: int, size: int):
    x = torch.randn(2, channels, size, size)
    assert torch.equal(ada(x, 0, PRESETS[preset]), x)
    assert torch.equal(ada(x, torch.zeros(()), PRESETS[preset]), x)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_each_is_applied_with_its_probability(name: str):
    n, p = 600, 0.4
    x = torch.rand(n, 3, 8, 8)
    seen = ada(x, p, only(name, 0.5))
    share = 0.2
    if name in ("xflip", "lumaflip"):
        share /= 2  # half of those drawn are left as they are
    elif name == "rotate90":
        share *= 3 / 4
    elif name == "xint":
        share *= 1 - (1 / 2) ** 2  # one of -1, 0, 1 with 1/4, 1/2, 1/4 along each side
    elif name == "imgfilter":
        share = 1 - (1 - share) ** 4
    assert changed(x, seen) == about(share, n)


def test_images_of_which_nothing_is_drawn_come_back_bit_for_bit():
    x = torch.randn(200, 3, 16, 16)
    share = changed(x, ada(x, 0.05, BGCFNC))
    assert 0.2 < share < 0.8


@pytest.mark.parametrize("name", TRANSFORMS)
def test_every_image_draws_its_own(name: str):
    x = torch.rand(1, 3, 16, 16).expand(16, 3, 16, 16).clone()
    seen = ada(x, 1, only(name))
    assert len(torch.unique(seen.flatten(1), dim=0)) >= 2


def test_images_do_not_touch_each_other():
    x, others = torch.randn(2, 6, 3, 16, 16)
    torch.manual_seed(3)
    seen = ada(x, 0.7, BGCFNC)
    others[0] = x[0]
    torch.manual_seed(3)
    torch.testing.assert_close(ada(others, 0.7, BGCFNC)[0], seen[0])


@pytest.mark.parametrize("preset", ["bgcfnc", "r3gan"])
def test_two_processes_see_what_one_sees(both_halves, preset: str):
    x = torch.randn(8, 3, 16, 16)
    torch.manual_seed(1)
    whole = ada(x, 0.5, PRESETS[preset])
    halves = both_halves(lambda rows: ada(x[rows], 0.5, PRESETS[preset]), of=8)
    torch.testing.assert_close(halves, whole, atol=1e-4, rtol=0)


# -- pixel blitting and geometry -------------------------------------------------------------------


def test_flips(marked):
    x = marked(400)
    seen = ada(x, 1, only("xflip"))
    mirrored = (seen == x.flip(3)).flatten(1).all(1)
    assert (mirrored | (seen == x).flatten(1).all(1)).all()
    assert mirrored.float().mean().item() == about(0.5, 400)


def orientation(x: Tensor, seen: Tensor) -> Tensor:
    """The quarter turns that lead from ``x`` to what was seen of it: [N]."""
    turned = torch.stack([x.rot90(k, (2, 3)) for k in range(4)], 1)
    found = (turned == seen[:, None]).flatten(2).all(2)
    assert found.any(1).all()
    return found.int().argmax(1)


def test_quarter_turns_are_all_as_likely(marked):
    x = marked(800)
    counts = orientation(x, ada(x, 1, only("rotate90"))).bincount(minlength=4)
    for count in counts.tolist():
        assert count / 800 == about(0.25, 800)


def test_turns_do_not_leak_while_p_is_below_four_fifths(marked):
    n, p = 4000, 0.75
    x = marked(n)
    shares = orientation(x, ada(x, p, only("rotate90"))).bincount(minlength=4) / n
    assert shares.argmax() == 0 and shares[0].item() == about(1 - p + p / 4, n)
    # Whatever the generator's own orientations, those seen give them back: the map is invertible.
    own = torch.tensor([0.1, 0.2, 0.3, 0.4])
    turns = torch.multinomial(own, n, replacement=True)
    fakes = torch.stack([x[0].rot90(int(k), (1, 2)) for k in turns])
    seen = orientation(x, ada(fakes, p, only("rotate90"))).bincount(minlength=4) / n
    torch.testing.assert_close((seen - p / 4) / (1 - p), own, atol=0.12, rtol=0)


def test_at_p_1_turns_do_leak(marked):
    fakes = marked(4000).rot90(1, (2, 3))  # all of them fallen over
    seen = orientation(fakes, ada(fakes, 1, only("rotate90"))).bincount(minlength=4) / 4000
    torch.testing.assert_close(seen, torch.full((4,), 0.25), atol=0.03, rtol=0)


def test_shifts_by_whole_pixels():
    x = torch.rand(1, 1, 16, 16).expand(300, 1, 16, 16)
    seen = ada(x, 1, only("xint"))
    padded = torch.nn.functional.pad(x[:1], (2, 2, 2, 2), mode="reflect")
    shifts = [padded[..., a : a + 16, b : b + 16] for a in range(5) for b in range(5)]
    hits = torch.stack([(seen == shift).flatten(1).all(1) for shift in shifts])
    assert hits.any(0).all() and hits.any(1).all()  # up to 2 of 16 either way, all of them


def test_scaling_is_log_normal():
    places = torch.arange(32) - 15.5
    slope = (places / 16).expand(1, 1, 32, 32)
    seen = ada(slope.expand(400, 1, 32, 32), 1, only("scale"))
    factor = (slope[0, 0, 0, 17] - slope[0, 0, 0, 14]) / (seen[:, 0, 16, 17] - seen[:, 0, 16, 14])
    assert factor.log2().std().item() == pytest.approx(0.2, abs=0.03)
    assert factor.log2().mean().item() == pytest.approx(0, abs=0.04)


def test_stretching_keeps_the_area():
    places = torch.arange(32) - 15.5
    across = (places / 16).expand(1, 1, 32, 32).expand(100, 1, 32, 32)
    torch.manual_seed(2)
    wide = ada(across, 1, only("aniso"))[:, 0, 16, [14, 17]].diff()[:, 0]
    torch.manual_seed(2)
    tall = ada(across.mT, 1, only("aniso"))[:, 0, [14, 17], 16].diff()[:, 0]
    torch.testing.assert_close(wide * tall, torch.full((100,), (3 / 16) ** 2), atol=1e-3, rtol=0)


def test_fractional_shifts_are_normal():
    places = torch.arange(32) - 15.5
    across = (places / 16).expand(1, 1, 32, 32).expand(500, 1, 32, 32)
    moved = (across - ada(across, 1, only("xfrac")))[:, 0, 16, 16] * 16 / 32
    moved = moved[moved.abs() < 0.3]  # further out the border is reflected
    assert moved.std().item() == pytest.approx(0.125, abs=0.015)
    assert moved.mean().item() == pytest.approx(0, abs=0.02)


def test_a_turn_keeps_the_centre():
    places = torch.arange(33) - 16.0
    hill = torch.exp(-(places.square() + places.square()[:, None]) / 50)[None, None]
    seen = ada(hill.expand(20, 1, 33, 33), 1, only("rotate"))
    near = slice(6, 27)
    torch.testing.assert_close(
        seen[..., near, near], hill.expand_as(seen)[..., near, near], atol=0.02, rtol=0
    )


# -- colour ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
def test_brightness_adds_a_constant(channels: int):
    x = torch.rand(600, channels, 4, 4)
    added = (ada(x, 1, only("brightness")) - x).flatten(1)
    torch.testing.assert_close(added, added[:, :1].expand_as(added))
    assert added[:, 0].std().item() == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize("channels", [1, 3])
def test_contrast_multiplies(channels: int):
    x = torch.rand(600, channels, 4, 4) + 1
    factors = (ada(x, 1, only("contrast")) / x).flatten(1)
    torch.testing.assert_close(factors, factors[:, :1].expand_as(factors))
    assert factors[:, 0].log2().std().item() == pytest.approx(0.5, abs=0.06)


def test_a_luma_flip_negates_grey_and_leaves_colour():
    x = torch.randn(2, 3, 4, 4)
    grey = x.mean(1, keepdim=True)
    seen = colour.recolour(x, colour.flip_luma(torch.tensor([1.0, 0.0])))
    torch.testing.assert_close(seen[0], (x - 2 * grey)[0])
    assert torch.equal(seen[1], x[1])
    flipped = colour.recolour(grey, colour.flip_luma(torch.ones(2)))
    torch.testing.assert_close(flipped, -grey)


def test_hue_turns_around_grey():
    x = torch.randn(6, 3, 4, 4)
    seen = ada(x, 1, only("hue"))
    torch.testing.assert_close(seen.mean(1), x.mean(1))
    torch.testing.assert_close(seen.square().sum(1), x.square().sum(1))
    third = colour.turn_hue(torch.tensor([2 * math.pi / 3]))
    torch.testing.assert_close(colour.recolour(x[:1], third), x[:1].roll(1, 1))
    torch.testing.assert_close(third @ third @ third, torch.eye(4)[None], atol=1e-6, rtol=0)


def test_without_saturation_only_grey_is_left():
    x = torch.randn(2, 3, 4, 4)
    grey = x.mean(1, keepdim=True)
    none, double = colour.saturate(torch.tensor([0.0, 2.0])).unbind()
    torch.testing.assert_close(colour.recolour(x[:1], none[None]), grey[:1].expand(1, 3, 4, 4))
    torch.testing.assert_close(colour.recolour(x[1:], double[None]), (2 * x - grey)[1:])


def test_grey_pictures_have_no_hue_and_no_saturation():
    x = torch.randn(4, 1, 8, 8)
    assert torch.equal(ada(x, 1, Strengths(hue=1, saturation=1)), x)


# -- filters, noise, cutout ------------------------------------------------------------------------


def test_filters_amplify_bands_at_the_same_power_overall():
    flat = torch.ones(4000, 1, 8, 8)
    lows = ada(flat, 1, Strengths(imgfilter=1, imgfilter_bands=(1, 0, 0, 0)))
    torch.testing.assert_close(lows, lows[..., :1, :1].expand_as(lows))
    # Both sides are filtered: a gain g of the lowest band shows as (g / sqrt((10 g^2 + 3) / 13))^2.
    assert lows.max() < 1.3 and lows.max() > 1.2
    highs = ada(flat[:9], 1, Strengths(imgfilter=1, imgfilter_bands=(0, 0, 0, 1)))
    gain = highs[:, 0, 0, 0]
    assert (gain < 1.3).all() and gain.std() > 0  # what the highest gains, the lowest pays


def test_noise_has_a_spread_of_its_own_for_each_image():
    x = torch.zeros(500, 1, 16, 16)
    spread = ada(x, 1, only("noise")).flatten(1).std(1)
    assert spread.square().mean().sqrt().item() == pytest.approx(0.1, abs=0.015)
    assert spread.min() < 0.01


def test_cutout_covers_what_a_centre_anywhere_covers():
    x = torch.ones(4000, 1, 16, 16)
    holes = ada(x, 1, only("cutout")) == 0
    assert holes.float().mean().item() == pytest.approx(0.4375**2, abs=0.005)
    sizes = holes.flatten(1).sum(1)
    assert sizes.max() == 64 and sizes.min() >= 16  # half of each side; a quarter in the corner


# -- what it takes and gives -----------------------------------------------------------------------


def test_the_type_is_kept_and_autocast_changes_nothing():
    x = torch.rand(4, 3, 16, 16)
    assert ada(x.bfloat16(), 0.5).dtype == torch.bfloat16
    torch.manual_seed(1)
    plain = ada(x, 0.8, BGCFNC)
    torch.manual_seed(1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(ada(x, 0.8, BGCFNC), plain)


def test_other_numbers_of_channels_are_moved_but_not_coloured():
    x = torch.rand(2, 4, 16, 16)
    assert ada(x, 0.5, BG).shape == x.shape
    with pytest.raises(UserError, match="4 channels"):
        ada(x, 0.5, BGC)


def test_presets_are_those_of_the_papers():
    on = {name: {f for f in TRANSFORMS if getattr(s, f)} for name, s in PRESETS.items()}
    assert len(on["bgc"]) == 12 and on["bg"] < on["bgc"] < on["bgcf"] < on["bgcfn"] < on["bgcfnc"]
    # The paper counts each band, and both turns as one: 18.
    assert on["bgcfnc"] == set(TRANSFORMS) and len(TRANSFORMS) + 3 == 18
    assert on["r3gan"] == on["bgc"] | {"cutout"} and R3GAN.hue == 0.5 and R3GAN.cutout == 1
