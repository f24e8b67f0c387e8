"""Sides of the same pictures: by names that can mean nothing else, or by names and files."""

from __future__ import annotations

import pytest

from figment.data.structure import arrange

NAMED = ("a7", "beach", "q3", "z19")
SAID = "seem to be sides of the same pictures: give one of them (--folders classes if they are)"


def called(names: tuple[str, ...], stems: tuple[str, ...]) -> list[str]:
    return [f"{name}/{stem}.png" for name in names for stem in stems]


def numbered(*names: str) -> list[str]:
    return called(names, tuple(str(i) for i in range(6)))


@pytest.mark.parametrize(
    "names",
    [
        ("JPEGImages", "SegmentationClass"),
        ("leftImg8bit/train/aachen", "leftImg8bit/val/bonn", "gtFine/train/aachen"),
        ("input", "target"),
        ("hr", "lr"),
        ("256x256", "512x512"),
        ("images1024x1024", "thumbnails128x128"),
        ("images", "images_256x256"),
        ("original", "augmented"),
        ("road_images", "road_masks"),
        ("train_images", "train_masks", "test_images", "test_masks"),
        ("DIV2K_train_HR", "DIV2K_train_LR_bicubic", "DIV2K_valid_HR", "DIV2K_valid_LR_bicubic"),
        ("train", "test", "masks"),
        ("train/images", "train/masks", "test/images", "test/masks"),
    ],
)
def test_sides_are_known_by_their_names(names):
    found = arrange(numbered(*names))
    assert (found.classes, len(found.files)) == ((), 6 * len(names))
    assert found.notes[-1].startswith("no classes: the folders ")
    assert found.notes[-1].endswith(SAID)
    assert len(arrange(numbered(*names), "classes").classes) > 1


@pytest.mark.parametrize("names", [("before", "after"), ("clean", "noisy"), ("256", "512")])
def test_names_of_classes_or_sides_are_sides_where_the_files_agree(names):
    for stems in (NAMED, ("2", "5", "9", "23", "55")):
        assert arrange(called(names, stems)).notes[-1].endswith(SAID)
    assert len(arrange(numbered(*names)).classes) == 2  # each numbers its own
    apart = [*called(names[:1], NAMED), *called(names[1:], ("b1", "c2", "d3", "q3"))]
    assert len(arrange(apart).classes) == 2


@pytest.mark.parametrize(
    "names",
    [
        ("real", "fake"),
        ("original", "fake"),
        ("A", "B", "C"),
        ("neutral", "smiling"),
        ("cat images", "dog images"),
        ("bus", "masks", "train"),
        ("64x64 cat", "128x128 dog"),
        ("1", "2", "3"),
    ],
)
def test_other_names_are_classes_though_the_files_agree(names):
    assert set(arrange(called(names, NAMED)).classes) == set(names)
