"""What folders mean: classes only where that is plausible, and always said."""

from __future__ import annotations

import json

import pytest

from figment.data.sources import find_pictures
from figment.data.structure import arrange, labelled
from figment.errors import UserError


def below(**folders: int) -> list[str]:
    """So many files in each folder, numbered anew; "" is beside the folders."""
    return [f"{name}/{i}.png".lstrip("/") for name, count in folders.items() for i in range(count)]


def many(names: list[str], each: int) -> list[str]:
    return below(**dict.fromkeys(names, each))


@pytest.mark.parametrize(
    ("files", "classes", "said"),
    [
        (many(["cat", "dog"], 3), ("cat", "dog"), "the 2 folders cat and dog are classes"),
        (
            many([str(i) for i in range(10)], 5),
            tuple("0123456789"),
            "10 folders 0, 1, 2 and 7 more",
        ),
        (many(["1950s", "1960s"], 5), ("1950s", "1960s"), "are classes"),
        (below(cat=50, rare=1), ("cat", "rare"), "are classes"),
        (many(["train", "test"], 5), (), "test and train are parts of a split"),
        (many(["Training", "valid", "TEST"], 5), (), "are parts of a split"),
        (many(["train2017", "val2017"], 5), (), "are parts of a split"),
        (many(["set/train", "set/val"], 5), (), "are parts of a split"),
        (many(["train/cat", "train/dog", "test/cat"], 5), ("cat", "dog"), "are parts of a split"),
        (
            below(**{"train/cat": 5, "train/dog": 5, "test/unknown": 3}),
            ("cat", "dog"),
            "test/unknown: no class, as there is none of that name among those to train on",
        ),
        (many(["s/train/x/cat", "s/train/x/dog", "s/dev/x/dog"], 5), ("cat", "dog"), "of a split"),
        (many(["train", "car", "boat"], 5), ("boat", "car", "train"), "are classes"),
        (many(["trainA", "trainB", "testA"], 5), ("A", "B"), "of a split in the classes A and B"),
        (many(["2019", "2020", "2021-05"], 5), (), "are named by dates"),
        (many(["2019-05-03 Beach", "2020.11.01", "Photos from 2018"], 5), (), "are named by dates"),
        (many(["01.02.2020", "24-12-2020", "7.1.2021"], 5), (), "are named by dates"),
        (many(["January 2020", "3 May 2020", "Sept. 4, 2021"], 5), (), "are named by dates"),
        (
            many(["May", "March hare", "1.2.3"], 5),
            ("1.2.3", "March hare", "May"),
            "are classes",
        ),
        (many(["full", "thumb"], 5), (), "sides of the same pictures"),
        (many(["train/a", "train/b", "unlabeled/a"], 5), ("a", "b"), "are parts of a split"),
        (many(["DCIM/100APPLE", "DCIM/101APPLE"], 5), (), "by a camera or a phone"),
        (many(["Camera", "Screenshots", "102_PANA"], 5), (), "by a camera or a phone"),
        (many(["IMG_1", "IMG_2", "img 3"], 5), (), "are batches by their names"),
        (many(["images_001", "images_002"], 5), (), "are batches by their names"),
        (many(["images", "masks"], 5), (), "sides of the same pictures: give one of them"),
        (many(["00000", "00001", "00002"], 5), (), "are numbered chunks"),
        (below(**{"00000": 90, "00001": 30, "00002": 60}), ("00000", "00001", "00002"), "classes"),
        (many([f"{i:02x}" for i in range(256)], 6), (), "are numbered chunks"),
        (many([f"person {i}" for i in range(300)], 2), (), "300 folders of 2 pictures or so"),
        (below(cat=9, dog=9, **{"": 2}), ("cat", "dog"), "2 pictures beside them left out"),
        (below(cat=9, dog=9, **{"": 8}), (), "8 of 26 pictures lie beside the folders cat and dog"),
        (below(cat=9, **{"": 8}), (), "one folder, cat, beside 8 pictures"),
    ],
)
def test_folders_are_classes_where_that_is_plausible(files, classes, said):
    found = arrange(files)
    assert found.classes == classes
    assert said in "; ".join(found.notes)
    assert len(found.files) == len(found.labels) == len(files) - len(found.left_out)
    for file, label in zip(found.files, found.labels, strict=True):
        assert not classes or classes[label] in file


def test_chunks_are_known_by_numbers_that_go_on():
    files = [f"{i // 1000:03d}/{i:05d}.png" for i in range(0, 4500, 100)]
    assert arrange(files).classes == ()


def test_nothing_is_said_of_a_plain_folder():
    assert arrange(many(["photos"], 3)).notes == arrange(many(["a/b/c"], 3)).notes == ()


def test_the_user_decides_otherwise():
    dates, loose = many(["2019", "2020"], 5), below(cat=9, dog=9, **{"": 8})
    assert arrange(dates, "classes").classes == ("2019", "2020")
    assert arrange(many(["train", "test"], 5), "classes").classes == ("test", "train")
    assert len(arrange(loose, "classes").left_out) == 8
    nothing = arrange(below(cat=9, dog=9, **{"": 2}), "none")
    assert (nothing.classes, len(nothing.files), nothing.left_out) == ((), 20, ())
    assert "as --folders none says" in nothing.notes[0]
    with pytest.raises(
        UserError, match=r"auto, classes or none, not 'clases'. Did you mean classes\?"
    ):
        arrange(dates, "clases")


def test_given_labels_are_taken_where_they_can_be_learned():
    names = [str(i) for i in range(20)]
    found = labelled(names, ["dog", "cat"] * 10, "by x", order=["dog", "cat", "bird"])
    assert (found.classes, found.labels[:2].tolist()) == (("dog", "cat"), [0, 1])
    some = labelled(names, [None, "a", "b", "a"] * 5, "by x")
    assert (len(some.files), some.labels[:3].tolist(), len(some.left_out)) == (15, [0, 1, 0], 5)
    assert labelled(names, [None, None, "a", "b"] * 5, "by x").classes == ()
    assert labelled(names, ["a"] * 20, "by x").notes == ("no classes by x: there is only one",)
    assert labelled(names, names, "by x").classes == ()


def write(folder, paint, labels: object) -> None:
    for number in range(8):
        paint(folder / f"{number // 4:05d}/img{number:08d}.png", number)
    (folder / "dataset.json").write_text(json.dumps({"labels": labels}))


@pytest.mark.parametrize(
    ("label", "classes"),
    [
        (lambda n: n % 2, ("0", "1")),
        (lambda n: [0.0, 1.0] if n % 2 else [1, 0], ("0", "1")),
        (lambda n: [1, 0, 1] if n % 2 else [0, 1, 1], ()),
        (lambda n: None, ()),
    ],
)
def test_the_labels_of_a_stylegan_set_are_read(tmp_path, paint, zipped, label, classes):
    names = [f"{n // 4:05d}/img{n:08d}.png" for n in range(8)]
    for form in (list, dict):
        pairs = [[name, label(n)] for n, name in enumerate(names)]
        write(tmp_path / "in", paint, form(pairs))
        for source in (tmp_path / "in", zipped(tmp_path / "in.zip", tmp_path / "in")):
            found = find_pictures(str(source))
            assert found.files == names
            assert found.classes == classes
            assert found.labels.tolist() == [n % 2 if classes else 0 for n in range(8)]
            assert "dataset.json" in found.structure[0]
            assert found.others == {}


@pytest.mark.parametrize(
    "labels", [None, [], "x", 5, [["a"]], [["a.png", "b"]], [["a.png", 1e999]]]
)
def test_a_file_without_usable_labels_makes_no_classes(tmp_path, paint, labels):
    write(tmp_path / "in", paint, labels)
    found = find_pictures(str(tmp_path / "in"))
    assert (len(found), found.classes) == (8, ())
    assert "are numbered chunks" in found.structure[-1]
    (tmp_path / "in/dataset.json").write_text("[" * 100_000)
    assert "no labels are taken" in find_pictures(str(tmp_path / "in")).structure[0]


def test_a_label_below_zero_is_none_and_an_absurd_one_is_no_label(tmp_path, paint):
    pairs = [[f"{n // 4:05d}/img{n:08d}.png", n % 2 if n else -1] for n in range(8)]
    write(tmp_path / "in", paint, pairs)
    found = find_pictures(str(tmp_path / "in"))
    assert found.classes == ("0", "1")
    assert (len(found), [reason for _, reason in found.skipped]) == (7, ["has no label"])
    pairs[0][1] = 10**4000
    write(tmp_path / "in", paint, pairs)
    assert "labels in an unknown form" in find_pictures(str(tmp_path / "in")).structure[0]


def numbered(place, paint, first: int, label=lambda n: n % 2, key: str = "") -> None:
    """Eight pictures in a folder of chunks, with a dataset.json of their own."""
    for n in range(first, first + 8):
        paint(place / f"00000/img{n:08d}.png", n)
    labels = [[f"{key}00000/img{n:08d}.png", label(n)] for n in range(first, first + 8)]
    (place / "dataset.json").write_text(json.dumps({"labels": labels}))


def test_the_labels_of_several_stylegan_sets_are_joined(tmp_path, paint, zipped):
    numbered(tmp_path / "in/train", paint, 0)
    numbered(tmp_path / "in/test", paint, 8, lambda n: 2 if n == 8 else None if n == 9 else n % 2)
    for source in (tmp_path / "in", zipped(tmp_path / "in.zip", tmp_path / "in")):
        found = find_pictures(str(source))
        assert found.classes == ("0", "1", "2")
        assert found.labels.tolist() == [2, *[0, 1] * 3, *[0, 1] * 4]
        assert found.skipped == (("test/00000/img00000009.png", "has no label"),)
        assert found.structure[0] == "3 classes by test/dataset.json and train/dataset.json"
        assert found.others == {}


def test_label_files_that_contradict_each_other_are_refused(tmp_path, paint):
    numbered(tmp_path / "train", paint, 0)
    numbered(tmp_path / "test", paint, 8)
    above = {f"train/00000/img{n:08d}.png": n % 2 for n in range(8)}
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": above}))
    assert find_pictures(str(tmp_path)).classes == ("0", "1")
    above["train/00000/img00000003.png"] = 0
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": above}))
    with pytest.raises(
        UserError,
        match=r"img00000003\.png is of class 0 by dataset\.json and of class 1 by train/dataset\.json",
    ):
        find_pictures(str(tmp_path))
    assert len(find_pictures(str(tmp_path), "none")) == 16


def test_attributes_of_one_set_leave_the_classes_of_another(tmp_path, paint):
    numbered(tmp_path / "a", paint, 0, lambda n: [1, 1])
    said = "no classes in a/dataset.json, which gives several attributes a picture: there are none"
    assert find_pictures(str(tmp_path)).structure == (said,)
    numbered(tmp_path / "b", paint, 8)
    said = "no classes by b/dataset.json: 8 of 16 pictures have none"
    assert find_pictures(str(tmp_path)).structure == (said,)
