"""The Flowers study's transposes, flips and turns."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from figment import randomness_per_image
from figment.augment import study


@pytest.fixture
def fixed(monkeypatch: pytest.MonkeyPatch):
    """Have the next draws be these, one row an image."""

    def fix(*rows: tuple[float, ...]) -> None:
        monkeypatch.setattr(
            randomness_per_image, "uniform", lambda *shape, like: torch.tensor(rows).to(like)
        )

    return fix


def test_upright_pictures_go_through_all_eight_symmetries(fixed):
    fixed(*[(*bits, 0.5) for bits in itertools.product((0.25, 0.75), repeat=3)])
    x = (torch.rand(1, 3, 16, 16) * 1.6 - 0.8).expand(8, 3, 16, 16)
    seen = study(x)
    expected = [
        picture
        for base in (x[0].mT, x[0])
        for picture in (base.flip(1, 2), base.flip(2), base.flip(1), base)
    ]
    torch.testing.assert_close(seen, torch.stack(expected), atol=1e-4, rtol=0)


def hill(angle: float) -> Tensor:
    """A small hill at this angle from the centre, from x towards y: [1, 1, 33, 33]."""
    x, y = 8 * math.cos(angle), 8 * math.sin(angle)
    places = torch.arange(33) - 16.0
    return torch.exp(-((places - x).square() + (places[:, None] - y).square()) / 16)[None, None]


@pytest.mark.parametrize(("share", "angle"), [(0.0, 90), (0.25, 45), (0.6, -18), (1.0, -90)])
def test_turns_are_up_to_ninety_degrees_either_way(fixed, share: float, angle: float):
    fixed((0.75, 0.75, 0.75, share))
    seen = study(hill(0.0))
    inside = hill(math.radians(angle)) > 0.01  # beyond, a reflection may show it again
    torch.testing.assert_close(seen[inside], hill(math.radians(angle))[inside], atol=0.02, rtol=0)


def test_all_directions_are_as_likely():
    seen = study(hill(0.3).expand(400, 1, 33, 33))
    places = torch.arange(33) - 16.0
    x = (seen * places).sum((1, 2, 3))
    y = (seen * places[:, None]).sum((1, 2, 3))
    quarter = torch.atan2(y, x).div(math.pi / 2).floor().long() + 2
    shares = quarter.bincount(minlength=4) / 400
    torch.testing.assert_close(shares, torch.full((4,), 0.25), atol=0.09, rtol=0)


def test_corners_are_filled_and_nothing_overshoots():
    white = torch.ones(20, 3, 16, 16)
    torch.testing.assert_close(study(white), white, atol=1e-4, rtol=0)
    sharp = torch.randint(0, 2, (20, 1, 16, 16)) * 2.0 - 1
    assert study(sharp).abs().max() <= 1


@pytest.mark.parametrize(("channels", "size"), [(1, 16), (3, 30), (3, 256)])
def test_shapes_and_types_are_kept(channels: int, size: int):
    x = torch.rand(2, channels, size, size).bfloat16()
    seen = study(x)
    assert seen.shape == x.shape and seen.dtype == torch.bfloat16


def test_two_processes_see_what_one_sees(both_halves):
    x = torch.rand(6, 3, 16, 16)
    torch.manual_seed(1)
    whole = study(x)
    halves = both_halves(lambda rows: study(x[rows]), of=6)
    torch.testing.assert_close(halves, whole, atol=1e-4, rtol=0)
