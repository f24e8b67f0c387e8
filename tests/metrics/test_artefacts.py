"""The share of spectral energy at the Nyquist frequency."""

from __future__ import annotations

import math

import pytest
import torch

from figment.metrics.artefacts import checkerboard, checkerboard_ratio


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_white_noise():
    assert pytest.approx(0.03101, abs=5e-6) == (2 * 64 - 1) / (64**2 - 1)
    found = checkerboard(noise(400, 1, 64, 64))
    assert float(found.mean()) == pytest.approx(0.03101, rel=0.02)
    wide = checkerboard(noise(400, 1, 16, 32))
    assert float(wide.mean()) == pytest.approx(47 / 511, rel=0.02)


@pytest.mark.parametrize("axis", [2, 3])
@pytest.mark.parametrize("side", [28, 64])
def test_stripes_of_one_pixel(axis: int, side: int):
    stripes = torch.zeros(1, 3, side, side, dtype=torch.uint8)
    stripes.transpose(axis, 3)[..., 1::2] = 200
    assert float(checkerboard(stripes)) == pytest.approx(1, abs=1e-12)


def test_a_checkerboard_is_counted_once():
    board = (torch.arange(16)[:, None] + torch.arange(16)) % 2
    assert float(checkerboard(board[None, None].float())) == pytest.approx(1, abs=1e-12)


def test_a_wave_and_a_flat_picture_have_none():
    wave = torch.sin(2 * math.pi * torch.arange(32) / 8).repeat(32, 1)[None, None]
    assert float(checkerboard(wave)) == pytest.approx(0, abs=1e-12)
    assert checkerboard(torch.full((2, 3, 32, 32), 0.1)).tolist() == [0, 0]
    assert checkerboard(torch.full((2, 1, 32, 32), 77, dtype=torch.uint8)).tolist() == [0, 0]


def test_the_share_is_one_of_energy():
    wave = torch.sin(2 * math.pi * torch.arange(32) / 8).repeat(32, 1)  # mean square ½
    stripes = 0.5 * (1 - 2 * (torch.arange(32) % 2)).repeat(32, 1)  # mean square ¼
    assert float(checkerboard((wave + stripes)[None, None])) == pytest.approx(1 / 3, abs=1e-6)
    bytes_ = (120 + 50 * (wave + stripes))[None, None]
    assert float(checkerboard(bytes_)) == pytest.approx(1 / 3, abs=1e-6)


def test_odd_sides_lose_their_last_row_and_column():
    even = noise(3, 3, 28, 30)
    odd = torch.nn.functional.pad(even, (0, 1, 0, 1), value=1000.0)
    assert torch.equal(checkerboard(odd), checkerboard(even))


def test_a_picture_has_its_value_whatever_is_beside_it(monkeypatch: pytest.MonkeyPatch):
    pictures = noise(9, 3, 16, 16)
    whole = checkerboard(pictures)
    monkeypatch.setattr("figment.metrics.artefacts.CHUNK_PIXELS", 600)
    torch.testing.assert_close(checkerboard(pictures), whole)


def test_against_real_pictures():
    smooth = torch.nn.functional.avg_pool2d(noise(50, 3, 34, 34), 3, stride=1)
    assert checkerboard_ratio(smooth, smooth) == 1
    board = (torch.arange(32)[:, None] + torch.arange(32)) % 2 - 0.5
    assert checkerboard_ratio(smooth + 0.3 * board, smooth) > 5
    flat = torch.zeros(2, 3, 32, 32)
    assert checkerboard_ratio(flat, flat) == 1
    assert checkerboard_ratio(smooth, flat) == math.inf
