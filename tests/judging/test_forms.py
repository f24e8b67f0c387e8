"""The form of a comparison is that of neither side in silence, and what was dropped is counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from figment.data import look, open_dataset
from figment.judging import forms
from figment.judging.evaluate import evaluate_pictures
from figment.judging.evaluation import Evaluation
from figment.judging.table import score_table


def smooth(number: int, side: int, grey: bool = False) -> Image.Image:
    pixels = np.random.default_rng(number).integers(0, 256, (5, 5, 3)).astype(np.uint8)
    image = Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC)
    return image.convert("L").convert("RGB") if grey else image


def folder(path: Path, *kinds: tuple[int, bool], start: int = 0) -> str:
    """40 pictures, in turn of these sides and colours."""
    path.mkdir()
    for number in range(40):
        side, grey = kinds[number % len(kinds)]
        smooth(start + number, side, grey).save(path / f"{number}.png")
    return str(path)


def compared(samples: str, reals: str, **how) -> Evaluation:
    how = {"features": "small", "metrics": ("kid",), "progress": False} | how
    return evaluate_pictures(samples, reals, **how)


@pytest.mark.parametrize("turned", [False, True])
def test_neither_side_is_made_grey_or_small_by_the_other(tmp_path, turned):
    plain, fine = folder(tmp_path / "plain", (32, True)), folder(tmp_path / "fine", (96, False))
    found = compared(*((fine, plain) if turned else (plain, fine)))
    assert found.form["side"] == 96 and found.form["channels"] == 3
    assert any("0 of 40 of" in note and "compared in colour" in note for note in found.notes)
    assert f"pictures of {plain} are 32 px: enlarged to 96 px" in found.notes
    assert not any(f"pictures of {fine} are" in note for note in found.notes)
    assert "pictures of 96 px in colour" in found.scores[0].protocol
    assert found.scores[0].value > 5 * abs(found.scores[0].floor)


def test_a_stated_resolution_holds_and_what_it_does_is_said(tmp_path):
    mixed = folder(tmp_path / "mixed", (32, False), (64, False))
    fine = folder(tmp_path / "fine", (64, False), start=100)
    found = compared(mixed, fine, resolution=48)
    assert f"pictures of {mixed} are 32 to 64 px (short side): brought to 48 px" in found.notes
    assert f"pictures of {fine} are 64 px: shrunk to 48 px" in found.notes
    assert found.form["side"] == 48


def test_two_grey_sides_are_compared_in_grey_and_equal_forms_need_no_note(tmp_path):
    one, other = folder(tmp_path / "a", (32, True)), folder(tmp_path / "b", (32, True), start=50)
    found = compared(one, other)
    assert found.form == {"side": 32, "channels": 1, "fit": "crop", "filter": forms.FILTER}
    assert all("few" in note for note in found.notes)


def test_pale_colours_are_colours():
    grey = np.full((2, 3, 32, 32), 120, np.uint8)
    grey[1, 0, :8, :8] += 6
    assert forms.coloured(grey).tolist() == [False, True]
    assert forms.coloured(grey[:, :1]).tolist() == [False, False]


def test_files_that_cannot_be_read_are_counted(tmp_path):
    samples, reals = folder(tmp_path / "s", (32, False)), folder(tmp_path / "r", (32, False))
    for number in range(15):
        path = tmp_path / "s" / f"{number}.png"
        path.write_bytes(path.read_bytes()[:90])
    (tmp_path / "r" / "0.png").write_bytes(b"")
    found = compared(samples, reals)
    assert any(
        note.startswith("15 of 40 files of the samples cannot be read") for note in found.notes
    )
    assert any(note.startswith("1 of 40 files of the reals cannot be read") for note in found.notes)
    assert found.files["samples"]["read"] == 25 and len(found.files["samples"]["skipped"]) == 15
    assert found.as_json()["files"]["reals"]["skipped"] == [["0.png", "empty file"]]
    assert "15 of 40 files of the samples" in score_table(found)


def test_a_run_in_grey_says_that_its_coloured_data_were_compared_so(tmp_path):
    coloured = folder(tmp_path / "c", (32, False))
    dataset = open_dataset(coloured, resolution=32, channels=1, progress=False)
    (note,) = forms.changed_by_run(dataset, own=True, fit="crop")
    assert "is in colour and was compared in grey" in note
    fine = open_dataset(coloured, resolution=16, channels=3, progress=False)
    assert forms.changed_by_run(fine, own=True, fit="crop") == []
    assert "are 32 px: shrunk to 16 px" in forms.changed_by_run(fine, own=False, fit="crop")[0]
    assert forms.common_side([look(coloured)], None) == 32


def test_a_run_in_colour_says_that_other_reals_are_grey(tmp_path):
    grey = folder(tmp_path / "g", (32, True))
    dataset = open_dataset(grey, resolution=32, channels=3, progress=False)
    (note,) = forms.changed_by_run(dataset, own=False, fit="crop")
    assert note == f"{grey} is in grey, samples of the run in colour: compared as they are"
    assert forms.changed_by_run(dataset, own=True, fit="crop") == []


def test_what_is_cut_off_to_make_squares_is_said(tmp_path):
    (tmp_path / "wide").mkdir()
    for number in range(40):
        smooth(number, 96).crop((0, 0, 96, 32)).save(tmp_path / "wide" / f"{number}.png")
    wide, plain = str(tmp_path / "wide"), folder(tmp_path / "plain", (32, False), start=50)
    cut = f"pictures of {wide} are no squares: 67% of their area is cut off and not compared"
    assert cut in compared(wide, plain).notes
    dataset = open_dataset(wide, resolution=32, channels=3, progress=False)
    assert forms.changed_by_run(dataset, own=False, fit="crop") == [cut]
    assert forms.changed_by_run(dataset, own=False, fit="pad") == []
    (tmp_path / "nearly").mkdir()
    for number in range(20):
        smooth(number, 36).crop((0, 0, 36, 32)).save(tmp_path / "nearly" / f"{number}.png")
    nearly = open_dataset(str(tmp_path / "nearly"), resolution=32, channels=3, progress=False)
    assert forms.cropped([nearly]) == []


def test_sizes_are_those_of_pictures_that_can_be_read(tmp_path):
    samples, reals = folder(tmp_path / "s", (64, False)), folder(tmp_path / "r", (64, False))
    broken = tmp_path / "s" / "0.png"
    smooth(0, 48).save(broken)
    broken.write_bytes(broken.read_bytes()[:200])
    assert not any("px" in note for note in compared(samples, reals).notes)
