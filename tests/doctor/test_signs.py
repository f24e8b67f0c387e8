"""Signs move for the damage they are meant to see, and stay near their right value without."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from figment.data import points
from figment.data.flowers import draw_flowers
from figment.doctor import pixels
from figment.doctor.neighbours import distances, modes, nearest_two, spacing
from figment.doctor.signs import MEANING, Reference, reference, signs


@pytest.fixture(scope="module")
def flowers() -> torch.Tensor:
    return torch.from_numpy(draw_flowers(range(656), 32)[0])


@pytest.fixture(scope="module")
def real(flowers: torch.Tensor) -> Reference:
    return reference(flowers[:300], flowers[300:400])


@pytest.fixture(scope="module")
def fresh(flowers: torch.Tensor) -> torch.Tensor:
    return flowers[400:656]


@pytest.fixture(scope="module")
def right(fresh: torch.Tensor, real: Reference) -> dict[str, float]:
    return signs(fresh, real, fresh)


def changed(fakes: torch.Tensor, real: Reference) -> dict[str, float]:
    return {name.removeprefix("watch/"): value for name, value in signs(fakes, real).items()}


def test_fresh_reals_are_near_the_right_values(right: dict[str, float]):
    for name in ("diversity", "spacing", "nearest", "range", "contrast", "saturation", "detail"):
        assert right[f"watch/{name}"] == pytest.approx(1, abs=0.12), name
    for name in ("look_alikes", "copies", "brightness", "clipped", "missing", "movement"):
        assert right[f"watch/{name}"] == pytest.approx(0, abs=0.05), name
    assert right["watch/distance"] < 0.15
    assert right["watch/checkerboard"] < 1.5
    assert right["watch/real_diversity"] > 0.1


def test_every_sign_has_a_meaning(right: dict[str, float]):
    of_points = {"watch/stray", "watch/on_modes", "watch/modes", "watch/modes_of"}
    of_classes = {"watch/classes_told", "watch/classes_obeyed"}
    assert set(right) | of_points | of_classes == set(MEANING)


def test_one_picture_has_no_diversity(fresh: torch.Tensor, real: Reference):
    found = changed(fresh[:1].expand(256, -1, -1, -1), real)
    assert found["diversity"] == pytest.approx(0, abs=1e-3)
    assert found["spacing"] == pytest.approx(0, abs=1e-3)
    assert found["look_alikes"] > 0.9
    assert found["missing"] > 0.8


def test_repeats_are_look_alikes(fresh: torch.Tensor, real: Reference):
    found = changed(torch.cat([fresh[:128], fresh[:64], fresh[:64]]), real)
    assert found["look_alikes"] == pytest.approx(0.75, abs=0.02)  # 64 three times; the rest once
    assert found["diversity"] > 0.85


def test_copies_are_near_one_training_picture(flowers: torch.Tensor, real: Reference):
    noise = torch.from_numpy(np.random.default_rng(0).integers(-3, 4, (256, 3, 32, 32)))
    found = changed((flowers[:256] + noise).clamp(0, 255).to(torch.uint8), real)
    assert found["copies"] > 0.95
    assert found["nearest"] < 0.3


def test_copies_of_held_out_pictures_are_none(flowers: torch.Tensor, real: Reference):
    assert changed(flowers[300:400], real)["copies"] < 0.05


def test_washed_out_pictures(fresh: torch.Tensor, real: Reference):
    found = changed((fresh.float() / 2 + 127.5).to(torch.uint8), real)
    assert found["range"] == pytest.approx(0.5, abs=0.06)
    assert found["brightness"] > 0.2
    assert found["contrast"] == pytest.approx(0.5, abs=0.06)


def test_saturated_pictures(fresh: torch.Tensor, real: Reference):
    assert changed(((fresh > 127) * 255).to(torch.uint8), real)["clipped"] > 0.9


@pytest.mark.parametrize("period", [2, 4])
def test_a_grid_is_seen(fresh: torch.Tensor, real: Reference, period: int):
    across = torch.arange(32) % period < period // 2
    grid = (across[:, None] ^ across[None, :]) * 12
    found = changed((fresh + grid).clamp(0, 255).to(torch.uint8), real)
    assert found["checkerboard"] > 1.0
    stripes = (across[:, None] * 12).expand(32, 32)
    found = changed((fresh + stripes).clamp(0, 255).to(torch.uint8), real)
    assert found["checkerboard"] > 4


def test_movement_is_in_spreads_of_the_reals(fresh: torch.Tensor, real: Reference):
    brighter = (fresh.float() * 0.5).to(torch.uint8)
    moved = signs(brighter, real, fresh)["watch/movement"]
    rows, then = pixels.thumbnails(brighter, 8), pixels.thumbnails(fresh, 8)
    spread = (pixels_spread := rows - then).norm(dim=1).mean() / real.spread
    assert moved == pytest.approx(float(spread), rel=1e-4)
    assert pixels_spread.abs().max() > 0


def test_constant_reals_do_not_break(fresh: torch.Tensor):
    same = reference(fresh[:1].expand(300, -1, -1, -1))
    found = signs(fresh, same)
    assert found["watch/real_diversity"] == pytest.approx(0, abs=1e-6)
    assert all(np.isfinite(value) for value in found.values())


@pytest.mark.parametrize("count", [1, 2, 3, 24])
def test_small_sets_do_not_break(fresh: torch.Tensor, count: int):
    found = signs(fresh[:64], reference(fresh[:count], fresh[:0]))
    assert all(np.isfinite(value) for value in found.values())


def test_grey_pictures_have_no_saturation(fresh: torch.Tensor):
    grey = fresh[:, :1]
    assert "watch/saturation" not in signs(grey, reference(grey))


def test_modes_of_points_are_found():
    ring, _ = points.ring(1_000, 1)
    numbers = modes(torch.from_numpy(ring))
    assert numbers is not None and int(numbers.max()) == 7
    grid, mode = points.grid(1_000, 1)
    numbers = modes(torch.from_numpy(grid))
    assert numbers is not None and int(numbers.max()) == 24
    assert len({(int(a), int(b)) for a, b in zip(numbers, mode, strict=True)}) == 25
    assert modes(torch.randn(1_000, 2, generator=torch.Generator().manual_seed(0))) is None


def test_missing_modes_of_points():
    ring, mode = points.ring(4_000, 0)
    real = reference(ring[:1_000], ring[1_000:2_000])
    some = ring[2_000:][mode[2_000:] < 6][:256]
    assert signs(ring[2_000:2_256], real)["watch/missing"] == 0
    assert signs(some, real)["watch/missing"] == pytest.approx(0.25, abs=0.03)
    assert signs(some * 0, real)["watch/stray"] == 1
    assert signs(ring[2_000:2_256], real)["watch/stray"] < 0.02


def test_distances_are_exact_for_near_rows():
    a = torch.tensor([[1000.0, 1000.0], [1000.0, 1000.001]])
    assert distances(a, a)[0, 1] == pytest.approx(0.001, rel=0.05)
    assert spacing(torch.tensor([[0.0], [1.0], [3.0]])).tolist() == [1.0, 1.0, 2.0]
    first, second = nearest_two(torch.tensor([[0.0]]), torch.tensor([[1.0], [-3.0]]))
    assert (float(first), float(second)) == (1.0, 3.0)


def test_levels_of_known_pictures():
    half = torch.zeros(4, 3, 8, 8, dtype=torch.uint8)
    half[:, :, :, 4:] = 255
    found = pixels.levels(half)
    assert (found.mean, found.low, found.high, found.clipped) == (0.5, 0.0, 1.0, 1.0)
    assert found.saturation == 0
    assert found.contrast == pytest.approx(0.5, abs=0.01)
