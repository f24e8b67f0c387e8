"""Parts of a split: known by their names and by what lies in them, and looked through."""

from __future__ import annotations

import pytest

from figment.data.structure import arrange


def many(*names: str, each: int = 10) -> list[str]:
    """So many pictures in each folder, numbered anew."""
    return [f"{name}/{i}.png" for name in names for i in range(each)]


def pets(*parts: str) -> list[str]:
    return many(*(f"{part}/{kind}" for part in parts for kind in ("cat", "dog")))


@pytest.mark.parametrize(
    "names",
    [
        ("DIV2K_train_HR", "DIV2K_valid_HR"),
        ("images_train", "images_test"),
        ("TrainImages", "TestImages"),
        ("my_train", "my_test"),
        ("dataset_train", "dataset_test"),
        ("1_train", "2_test"),
        ("train-clean", "test-clean"),
        ("train (1)", "test (1)"),
        ("bounding_box_train", "bounding_box_test", "query"),
        ("train", "query", "gallery"),
        ("train", "test", "extra"),
        ("train", "val", "unseen"),
        ("train", "test", "examples"),
        ("train", "test", "foo"),
        ("fold1", "fold2", "fold3", "fold4", "fold5"),
        ("Fold 1", "Fold 2"),
        ("seg_train/seg_train", "seg_test/seg_test", "seg_pred/seg_pred"),
        ("train/images", "test/test_images"),
    ],
)
def test_parts_are_known_with_and_without_classes_in_them(names):
    flat, within = arrange(many(*names)), arrange(pets(*names))
    assert flat.classes == ()
    assert len(flat.notes) == 1
    assert flat.notes[0].endswith("are parts of a split, not classes: all are used together")
    assert within.classes == ("cat", "dog")
    assert within.notes == (flat.notes[0], "the 2 folders cat and dog are classes")
    for file, label in zip(within.files, within.labels, strict=True):
        assert f"/{within.classes[label]}/" in file
    insisted = arrange(pets(*names), "classes")
    assert (insisted.classes, len(insisted.files)) == (("cat", "dog"), 20 * len(names))


@pytest.mark.parametrize(
    "names",
    [
        ("train", "plane", "car"),
        ("train", "test", "cat", "dog"),
        ("test", "cat"),
        ("Val", "Dev", "Anna"),
        ("Val Kilmer", "Dev Patel"),
        ("steam train", "toy train", "test drive"),
        ("1", "2", "3"),
        tuple("0123456789"),
        ("original", "fake"),
    ],
)
def test_classes_are_not_taken_for_parts(names):
    assert set(arrange(many(*names)).classes) == set(names)


def test_any_number_of_parts_is_known_by_the_same_folders_in_them():
    names = ("train", "val", "hospital 2", "hospital 3", "hospital 4")
    assert arrange(pets(*names)).classes == ("cat", "dog")
    other = arrange(many("train/cat", "test/cat", "x/cat", "y/red", "z/blue"))
    assert other.classes == ("test", "train", "x", "y", "z")


def test_parts_lie_in_parts_but_not_without_end():
    found = arrange(pets("fold1/train", "fold1/val", "fold2/train", "fold2/val"))
    assert found.classes == ("cat", "dog")
    assert found.notes[0].startswith("fold1 and fold2 are parts of a split")
    deep = ["train/" * depth + "test/a.png" for depth in range(1, 1500)]
    assert len(arrange(deep, "none").files) == len(deep)
    found = arrange(deep)
    assert len(found.files) + len(found.left_out) == len(deep)


@pytest.mark.parametrize("folders", ["auto", "classes"])
@pytest.mark.parametrize("waiting", ["test", "test/test"])
def test_pictures_that_wait_for_their_class_leave_those_of_the_others(folders, waiting):
    found = arrange([*many("train/cat", "train/dog"), *many(waiting, each=50)], folders)
    assert (found.classes, len(found.files), len(found.left_out)) == (("cat", "dog"), 20, 50)
    assert found.notes == (
        "test and train are parts of a split, not classes",
        "the 50 pictures of test have no class: left out (--folders none takes all)",
        "the 2 folders cat and dog are classes",
    )
    assert {why for _, why in found.left_out} == {"lies in a part without classes: no class"}


def test_loose_pictures_to_train_on_count_against_the_classes_still():
    few = arrange([*pets("train"), *many("train", each=4), *many("test", each=50)])
    assert few.classes == ("cat", "dog")
    assert few.notes[-1].endswith("4 pictures beside them left out (--folders none takes all)")
    files = [*pets("train"), *many("train", each=10), *many("test", each=50)]
    found = arrange(files)
    assert (found.classes, len(found.files)) == ((), 80)
    assert found.notes == (
        "test and train are parts of a split, not classes: all are used together",
        "no classes: 10 of 30 pictures lie outside the folders cat and dog"
        " (--folders classes decides otherwise)",
    )
    assert len(arrange(files, "classes").files) == 20


def test_many_pictures_in_a_folder_of_unknown_ones_leave_the_classes():
    found = arrange([*pets("train"), *many("test/unknown", each=50)])
    assert (found.classes, len(found.left_out)) == (("cat", "dog"), 50)
    assert "test/unknown: no class, as there is none of that name" in found.notes[1]


def test_classes_held_out_are_classes_to_who_insists():
    files = many("train/a", "train/b", "train/c", "test/d", "test/e")
    assert arrange(files).classes == ()
    assert arrange(files, "classes").classes == ("a", "b", "c", "d", "e")


def test_who_insists_has_the_domains_or_the_parts_where_nothing_lies_below():
    assert arrange(many("trainA", "trainB", "testA"), "classes").classes == ("A", "B")
    one = arrange(many("train/cat", "test/cat"), "classes")
    assert one.notes == ("the 2 folders test and train are classes",)
