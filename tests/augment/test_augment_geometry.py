"""Affine maps of pictures: whole pixels exactly, the rest between band-limited samples."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from figment.augment import wavelets
from figment.augment.geometry import blit, resample, rotation, sample, scaling, translation


def one(*values: float) -> list[Tensor]:
    return [torch.tensor([float(value)]) for value in values]


def wave(size: int, across: float, down: float) -> Tensor:
    """A plane wave of so many cycles per pixel along x and y, 0 at the centre: [1, 1, S, S]."""
    places = torch.arange(size) - (size - 1) / 2
    return torch.sin(2 * math.pi * (across * places + down * places[:, None]))[None, None]


# -- whole pixels ----------------------------------------------------------------------------------


def test_a_blit_flips_turns_and_shifts_exactly():
    x = torch.rand(1, 3, 8, 8)
    assert torch.equal(blit(x, scaling(*one(-1, 1))), x.flip(3))
    assert torch.equal(blit(x, scaling(*one(1, -1))), x.flip(2))
    quarter = rotation(*one(math.pi / 2)).round()
    assert torch.equal(blit(x, quarter), x.rot90(1, (2, 3)))
    assert torch.equal(blit(x, quarter @ quarter @ quarter @ quarter), x)
    moved = blit(x, translation(*one(-2, 1)))
    assert torch.equal(moved[..., :7, 2:], x[..., 1:, :6])
    assert torch.equal(moved[..., :7, :2], x[..., 1:, [2, 1]])  # reflected, the border not twice


def test_maps_of_a_chain_multiply_from_left_to_right():
    x = torch.rand(1, 1, 8, 8)
    flip, shift = scaling(*one(-1, 1)), translation(*one(-2, 0))
    assert torch.equal(blit(x, flip @ shift), blit(blit(x, flip), shift))
    assert not torch.equal(blit(x, shift @ flip), blit(x, flip @ shift))


def test_reflection_goes_on_for_ever():
    places = torch.arange(-9, 12)
    expected = [3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1]
    assert wavelets.reflected(places, 4).tolist() == expected


# -- filters ---------------------------------------------------------------------------------------


def test_the_filters_are_orthogonal():
    for taps in (wavelets.SYM2, wavelets.SYM6):
        even = torch.tensor(taps, dtype=torch.float64)
        for shift in range(0, len(taps), 2):
            product = (even[: len(taps) - shift] * even[shift:]).sum().item()
            assert product == pytest.approx(float(shift == 0), abs=1e-9)
        assert even.sum().item() == pytest.approx(math.sqrt(2), abs=1e-9)


def test_enlarging_and_shrinking_give_back_the_signal():
    like = torch.zeros((), dtype=torch.float64)
    inside = wavelets.enlarging(10, 6, 6, like)[6:-6]  # `shrinking` takes 3 pixels at either end
    both = wavelets.shrinking(10, like) @ inside
    torch.testing.assert_close(both, torch.eye(10, dtype=torch.float64), atol=1e-9, rtol=0)
    taller = wavelets.enlarging(10, 6, 6, like)[11:-11]  # outside, the signal just ends
    torch.testing.assert_close(taller.sum(1), torch.ones_like(taller[:, 0]), atol=1e-9, rtol=0)


def test_the_bands_sum_to_the_identity_and_part_the_frequencies():
    bands = wavelets.bands(torch.zeros((), dtype=torch.float64))
    identity = torch.zeros(43, dtype=torch.float64)
    identity[21] = 1
    torch.testing.assert_close(bands.sum(0), identity)
    torch.testing.assert_close(bands, bands.flip(1))
    places = torch.arange(43) - 21
    cycles = torch.tensor([0, 1 / 8, 1 / 3, 1], dtype=torch.float64)
    response = (bands @ torch.cos(math.pi * places[:, None] * cycles)).T  # [frequency, band]
    assert response.argmax(1).tolist() == [0, 1, 2, 3]
    torch.testing.assert_close(response[0], torch.eye(4, dtype=torch.float64)[0])
    torch.testing.assert_close(response[3], torch.eye(4, dtype=torch.float64)[3])


def test_filtering_reflects_at_the_ends_however_short_the_signal():
    taps = torch.rand(2, 7)
    x = torch.rand(2, 1, 12)
    padded = F.pad(x, (3, 3), mode="reflect")
    expected = torch.stack([F.conv1d(padded[n], taps[n].view(1, 1, 7)) for n in range(2)])
    got = (wavelets.filtering(taps, 12) @ x.mT).mT
    torch.testing.assert_close(got, expected)
    flat = wavelets.filtering(taps, 4).sum(2)  # 7 taps on 4 samples
    torch.testing.assert_close(flat, taps.sum(1, keepdim=True).expand(2, 4))


# -- resampling ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [16, 30, 64])
def test_the_identity_gives_back_the_picture(size: int):
    x = torch.randn(2, 3, size, size)
    got = resample(x, torch.eye(3).expand(2, 3, 3))
    torch.testing.assert_close(got, x, atol=1e-4, rtol=0)


def test_it_agrees_with_a_blit_where_only_pixels_move():
    x = torch.randn(1, 3, 32, 32)
    shift = translation(*one(3, -2))
    torch.testing.assert_close(resample(x, shift), blit(x, shift), atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("back", "across", "down"),
    [
        (rotation(*one(math.pi / 6)), 0.1 * math.cos(math.pi / 6), -0.1 * math.sin(math.pi / 6)),
        (scaling(*one(0.5, 2)), 0.05, 0.0),
        (scaling(*one(1.3, 1)), 0.13, 0.0),
    ],
)
def test_a_wave_is_turned_and_stretched(back: Tensor, across: float, down: float):
    got = resample(wave(64, 0.1, 0.0), back)
    inside = got[..., 16:48, 16:48] - wave(64, across, down)[..., 16:48, 16:48]
    assert inside.abs().max() < 0.03


def test_half_a_pixel_keeps_a_fine_wave_that_bilinear_weights_would_blur():
    fine = wave(64, 0.25, 0.0)
    moved = resample(fine, translation(*one(0.5, 0)))[..., 16:48, 16:48]
    amplitude = moved.square().mean().mul(2).sqrt().item()
    blurred = (fine[..., 1:] + fine[..., :-1])[..., 16:48] / 2
    assert blurred.square().mean().mul(2).sqrt().item() == pytest.approx(math.sqrt(0.5), abs=0.02)
    assert amplitude > 0.95


def test_nothing_black_comes_in():
    ones = torch.ones(5, 1, 32, 32)
    angles = torch.linspace(0.1, 3, 5)
    torch.testing.assert_close(resample(ones, rotation(angles)), ones, atol=1e-4, rtol=0)


# -- sampling --------------------------------------------------------------------------------------


def test_samples_are_torch_s_and_can_be_differentiated_twice():
    x = torch.randn(2, 2, 4, 5, dtype=torch.float64, requires_grad=True)
    grid = torch.rand(2, 3, 4, 2, dtype=torch.float64) * 2.4 - 1.2
    torch.testing.assert_close(sample(x, grid), F.grid_sample(x, grid, align_corners=False))
    assert torch.autograd.gradcheck(lambda x: sample(x, grid), x)
    assert torch.autograd.gradgradcheck(lambda x: sample(x, grid), x)
