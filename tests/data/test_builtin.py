from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from figment.data import builtin, flowers, open_dataset, points
from figment.errors import UserError


def opened(source: str, resolution: int = 16, channels: int = 3, **options):
    return open_dataset(source, resolution=resolution, channels=channels, progress=False, **options)


def test_flowers_are_drawn_once_into_a_pack(monkeypatch):
    data = opened("flowers:70", seed=3)
    images, labels = flowers.draw_flowers(range(70), 16, 3)
    assert (data.rows == images).all()
    assert (data.labels == labels).all()
    assert (data.name, data.classes) == ("flowers", ("dandelion", "marigold"))
    monkeypatch.delattr(flowers, "draw_flowers")
    assert (opened("flowers:70", seed=3).rows == images).all()


def test_grey_flowers_are_the_luma_of_the_coloured():
    colour, grey = opened("flowers:5").rows, opened("flowers:5", channels=1).rows
    luma = [np.asarray(Image.fromarray(row.transpose(1, 2, 0)).convert("L")) for row in colour]
    assert (grey[:, 0] == np.stack(luma)).all()


def test_another_seed_or_count_is_another_set():
    sets = [opened("flowers:6"), opened("flowers:6", seed=1), opened("flowers:7")]
    sets.append(opened("flowers:6", resolution=32))
    assert len({data.fingerprint for data in sets}) == 4
    assert (sets[2].rows[:6] == sets[0].rows).all()


@pytest.mark.parametrize("name", ["ring", "grid"])
def test_points_need_no_pack(name, own_cache):
    data = opened(f"{name}:50", seed=2)
    rows, modes = getattr(points, name)(50, 2)
    assert (data.rows == rows).all() and data.rows.dtype == np.float32
    assert (data.labels == modes).all() and data.labels.dtype == np.int64
    assert (data.name, data.classes, data.shape) == (name, (), (2,))
    assert data.fingerprint != opened(f"{name}:50", seed=1).fingerprint
    assert not list(own_cache.iterdir())
    assert len(opened(name)) == 100_000


@pytest.mark.parametrize("source", ["flowers:", "flowers:0", "ring:many", "grid:-5", "flowers:²"])
def test_a_count_must_be_one(source):
    with pytest.raises(UserError, match="write how many after the colon"):
        builtin.builtin(source)


def test_other_names_are_not_built_in():
    assert builtin.builtin("./flowers") is None
    assert builtin.builtin("C:flowers") is None
    assert builtin.builtin("flowers:12") == ("flowers", 12)
