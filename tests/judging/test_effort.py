"""What an evaluation takes, and what it says of few or equal pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from figment.data.flowers import draw_flowers
from figment.errors import UserError
from figment.judging import effort
from figment.judging.evaluate import evaluate_pictures
from figment.judging.table import score_table
from figment.metrics import copies, diversity


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    return draw_flowers(range(24), 32, 0)[0]


@pytest.fixture(scope="module")
def folders(tmp_path_factory, pictures) -> Path:
    root = tmp_path_factory.mktemp("folders")
    sets = {"all": pictures, "ten": pictures[:10], "three": pictures[:3], "black": 0 * pictures}
    for name, chosen in sets.items():
        (root / name).mkdir()
        for number, pixels in enumerate(chosen):
            Image.fromarray(pixels.transpose(1, 2, 0)).save(root / name / f"{number}.png")
    return root


def compare(folders: Path, reals: str, samples: str = "all"):
    how = {"features": "small", "progress": False}
    return evaluate_pictures(str(folders / samples), str(folders / reals), **how)


@pytest.mark.parametrize(("reals", "samples"), [(20, 1_000), (600, 3_000), (50_000, 5_000)])
def test_samples_are_in_proportion_to_the_reals(reals: int, samples: int):
    assert effort.samples_for(reals) == samples


def test_the_plan_counts_what_is_looked_at_and_what_is_scored():
    sides, counts, seconds = ("samples", "reals of cats"), (1_000, 200), (0.1, 0.05)
    only = effort.plan(sides, counts, 3 * 64 * 64, seconds, ("kid", "fid"))
    assert only == "evaluate: 1,000 samples against 200 reals of cats, scores kid, fid: about 2 min"
    everything = effort.plan(sides, counts, 3 * 64 * 64, (0, 0))
    assert everything.endswith("all scores: about 11 s")


def test_the_same_pictures_twice_are_said_and_ratios_have_their_floor(folders):
    found = compare(folders, "all")
    assert found.notes[0].startswith("samples and reals are the same pictures")
    scores = {score.name: score for score in found.scores}
    assert scores["checkerboard"].floor == scores["diversity"].floor == 1
    assert scores["fid"].value < 1e-9 and "0.00000" not in score_table(found)


def test_few_reals_are_not_to_be_trusted_and_what_cannot_be_computed_is_left_out(folders):
    found = compare(folders, "ten")
    assert any("no score can be trusted" in note for note in found.notes)
    assert any(note.startswith("density was left out: k 5") for note in found.notes)
    assert not any("it needs" in note for note in found.notes)  # nobody asked for modes or classes
    assert {"kid", "copied"} <= {score.name for score in found.scores}
    with pytest.raises(UserError, match=r"^3 real pictures to compare with: give 4 at the very"):
        compare(folders, "three")
    with pytest.raises(UserError, match=r"^1 real picture \(24 with repeats\) to compare with"):
        compare(folders, "black")


def test_samples_that_are_all_alike_have_scores(folders):
    scores = {score.name: score for score in compare(folders, "all", samples="black").scores}
    assert scores["diversity"].value == scores["recall"].value == 0
    assert scores["fid"].low <= scores["fid"].value <= scores["fid"].high < np.inf


def test_figures_do_not_depend_on_how_much_is_held_at_a_time(monkeypatch, pictures):
    gallery = copies.Gallery(pictures, np.arange(12))
    whole = gallery.matches(pictures), diversity.ms_ssim(*map(tensor, np.split(pictures, 2)))
    monkeypatch.setattr(copies, "CHUNK_NUMBERS", 5 * pictures[0].size)
    monkeypatch.setattr(diversity, "CHUNK_NUMBERS", pictures[0].size)
    parts = copies.Gallery(pictures, np.arange(12)).matches(pictures)
    assert (parts.places == whole[0].places).all()
    assert parts.likeness.numpy() == pytest.approx(whole[0].likeness.numpy(), abs=1e-5)
    again = diversity.ms_ssim(*map(tensor, np.split(pictures, 2)))
    assert again.numpy() == pytest.approx(whole[1].numpy(), abs=1e-5)


def tensor(array: np.ndarray):
    import torch

    return torch.from_numpy(array.copy())
