"""Clouds of points: their files, their pictures, and how many modes they reach."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from figment.data.points import GRID_CENTRES, MIXTURES, RING_CENTRES, ring
from figment.metrics.modes import point_modes
from figment.sampling import cloud
from figment.sampling.cloud import Cloud, places, read_cloud, scatter, span, write_cloud

RING = MIXTURES["ring"]


@pytest.mark.parametrize("name", ["ring", "grid"])
def test_modes_are_counted_as_the_metric_counts_them(name):
    mixture = MIXTURES[name]
    points = np.random.default_rng(0).uniform(-5, 5, (4000, 2)).astype(np.float32)
    points[:500] = mixture.centres[np.arange(500) % 6] + mixture.std
    own = mixture.counts(points)
    found = point_modes(
        torch.from_numpy(points), torch.from_numpy(mixture.centres.copy()), mixture.std
    )
    assert own.tolist() == found.counts.tolist()
    assert (own > 0).sum() == found.found
    assert mixture.counts(np.empty((0, 2))).tolist() == [0] * len(mixture.centres)


def test_a_cloud_comes_back_from_its_file_without_what_is_no_number(tmp_path):
    points = np.array([[1, 2], [np.nan, 0], [3, -1]], np.float32)
    write_cloud(Cloud(points, np.eye(4, dtype=np.float32)), tmp_path / "c.safetensors")
    again = read_cloud(tmp_path / "c.safetensors")
    assert again.points.tolist() == [[1, 2], [3, -1]]
    assert again.landscape.trace() == 4


@pytest.mark.parametrize("content", [b"", b"x" * 40, b"\xff" * 2_000_000])
def test_a_file_that_is_no_cloud_is_an_error_of_files(tmp_path, content):
    (tmp_path / "c.safetensors").write_bytes(content)
    with pytest.raises(OSError, match=r"c\.safetensors"):
        read_cloud(tmp_path / "c.safetensors")


def test_shapes_of_a_cloud_are_checked(tmp_path):
    write_cloud(Cloud(np.zeros((3, 5), np.float32), np.zeros((0, 0))), tmp_path / "c.safetensors")
    with pytest.raises(OSError, match="shapes"):
        read_cloud(tmp_path / "c.safetensors")


def test_places_go_by_row_from_the_top_left(monkeypatch):
    monkeypatch.setattr(cloud, "SIDE", 2)
    assert places(2.0).tolist() == [[-1, 1], [1, 1], [-1, -1], [1, -1]]


def test_pictures_reach_beyond_every_mode():
    assert span(None) == 5.0
    for centres in (RING_CENTRES, GRID_CENTRES):
        reach = np.abs(centres).max()
        assert reach < span(MIXTURES["ring" if len(centres) == 8 else "grid"]) < 2 * reach


def test_a_missed_mode_has_a_red_ring_and_points_are_dark():
    points, modes = ring(2000, seed=1)
    pixels = np.asarray(scatter(points[modes != 0], RING)).astype(int)  # [H, W, 3]
    red = (pixels[..., 0] - pixels[..., 2]) > 100
    columns = np.flatnonzero(red.any(0))
    assert columns.min() > 0.8 * pixels.shape[1], "mode 0 lies at the right"
    assert not ((np.asarray(scatter(points, RING)).astype(int) @ [1, 0, -1]) > 100).any()
    middle = pixels.shape[0] // 2
    left = pixels[middle - 8 : middle + 8, : pixels.shape[1] // 4]
    assert left.min() < 60


def test_without_points_there_is_still_a_picture():
    assert scatter(np.empty((0, 2), np.float32)).size == (cloud.PIXELS, cloud.PIXELS)
