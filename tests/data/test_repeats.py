"""Repeats of a picture are known, and lie on one side of the division with it."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from figment.data import Dataset, open_dataset, split
from figment.data.flowers import draw_flowers
from figment.data.repeats import distinct, portraits, repeated
from figment.data.split import at_random, with_division


def saved_again(picture: np.ndarray) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(picture.transpose(1, 2, 0)).save(file, "JPEG", quality=85)
    return np.asarray(Image.open(file)).transpose(2, 0, 1)


@pytest.fixture(scope="module")
def flowers() -> np.ndarray:
    return draw_flowers(range(300), 32, 0)[0]


def dataset(rows: np.ndarray, name: str) -> Dataset:
    return Dataset(name, name, rows, np.zeros(len(rows), np.int64), (), name)


def test_what_is_saved_again_mirrored_or_the_same_is_a_repeat_and_nothing_else(flowers):
    seen = portraits(flowers)
    assert [same.tolist() for same in repeated(seen, seen)] == [[row] for row in range(300)]
    for change in (saved_again, lambda picture: picture[:, :, ::-1]):
        again = portraits(np.stack([change(picture) for picture in flowers[:50]]))
        assert [same.tolist() for same in repeated(again, seen)] == [[row] for row in range(50)]


def test_portraits_are_means_of_areas(flowers):
    large = flowers[:2].repeat(3, 2).repeat(3, 3)  # 96 px
    assert np.allclose(portraits(large), portraits(flowers[:2]))
    assert portraits(flowers[:1])[0, 0] == pytest.approx(flowers[0, :, :2, :2].mean())
    assert portraits(flowers, np.array([7])) == pytest.approx(portraits(flowers[7:8]))


def test_one_of_each_is_kept(flowers):
    rows = np.concatenate([flowers[:20], flowers[5:10, :, :, ::-1]])
    assert np.flatnonzero(~distinct(portraits(rows))).tolist() == [20, 21, 22, 23, 24]


def test_without_repeats_the_division_is_the_random_one(flowers):
    for mine, random in zip(
        split(dataset(flowers, "a"), 0.2, 3), at_random(300, 0.2, 3), strict=True
    ):
        assert np.array_equal(mine, random)


def test_a_picture_and_its_repeats_are_on_one_side(flowers):
    again = np.stack([saved_again(picture) for picture in flowers[:150]])
    rows = np.concatenate([flowers, again, flowers[:150]])
    kept, out = split(dataset(rows, "b"), 0.1, 0)
    assert len(out) == 60 and len(kept) + len(out) == 600
    group = np.concatenate([np.arange(300), np.arange(150), np.arange(150)])
    assert not set(group[kept]) & set(group[out])
    leaked = set(group[at_random(600, 0.1, 0)[0]]) & set(group[at_random(600, 0.1, 0)[1]])
    assert len(leaked) > 20  # as it was before


def test_what_repeats_too_often_is_trained_on(flowers):
    rows = np.concatenate([np.repeat(flowers[:1], 250, 0), flowers[:50]])
    kept, out = split(dataset(rows, "c"), 0.1, 0)
    assert 0 < len(out) <= 30 and out.min() > 250 and len(kept) + len(out) == 300
    same = np.repeat(flowers[:1], 250, 0)
    assert len(split(dataset(same, "d"), 0.1, 0)[1]) == 0


def test_a_recorded_division_holds(flowers):
    data = dataset(flowers, "e")
    recorded = with_division(data, [3, 1, 2], 0.2, 0)
    assert split(recorded, 0.2, 0)[1].tolist() == [1, 2, 3]
    old = with_division(data, None, 0.2, 0)
    assert np.array_equal(split(old, 0.2, 0)[1], at_random(300, 0.2, 0)[1])
    assert len(split(replace(data, held_out=()), 0.2, 0)[0]) == 300


def test_points_are_divided_at_random():
    ring = open_dataset("ring:400", resolution=64, channels=1, progress=False)
    assert np.array_equal(split(ring, 0.1, 0)[1], at_random(400, 0.1, 0)[1])


def test_a_run_records_its_division(tmp_path):
    from figment.launch import train

    fields = {"resolution": 32, "width": 4, "batch": 4, "tick": 8, "metrics": (), "metric_every": 8}
    run = train("flowers:240", run=tmp_path / "run", images=8, progress=False, **fields)
    about = json.loads((run.path / "machine.json").read_text())["data"]
    assert len(about["held_out"]) == 12
    about["held_out"] = [0, 5]
    machine = json.loads((run.path / "machine.json").read_text()) | {"data": about}
    (run.path / "machine.json").write_text(json.dumps(machine))
    rows = type(run)(run.path).training_data()[1]
    assert np.array_equal(rows, np.delete(np.arange(240), [0, 5]))
