"""What the doctor says of folders of pictures with one thing wrong each."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from figment.data import inspect, open_dataset
from figment.data.describe import describe
from figment.data.flowers import draw_flowers
from figment.doctor.data import examine
from figment.doctor.sets import Nearest, doubtful, findings_of, nearest
from figment.errors import UserError


@pytest.fixture(scope="module")
def flowers() -> np.ndarray:
    return draw_flowers(range(240), 32)[0].transpose(0, 2, 3, 1)  # [N, H, W, C]


def folder_of(folder: Path, pictures: np.ndarray) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number, pixels in enumerate(pictures):
        Image.fromarray(pixels).save(folder / f"{number:04d}.png")
    return folder


def names(folder: Path) -> list[str]:
    return [finding.name for finding in examine(str(folder), progress=False)]


def test_good_data(tmp_path: Path, flowers: np.ndarray):
    (finding,) = examine(str(folder_of(tmp_path / "good", flowers)), progress=False)
    assert (finding.name, finding.severity) == ("healthy data", "good")
    assert finding.evidence.startswith("240 pictures")


@pytest.mark.parametrize("source", ["flowers", "ring", "grid:500"])
def test_built_in_sets_are_good(source: str):
    assert [finding.name for finding in examine(source, progress=False)] == ["healthy data"]


def test_near_empty(tmp_path: Path, flowers: np.ndarray):
    first = examine(str(folder_of(tmp_path / "empty", flowers[:5])), progress=False)[0]
    assert (first.name, first.severity) == ("near-empty data", "fault")
    with pytest.raises(UserError):
        examine(str(tmp_path / "nothing"), progress=False)


def test_few(tmp_path: Path, flowers: np.ndarray):
    (first,) = examine(str(folder_of(tmp_path / "few", flowers[:60])), progress=False)
    assert (first.name, first.severity) == ("few pictures", "note")  # true of it, and no fault
    assert "--mirror" in first.flags


def test_constant_by_bytes_and_by_pixels(tmp_path: Path, flowers: np.ndarray):
    same = np.repeat(flowers[:1], 240, axis=0)
    assert names(folder_of(tmp_path / "same", same)) == ["constant data"]
    same = same.copy()
    same[np.arange(240), np.arange(240) % 32, 0, 0] += 1  # no two files alike
    assert names(folder_of(tmp_path / "nearly", same)) == ["constant data"]


def test_duplicates(tmp_path: Path, flowers: np.ndarray):
    twice = np.concatenate([flowers, flowers[:40]])
    finding = examine(str(folder_of(tmp_path / "twice", twice)), progress=False)[0]
    assert finding.name == "duplicates" and "40 of 280" in finding.evidence


def test_different_pictures_three_times_each(tmp_path: Path, flowers: np.ndarray):
    finding = examine(str(folder_of(tmp_path / "thrice", flowers.repeat(3, 0))), progress=False)[0]
    assert finding.name == "duplicates" and "480 of 720" in finding.evidence


def test_flat_pictures(tmp_path: Path, flowers: np.ndarray):
    some = flowers.copy()
    some[:30] = np.arange(30, dtype=np.uint8)[:, None, None, None] * 8
    assert names(folder_of(tmp_path / "flat", some))[0] == "flat pictures"


def test_broken_pictures(tmp_path: Path, flowers: np.ndarray):
    folder = folder_of(tmp_path / "broken", flowers)
    for number in range(30):
        (folder / f"x{number}.png").write_bytes(b"no picture")
    finding = examine(str(folder), progress=False)[0]
    assert finding.name == "broken pictures" and "30 of 270" in finding.evidence


def test_dark_data(tmp_path: Path, flowers: np.ndarray):
    assert names(folder_of(tmp_path / "dark", flowers // 16)) == ["pale data"]


def test_tiny_classes_and_quarrels(tmp_path: Path, flowers: np.ndarray):
    folder_of(tmp_path / "classes/many", flowers)
    folder_of(tmp_path / "classes/two", flowers[:2] // 2)
    assert names(tmp_path / "classes") == ["tiny classes"]
    shutil.copy(tmp_path / "classes/many/0000.png", tmp_path / "classes/two/copy.png")
    assert set(names(tmp_path / "classes")) == {"tiny classes", "quarrelling classes"}


def test_a_split_is_no_classes(tmp_path: Path, flowers: np.ndarray):
    folder_of(tmp_path / "split/train", flowers[:200])
    folder_of(tmp_path / "split/test", flowers[200:])
    assert names(tmp_path / "split") == ["healthy data"]


def test_mixed_colours(tmp_path: Path, flowers: np.ndarray):
    some = flowers.copy()
    some[:30] = some[:30, :, :, :1]
    assert names(folder_of(tmp_path / "mixed", some)) == ["mixed colours"]


def test_long_pictures_are_cropped(tmp_path: Path, flowers: np.ndarray):
    long = np.concatenate([flowers, flowers[:, :, ::-1]], axis=2)  # 32 x 64
    finding = examine(str(folder_of(tmp_path / "long", long)), progress=False)[0]
    assert finding.name == "cropped" and finding.flags == ("--fit pad",)


def test_noise_is_no_data(tmp_path: Path):
    noise = np.random.default_rng(0).integers(0, 256, (60, 32, 32, 3), dtype=np.uint8)
    assert names(folder_of(tmp_path / "noise", noise))[0] == "noise for data"


def test_noise_that_is_enlarged_is_noise(tmp_path: Path):
    random = np.random.default_rng(0)
    noise = np.array([0, 110, 255], np.uint8)[random.integers(0, 3, (220, 16, 16, 3))]
    found = examine(str(folder_of(tmp_path / "noise", noise)), progress=False)
    assert [(one.name, one.severity) for one in found] == [
        ("noise for data", "fault"),
        ("small pictures", "note"),
    ]


def test_variants_of_one_picture(tmp_path: Path, flowers: np.ndarray):
    random = np.random.default_rng(0)
    levels = random.normal(0, 3, (220, 1, 1, 3)) + random.normal(0, 2, (220, 32, 32, 3))
    variants = np.clip(flowers[7] + levels, 0, 255).astype(np.uint8)
    assert names(folder_of(tmp_path / "variants", variants)) == ["near-identical pictures"]


def test_pictures_saved_again_are_near_repeats(tmp_path: Path, flowers: np.ndarray):
    folder = folder_of(tmp_path / "again", flowers)
    for number in range(60):
        Image.fromarray(flowers[number]).save(folder / f"again{number}.jpg", quality=85)
    (finding,) = examine(str(folder), progress=False)
    assert finding.name == "near repeats" and "39% of the pictures" in finding.evidence


def test_many_variants_of_a_few_pictures(tmp_path: Path, flowers: np.ndarray):
    random = np.random.default_rng(0)
    few = np.repeat(flowers[:20], 12, axis=0) + random.normal(0, 2, (240, 32, 32, 3))
    folder = folder_of(tmp_path / "variants", np.clip(few, 0, 255).astype(np.uint8))
    (finding,) = examine(str(folder), progress=False)
    assert (finding.name, finding.severity) == ("near-identical pictures", "fault")
    assert "100% of the pictures" in finding.evidence
    many = np.repeat(flowers[:100], 6, axis=0) + random.normal(0, 2, (600, 32, 32, 3))
    folder = folder_of(tmp_path / "bursts", np.clip(many, 0, 255).astype(np.uint8))
    (finding,) = examine(str(folder), progress=False)
    assert (finding.name, finding.severity) == ("near repeats", "warning")
    assert "in groups" in finding.evidence


def test_pictures_without_contrast_are_pale(tmp_path: Path, flowers: np.ndarray):
    folder = folder_of(tmp_path / "pale", 195 + flowers // 7)
    assert names(folder) == ["pale data"]


def test_grey_pictures_in_colour_files(tmp_path: Path, flowers: np.ndarray):
    grey = np.repeat(flowers[..., 1:2], 3, axis=3)
    folder = folder_of(tmp_path / "grey", grey)
    found = examine(str(folder), progress=False)
    assert [one.severity for one in found] == ["note", "good"]
    assert found[0].name == "grey pictures in colour" and "240 of 240" in found[0].evidence
    in_colour = open_dataset(str(folder), resolution=32, channels=3, progress=False)
    (warning,) = findings_of(in_colour)
    assert (warning.severity, warning.flags) == ("warning", ("--channels 1",))


def test_some_pictures_of_two_classes_exchanged(flowers: np.ndarray):
    rows = torch.from_numpy(flowers.transpose(0, 3, 1, 2))
    kinds = torch.cat([rows // 8 + 44 * k for k in range(5)])
    labels = torch.arange(5).repeat_interleave(240)
    near = nearest(kinds)
    assert doubtful(near, labels, "abcde") == []
    some = np.random.default_rng(0).choice(240, (2, 28), replace=False)
    labels[some[0]], labels[960 + some[1]] = 4, 0  # 5 in 100 of all
    (finding,) = doubtful(near, labels, "abcde")
    assert (
        finding.name == "doubtful classes"
        and "of a lie wholly among those of e" in finding.evidence
    )


def test_some_pictures_of_one_class_in_another_folder(flowers: np.ndarray):
    rows = torch.from_numpy(flowers.transpose(0, 3, 1, 2))
    near = nearest(torch.cat([rows // 8 + 44 * k for k in range(5)]))
    for count, named in ((12, False), (24, True)):  # of 240 each
        labels = torch.arange(5).repeat_interleave(240)
        labels[np.random.default_rng(0).choice(240, count, replace=False)] = 4
        found = doubtful(near, labels, "abcde")
        said = "Some pictures of e lie wholly among those of a, and hardly any lie between the two."
        assert [one.evidence for one in found] == ([said] if named else [])


def test_pictures_in_the_wrong_class(tmp_path: Path, flowers: np.ndarray):
    dark, bright = flowers[:200] // 4, 255 - flowers[:200] // 4
    folder_of(tmp_path / "mixed/dark", np.concatenate([dark[20:], bright[:20]]))
    folder_of(tmp_path / "mixed/bright", np.concatenate([bright[20:], dark[:20]]))
    assert "doubtful classes" in names(tmp_path / "mixed")
    by_chance = np.concatenate([dark, bright])[np.random.default_rng(0).permutation(400)]
    folder_of(tmp_path / "halves/dark", by_chance[:200])
    folder_of(tmp_path / "halves/bright", by_chance[200:])
    folder_of(tmp_path / "halves/other", flowers[:200, :, ::-1] // 2 + 60)
    assert "doubtful classes" in names(tmp_path / "halves")
    folder_of(tmp_path / "right/dark", dark)
    folder_of(tmp_path / "right/bright", bright)
    assert "doubtful classes" not in names(tmp_path / "right")


def test_classes_that_go_over_into_each_other_are_not_doubtful():
    """The fewer of its own class a picture's nearest are, the fewer there are; where swapped, the more."""

    def said(*of_own: int) -> str:
        """What is said of so many pictures with none of their class among five nearest, one, two, ..."""
        labels = torch.arange(2).repeat(sum(of_own) // 2)  # each picture's other is the next
        counts = torch.arange(6).repeat_interleave(torch.tensor(of_own))
        asked = torch.arange(len(labels))
        numbers = (asked[:, None] + (torch.arange(5) >= counts[:, None])) % len(labels)
        found = doubtful(Nearest(asked, numbers, numbers), labels, "ab")
        return found[0].evidence if found else ""

    words = "101 of 1,000 pictures look like those of another class"
    assert words not in said(101, 109, 118, 131, 151, 390)  # cars and planes
    assert words in said(101, 61, 118, 131, 199, 390)


def test_two_small_classes_that_lie_among_each_other_prove_nothing(flowers: np.ndarray):
    rows = torch.from_numpy(flowers.transpose(0, 3, 1, 2))
    apart = torch.cat([rows[:60] // 8 + 60 * k for k in range(3)])
    labels = torch.arange(3).repeat_interleave(60)
    mixed = rows[60:140] // 8 + 200
    for count, named in ((20, False), (40, True)):
        dice = torch.Generator().manual_seed(0)
        both = torch.arange(2).repeat(count)[torch.randperm(2 * count, generator=dice)] + 3
        found = doubtful(
            nearest(torch.cat([apart, mixed[: 2 * count]])), torch.cat([labels, both]), "abcde"
        )
        assert ([one.name for one in found] == ["doubtful classes"]) == named


def test_pictures_without_a_class_are_not_broken(tmp_path, flower_files):
    flower_files(tmp_path / "train", range(24))
    flower_files(tmp_path / "test", range(24, 60), flat=True)
    found = inspect(str(tmp_path), progress=False)
    assert len(found.skipped) == 36 and found.classes
    assert not any(one.name == "broken pictures" for one in examine(str(tmp_path), progress=False))
    told = describe(found)
    assert "no class    36 left out" in told and "broken" not in told
