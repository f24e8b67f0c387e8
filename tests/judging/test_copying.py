"""Copies of training pictures are plain where samples are judged: counted, named, and shown."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from figment.cli import main
from figment.data.flowers import draw_flowers
from figment.judging.copying import copies
from figment.judging.evaluate import evaluate_pictures
from figment.judging.sides import Side

PLANTED = range(0, 30, 10)
"""Of 60 samples: 5 %."""
CHANGES = {
    "exact": lambda image: image,
    "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "compressed": lambda image: Image.open(io.BytesIO(compressed(image))),
    "shifted": lambda image: Image.fromarray(np.roll(np.asarray(image), (2, 2), (0, 1))),
}


def compressed(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=75)
    return file.getvalue()


def saved(folder: Path, images: np.ndarray) -> Path:
    folder.mkdir()
    for number, pixels in enumerate(images):
        Image.fromarray(pixels.transpose(1, 2, 0)).save(folder / f"{number:03}.png")
    return folder


@pytest.fixture(scope="module")
def reals(tmp_path_factory) -> Path:
    return saved(tmp_path_factory.mktemp("copying") / "reals", draw_flowers(range(120), 64, 0)[0])


def planted(folder: Path, reals: Path, change: str) -> Path:
    """A folder of 60 other flowers, three of which are changed pictures of the reals."""
    saved(folder, draw_flowers(range(500, 560), 64, 0)[0])
    for number in PLANTED:
        with Image.open(reals / f"{number + 1:03}.png") as image:
            CHANGES[change](image).save(folder / f"{number:03}.png")
    return folder


@pytest.mark.parametrize("change", CHANGES)
def test_copies_in_a_folder_are_counted_named_and_shown(change, reals, tmp_path, capsys):
    samples = planted(tmp_path / "samples", reals, change)
    words = ["evaluate", samples, "--against", reals, "--features", "small", "--metrics", "copied"]
    assert main([*map(str, words), "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "samples that repeat a training picture (3):" in said
    for number in PLANTED:
        assert f"{number:03}.png = {number + 1:03}.png (" in said
    assert ("mirrored" in said) == (change == "mirrored")
    assert "3 of 60 samples repeat a training picture" in said
    page = tmp_path / "out" / "evaluation" / "copies.png"
    assert str(page) in said
    with Image.open(page) as image:
        assert image.width > 300 and image.height > 64


def test_a_folder_without_copies_says_nothing_of_them(reals, tmp_path):
    samples = saved(tmp_path / "samples", draw_flowers(range(500, 560), 64, 0)[0])
    found = evaluate_pictures(
        str(samples),
        str(reals),
        features="small",
        metrics=("copies",),
        out=tmp_path / "out",
        progress=False,
    )
    copied = next(score for score in found.scores if score.name == "copied")
    assert copied.value == 0 and copied.floor == 0 and copied.high < 0.07
    assert found.copies == [] and "copies" not in found.pictures
    named = [score.name for score in found.scores]
    assert {"authenticity", "nearest_ratio"} < set(named) and "c_t" not in named


def side(images: np.ndarray) -> Side:
    features = torch.from_numpy(images[:, :, ::8, ::8].reshape(len(images), -1).astype(np.float32))
    return Side(
        images, np.arange(len(images)), features, torch.zeros(len(images), dtype=torch.int64)
    )


def test_repeats_in_the_training_set_and_in_what_was_held_out_hide_no_copies():
    images = draw_flowers(range(370), 32, 0)[0]
    train = np.concatenate([images[:120], images[:30], images[:30, :, :, ::-1]])
    unseen = np.concatenate([images[120:330], images[:20]])  # the last were trained on as well
    samples = np.concatenate([images[330:], images[:40]])
    for held_out in (side(unseen), None):
        found = {one.name: one for one in copies(side(samples), side(train), held_out, True)}
        assert found["copied"].value == pytest.approx(0.5, abs=0.02)
        assert {one.sample for one in found["copied"].copies} >= set(range(40, 80))
        assert found["copied"].floor == pytest.approx(0, abs=0.02)
        assert found["nearest_ratio"].value >= 0.5 and found["authenticity"].value <= 50
