"""What every test shares: one thread, its own cache, and small data sets."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import hypothesis
import numpy as np
import pytest
import torch
from PIL import Image

from figment.data import flowers
from figment.training import average

hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")

gc.set_threshold(
    20_000, 20, 20
)  # looking for circles of a few objects was a tenth of the tests' time

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
"""Real pictures, where they are present."""


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Tests run side by side, so each keeps to one core."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def what_is_loaded_stays():
    """Nobody looks for garbage in what torch and the tests' own files have made on their way in."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="session", autouse=True)
def few_standing_statistics():
    """Batches here are of a few: a thousand latents would be most of what training in a test takes."""
    before, average.STANDING = average.STANDING, 16
    yield
    average.STANDING = before


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_disks():
    """What tests write need not outlast a power cut; waiting for slow disks was a tenth of their time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda file: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def flowers_painted_once():
    """A flower is decided by its factors and its size, and the same few hundred are drawn everywhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flowers, "render", lru_cache(1 << 14)(flowers.render))
        yield


@pytest.fixture(scope="session")
def session_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session", autouse=True)
def own_cache(session_cache: Path):
    """Packs go to a cache that ends with the tests, those of what tests share as well."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIGMENT_CACHE", str(session_cache))
        yield


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of 24 random colour pictures of 32 px."""
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(24):
        pixels = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def flower_files() -> Callable[..., Path]:
    """Return what writes built-in flowers as files, in a folder a class or all in one."""

    def write(folder: Path, numbers: range, *, flat: bool = False) -> Path:
        images, labels = flowers.draw_flowers(numbers, 16, 0)
        for number, pixels, label in zip(numbers, images, labels, strict=True):
            name = f"{number}.png"
            path = folder / name if flat else folder / flowers.CLASSES[label] / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.transpose(1, 2, 0)).save(path)
        return folder

    return write
