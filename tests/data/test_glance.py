from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from figment.data import advise, glance, look
from figment.errors import UserError

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def test_what_a_glance_tells_of_a_folder(tmp_path, paint):
    for number, size in enumerate(((30, 20), (40, 50), (60, 64))):
        paint(tmp_path / "photos" / "ab"[number % 2] / f"{number}.png", number, size)
    (tmp_path / "photos" / "a" / "broken.png").touch()
    seen = look(str(tmp_path / "photos"))
    assert (seen.name, seen.kind, seen.count, seen.classes) == ("photos", "images", 4, ("a", "b"))
    assert (seen.side, seen.grey, seen.square) == (40, False, False)


def test_square_and_grey_are_recognised(tmp_path, paint, zipped):
    paint(tmp_path / "grey" / "1.png", 1, mode="L")
    paint(tmp_path / "grey" / "2.jpg", 2, mode="L")
    paint(tmp_path / "grey" / "3.png", 3, mode="LA")
    shades = np.repeat(np.random.default_rng(0).integers(0, 256, (8, 8, 1), np.uint8), 3, axis=2)
    Image.fromarray(shades).save(tmp_path / "grey" / "4.jpg")  # RGB that shows no colour
    Image.fromarray(shades).quantize(64).save(tmp_path / "grey" / "5.gif")
    seen = look(str(zipped(tmp_path / "grey.zip", tmp_path / "grey")))
    assert (seen.count, seen.side, seen.grey, seen.square) == (5, 8, True, True)
    paint(tmp_path / "grey" / "6.png", 6)
    assert not look(str(tmp_path / "grey")).grey


def test_only_some_of_many_files_are_opened(tmp_path, paint, monkeypatch):
    data = paint(tmp_path / "0.png").read_bytes()
    for number in range(1, 100):
        (tmp_path / f"{number}.png").write_bytes(data)
    read = []
    real = glance.sources.read
    monkeypatch.setattr(glance, "SAMPLE", 10)
    monkeypatch.setattr(
        glance.sources, "read", lambda p, i, **most: read.append(i) or real(p, i, **most)
    )
    assert look(str(tmp_path)).count == 100
    assert len(set(read)) == 10
    assert {0, 99} <= set(read)


def test_a_header_further_in_than_the_first_bytes_is_found(tmp_path, paint, monkeypatch):
    for suffix in ("jpg", "webp", "tif"):
        paint(tmp_path / f"1.{suffix}", 1, (50, 40))
    monkeypatch.setattr(glance, "HEAD", 30)
    assert look(str(tmp_path)).side == 40


def test_where_no_file_is_a_picture_it_is_said(tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.png").write_text("hello")
    with pytest.raises(UserError, match=r"none of the 3 pictures tried .*3 x text, not a picture"):
        look(str(tmp_path))


def test_built_in_sets_are_known_without_drawing(tmp_path, monkeypatch, paint):
    flowers, ring, grid = look("flowers:5000"), look("ring"), look("grid:10")
    assert (flowers.kind, flowers.count, flowers.side, flowers.square) == ("images", 5000, 0, True)
    assert (flowers.name, flowers.classes) == ("flowers", ("dandelion", "marigold"))
    assert look("flowers").count == 4000
    assert (ring.kind, ring.count, ring.classes) == ("points", 100_000, ())
    assert (grid.name, grid.count) == ("grid", 10)
    paint(tmp_path / "flowers" / "1.png")
    monkeypatch.chdir(tmp_path)
    assert look("flowers").count == 4000
    assert look("./flowers").count == 1


@pytest.mark.parametrize(
    ("side", "grey", "most", "expected"),
    [
        (64, False, 64, (64, 3)),
        (28, True, 64, (32, 1)),
        (100, False, 64, (64, 3)),
        (300, False, 256, (256, 3)),
        (63, False, 64, (32, 3)),
        (0, False, 64, (64, 3)),
        (0, False, 32, (32, 3)),
    ],
)
def test_advice(side, grey, most, expected):
    assert advise(side, grey, most=most) == expected


def test_importing_the_package_is_light():
    heavy = "{'torch', 'PIL', 'tqdm'} & set(sys.modules)"
    code = f"import sys, figment.data; print({heavy})"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == "set()\n"


@pytest.mark.skipif(not SHARED.exists(), reason="the shared pictures are not here")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cats64", (13217, 0, 64, False, True)),
        ("mnist", (60000, 10, 28, True, True)),
        ("flowers2", (900, 2, 240, False, False)),
    ],
)
def test_real_sets(name, expected):
    seen = look(str(SHARED / f"{name}.zip"))
    assert (seen.count, len(seen.classes), seen.side, seen.grey, seen.square) == expected
    assert seen.name == name
