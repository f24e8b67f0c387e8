"""Near repeats: copies that were changed a little, and pictures that are alike without being copies."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from figment.data.flowers import draw_flowers
from figment.doctor import pixels
from figment.doctor.repeats import alike, repeats


@pytest.fixture(scope="module")
def flowers() -> torch.Tensor:
    return torch.from_numpy(draw_flowers(range(240), 32)[0])


def lamps(count: int) -> torch.Tensor:
    """Discs of any place, size and red on black."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[:32, :32]
    drawn = []
    for _ in range(count):
        (a, b), size = random.uniform(8, 24, 2), random.uniform(5, 10)
        inside = np.clip(size + 0.5 - np.hypot(x - a, y - b), 0, 1)
        drawn.append(inside * np.array([255, *random.uniform(0, 90, 2)])[:, None, None])
    return torch.from_numpy(np.stack(drawn)).to(torch.uint8)


def lines(count: int) -> torch.Tensor:
    """Thin lines on black: each lies on some other once that is moved."""
    random = np.random.default_rng(1)
    y, x = np.mgrid[:32, :32]
    turns, places = random.uniform(0, np.pi, count), random.normal(0, 6, count)
    away = [
        np.abs((x - 15.5) * np.cos(t) + (y - 15.5) * np.sin(t) - p)
        for t, p in zip(turns, places, strict=True)
    ]
    return torch.from_numpy(np.clip(255 * (1.5 - np.stack(away)), 0, 255)[:, None]).to(torch.uint8)


def named(rows: torch.Tensor) -> list[str]:
    return [finding.name for finding in repeats(rows, len(rows), 0)]


CHANGES = {
    "mirrored": lambda x: x.flip(3),
    "moved and dimmed": lambda x: (0.93 * x.roll(1, 3)).to(torch.uint8),
    "cut and enlarged": lambda x: (
        F.interpolate(x[:, :, 1:-1, 1:-1].float(), size=x.shape[2:], mode="bicubic")
        .clamp(0, 255)
        .to(torch.uint8)
    ),
    "brighter": lambda x: (0.8 * x.float() + 40).to(torch.uint8),
    "mirrored, with grain": lambda x: (
        (x.flip(3) + 3 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0)))
        .clamp(0, 255)
        .to(torch.uint8)
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_copies_are_near_repeats(flowers: torch.Tensor, change: str):
    (finding,) = repeats(torch.cat([flowers, CHANGES[change](flowers[:30])]), 270, 0)
    assert finding.name == "near repeats" and "22% of the pictures" in finding.evidence
    assert ("100% of these are mirror images" in finding.evidence) == ("mirrored" in change)


def test_pictures_that_are_merely_alike_are_none(flowers: torch.Tensor):
    assert named(flowers) == named(lamps(600)) == named(lines(400)) == []


def test_copies_are_found_among_pictures_that_are_alike():
    rows = lamps(400)
    assert named(torch.cat([rows, rows[:60].flip(3)])) == ["near repeats"]


def test_brightness_and_contrast_do_not_count_and_flat_pictures_are_like_nothing():
    random = torch.Generator().manual_seed(0)
    rows = torch.randint(0, 256, (20, 3, 4, 4), dtype=torch.uint8, generator=random)
    rows = F.interpolate(rows.float(), (32, 32)).to(torch.uint8)
    rows[1], rows[2:4] = rows[0] // 2 + 20, 90
    found = alike(rows)
    assert float(found.lying[0, 0]) < 0.02 < 0.5 < float(found.lying[0, 1])
    assert float(found.lying[2, 0]) == 1.0


def test_noise_is_even_and_pictures_are_not(flowers: torch.Tensor):
    random = torch.Generator().manual_seed(0)
    small = torch.randint(0, 256, (200, 3, 16, 16), dtype=torch.uint8, generator=random)
    large = F.interpolate(small.float(), (32, 32), mode="bilinear").to(torch.uint8)
    even, peaked = pixels.evenness(large)
    assert even > 0.4 and peaked == pytest.approx(2.0, abs=0.1)
    assert pixels.levels(large).detail < 1.2  # which is why it is not told by that
    assert pixels.evenness(flowers)[0] < 0.1
    waves = 127 + 100 * torch.sin(torch.arange(32) * 0.8 + torch.arange(200)[:, None]).expand(
        32, 200, 32
    ).movedim(1, 0)
    assert pixels.evenness(waves[:, None].to(torch.uint8))[1] > 5


def test_channels_in_another_order_are_told(flowers: torch.Tensor):
    tinted = (flowers.float() * torch.tensor([1.0, 0.7, 0.3])[:, None, None]).to(torch.uint8)
    reals = pixels.colours(tinted[:120])
    assert pixels.exchanged(pixels.colours(tinted[120:]), reals) == 0.0
    swapped = pixels.colours(tinted[120:].flip(1))
    assert pixels.exchanged(swapped, reals) > 0.8
    grey = tinted.float().mean(1, keepdim=True).expand(-1, 3, -1, -1).to(torch.uint8)
    assert pixels.exchanged(pixels.colours(grey), reals) < 0.3  # young samples
    assert pixels.exchanged(swapped, pixels.colours(grey)) == 0.0  # of grey reals nobody can tell
