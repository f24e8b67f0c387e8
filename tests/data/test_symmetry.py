"""Which sets have a left and a right."""

from __future__ import annotations

import numpy as np
import pytest

from figment.data import Dataset, open_dataset
from figment.data.symmetry import asymmetry, symmetric


def of(rows: np.ndarray) -> Dataset:
    return Dataset("drawn", "drawn", rows, np.zeros(len(rows), np.int64), (), "")


def noise(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 3, 8, 8), dtype=np.uint8)


def test_a_step_of_known_height():
    """Grey of variance v everywhere, h more on the right: (h / 2)² of it, beside v."""
    pictures = noise(4_000).astype(np.float64) / 2
    variance = pictures.mean(1).var(0).mean()
    pictures[..., 4:] += 40
    assert asymmetry(of(pictures)) == pytest.approx(20**2 / variance, rel=0.03)


@pytest.mark.parametrize("count", [20, 200, 2_000])
def test_chance_is_not_taken_for_a_side(count: int):
    assert abs(asymmetry(of(noise(count)))) < 0.01
    assert symmetric(of(noise(count)))


def test_flowers_are_symmetric_and_one_side_of_them_is_not():
    flowers = open_dataset("flowers:300", resolution=16, channels=3, progress=False)
    assert symmetric(flowers)
    left = flowers.rows.copy()
    left[..., 8:] = left[..., 8:] // 2
    assert not symmetric(of(left))


@pytest.mark.parametrize("rows", [noise(1), np.zeros((9, 3, 8, 8), np.uint8)])
def test_nothing_to_go_by(rows: np.ndarray):
    assert asymmetry(of(rows)) == 0
