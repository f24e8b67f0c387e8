from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from figment.data import inspect
from figment.data.describe import describe
from figment.errors import UserError


@pytest.fixture
def mixed(tmp_path, paint):
    """Eleven readable pictures and two broken ones, of two classes."""
    folder = tmp_path / "mixed"
    for number in range(1, 6):
        paint(folder / "a" / f"{number}.jpg", number, (60, 40))
    shutil.copy(folder / "a" / "1.jpg", folder / "a" / "10.jpg")
    shutil.copy(folder / "a" / "1.jpg", folder / "a" / "11.jpg")
    paint(folder / "b" / "wide.png", 7, (400, 50), "RGBA")
    paint(folder / "b" / "tiny.png", 8, (10, 10))
    paint(folder / "b" / "grey.png", 9, (64, 64), "L")
    shutil.copy(folder / "a" / "2.jpg", folder / "b" / "2.jpg")
    (folder / "b" / "text.png").write_text("hello")
    (folder / "a" / "empty.jpg").touch()
    (folder / "a" / "notes.txt").touch()
    return folder


def test_a_full_pass_counts_everything(mixed):
    found = inspect(str(mixed), progress=False)
    assert (found.name, found.kind, found.files, found.usable) == ("mixed", "images", 13, 11)
    assert found.classes == {"a": 7, "b": 4}
    assert found.others == {".txt": 1}
    assert found.width == (10, 60, 400)
    assert found.height == (10, 40, 64)
    assert found.side == (10, 40, 64)
    assert found.aspect == (1.0, 1.5, 8.0)
    assert found.square == pytest.approx(2 / 11)
    assert found.modes == {"RGB": 9, "RGBA": 1, "L": 1}
    assert found.notes == {}  # its RGBA picture is opaque
    assert found.skipped == (("a/empty.jpg", "empty file"), ("b/text.png", "text, not a picture"))
    assert found.duplicates == 3
    assert found.groups == (("a/1.jpg", "a/10.jpg", "a/11.jpg"), ("a/2.jpg", "b/2.jpg"))
    assert found.odd == {
        "tiny, a side under 16 px": (1, ("b/tiny.png",)),
        "longer than 3 to 1": (1, ("b/wide.png",)),
        "grey among colour": (1, ("b/grey.png",)),
        "the same picture in two classes": (1, ("b/2.jpg",)),
        "class of fewer than 5 pictures": (1, ("b (4)",)),
    }
    assert (found.resolution, found.channels) == (32, 3)
    assert found.crop_loss == pytest.approx((8 / 3 + 7 / 8) / 11)


def test_it_reads_well(mixed):
    text = describe(inspect(str(mixed), progress=False))
    assert text.splitlines() == [
        "mixed: 11 pictures of 13 files, 2 classes",
        "  classes     a  7",
        "              b  4",
        "  folders     the 2 folders a and b are classes",
        "  size                      min median    max",
        "              width          10     60    400 px",
        "              height         10     40     64 px",
        "              short side     10     40     64 px",
        "              aspect       1.00   1.50   8.00 width / height, 18% square",
        "  modes       RGB 9, L 1, RGBA 1",
        "  broken      2",
        "              a/empty.jpg: empty file",
        "              b/text.png: text, not a picture",
        "  duplicates  3 repeat another file",
        "              a/1.jpg = a/10.jpg = a/11.jpg",
        "              a/2.jpg = b/2.jpg",
        "  odd         1 tiny, a side under 16 px: b/tiny.png",
        "              1 longer than 3 to 1: b/wide.png",
        "              1 grey among colour: b/grey.png",
        "              1 the same picture in two classes: b/2.jpg",
        "              1 class of fewer than 5 pictures: b (4)",
        "  ignored     1 .txt",
        "figment would: learn 11 pictures at 32 x 32 px, in colour, with 2 classes;"
        " the centre crop drops 32% of the area (--fit pad keeps it)",
    ]


def test_json_holds_the_same(mixed):
    found = inspect(str(mixed), progress=False)
    held = json.loads(found.to_json())
    assert held["usable"] == 11
    assert held["classes"] == {"a": 7, "b": 4}
    assert held["skipped"][0] == ["a/empty.jpg", "empty file"]
    assert held["odd"]["longer than 3 to 1"] == [1, ["b/wide.png"]]
    assert held["crop_loss"] == found.crop_loss


def test_turned_animated_and_flat_pictures(tmp_path, paint):
    exif = Image.Exif()
    exif[0x0112] = 6
    paint(tmp_path / "1.jpg", 1, (300, 200), exif=exif)
    paint(tmp_path / "2.png", 2, (300, 200), exif=exif)
    frames = [Image.new("RGB", (40, 40), shade) for shade in ("red", "blue")]
    frames[0].save(tmp_path / "3.gif", save_all=True, append_images=frames[1:])
    found = inspect(str(tmp_path), progress=False)
    assert found.notes == {"animated: the first frame is used": 1, "turned upright by EXIF": 2}
    assert (found.width, found.height) == ((40, 200, 200), (40, 300, 300))
    assert found.odd == {"of one flat colour": (1, ("3.gif",))}
    assert found.modes == {"RGB": 2, "P": 1}


def test_stray_colour_among_grey_is_the_odd_one(tmp_path, paint):
    for number in range(3):
        paint(tmp_path / f"{number}.png", number, (32, 32), "L")
    assert inspect(str(tmp_path), progress=False).channels == 1
    paint(tmp_path / "3.png", 3, (32, 32))
    found = inspect(str(tmp_path), progress=False)
    assert found.odd == {"in colour among grey": (1, ("3.png",))}
    assert found.channels == 3


def test_what_folders_are_taken_for_is_said(tmp_path, paint):
    for name in ("a/1.png", "a/2.png", "b/1.png", "cover.png"):
        paint(tmp_path / "classes" / name, len(name), (32, 32))
    found = inspect(str(tmp_path / "classes"), progress=False)
    assert (found.files, found.usable) == (4, 3)
    assert found.skipped == (("cover.png", "lies beside the class folders: no class"),)
    assert found.structure == (
        "the 2 folders a and b are classes; 1 picture beside them left out (--folders none takes"
        " all)",
    )
    for name in ("train/1.png", "test/1.png"):
        paint(tmp_path / "split" / name, len(name), (32, 32))
    found = inspect(str(tmp_path / "split"), progress=False)
    assert (found.usable, found.classes) == (2, {})
    said = "test and train are parts of a split, not classes: all are used together"
    assert f"  folders     {said}" in describe(found).splitlines()
    found = inspect(str(tmp_path / "split"), progress=False, folders="classes")
    assert found.classes == {"test": 1, "train": 1}


def test_where_nothing_is_usable_it_still_answers(tmp_path):
    for number in range(7):
        (tmp_path / f"{number}.png").write_text("hello")
    found = inspect(str(tmp_path), progress=False)
    assert (found.files, found.usable, found.resolution) == (7, 0, 0)
    lines = describe(found).splitlines()
    assert lines[:2] == [f"{tmp_path.name}: 0 pictures of 7 files, no classes", "  broken      7"]
    assert [line.split(":")[0].strip() for line in lines[2:-1]] == [f"{n}.png" for n in range(7)]
    assert lines[-1] == "figment would: refuse: no picture can be read"
    with pytest.raises(UserError, match="there is no"):
        inspect(str(tmp_path / "nowhere"), progress=False)


def test_many_classes_are_summed_up(tmp_path, paint):
    data = paint(tmp_path / "x.png", 0, (32, 32)).read_bytes()
    (tmp_path / "x.png").unlink()
    for number in range(20):
        for copy in range(number + 1):
            (tmp_path / f"{number}").mkdir(exist_ok=True)
            (tmp_path / f"{number}" / f"{copy}.png").write_bytes(data)
    lines = describe(inspect(str(tmp_path), progress=False)).splitlines()
    assert lines[1] == "  classes     1 / 11 / 20 pictures each (min / median / max)"
    assert lines[2:4] == ["              0    1", "              1    2"]
    assert lines[12] == "              …"
    assert lines[13] == "  folders     the 20 folders 0, 1, 2 and 17 more are classes"
    assert lines[14] == "  size        32 x 32 px, all of them"


def test_packed_files_are_inspected_too(tmp_path):
    pictures = np.random.default_rng(0).integers(0, 256, (12, 3, 32, 48), np.uint8)
    pictures[11] = pictures[4]
    pictures[3] = 7
    np.savez(tmp_path / "set.npz", images=pictures, labels=np.arange(12) % 2)
    found = inspect(str(tmp_path / "set.npz"), progress=False)
    assert (found.files, found.usable, found.classes) == (12, 12, {"0": 6, "1": 6})
    assert (found.width, found.height) == ((48, 48, 48), (32, 32, 32))
    assert found.groups == (("picture 04", "picture 11"),)
    assert found.odd["of one flat colour"] == (1, ("picture 03",))
    assert found.modes == {"RGB": 12}
    assert found.crop_loss == pytest.approx(1 / 3)


def test_built_in_sets_are_described():
    found = inspect("flowers:10", progress=False)
    assert sum(found.classes.values()) == 10
    assert describe(found).splitlines()[0] == "flowers: 10 pictures, 2 classes"
    assert "learn 10 pictures at 64 x 64 px" in describe(found)
    assert inspect("flowers:1", progress=False).classes == {"dandelion": 1, "marigold": 0}
    ring = inspect("ring", progress=False)
    assert describe(ring).startswith("ring: 100,000 points in the plane")
    assert json.loads(ring.to_json())["kind"] == "points"
