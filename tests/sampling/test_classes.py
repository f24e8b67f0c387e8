"""Drawing by class: names in the snapshot alone, mistakes in one line, overviews, resuming."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from figment.cli import main
from figment.data import Dataset, open_dataset
from figment.errors import UserError
from figment.launch import resume, train
from figment.opened import load_generator
from figment.recipes import find
from figment.run import Run
from figment.sampling.generator import Generator
from figment.training.log import Tally
from figment.training.state import load_state, save_state
from figment.training.trainer import Trainer

CPU = torch.device("cpu")
FIELDS: dict[str, Any] = {"resolution": 32, "width": 4, "batch": 4, "tick": 8, "features": "small"}
FIELDS |= {"metric_every": 16, "metric_count": 64, "precision": "float32"}


class ConditionalSequential(nn.Module):
    """Fakes [N, 3, 8, 8] that show their class k as tone, and the first number of their latent."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, z: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        tones = torch.stack([labels / 16 - 0.9, z[:, 0] / 8, z[:, 0] * 0], 1)
        return tones[:, :, None, None].expand(-1, -1, 8, 8) + self.weight


def told(classes: int) -> Generator:
    recipe = replace(find("dcgan")[1], conditioning="projection", class_norm=True, classes=classes)
    return Generator(recipe, ConditionalSequential())


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, session_cache: Path) -> Path:
    run = tmp_path_factory.mktemp("classes") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIGMENT_CACHE", str(session_cache))
        how = {"conditioning": "projection", "generator_lr": 0.01, **FIELDS}
        return train("flowers:24", "dcgan", run=run, images=16, progress=False, **how).path


def complaint(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(list(words)) == 2
    out, err = capsys.readouterr()
    lines = [line for line in err.splitlines() if line.startswith("figment:")]
    assert len(lines) == 1 and out == ""
    return lines[0]


def folder_of_classes(home: Path, **sizes: int) -> Path:
    rng = np.random.default_rng(0)
    for name, size in sizes.items():
        (home / "photos" / name).mkdir(parents=True)
        for number in range(size):
            pixels = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(home / "photos" / name / f"{number}.png")
    return home / "photos"


def test_a_run_and_its_snapshot_alone_know_the_names(trained: Path, tmp_path: Path):
    assert Run(trained).generator.classes == ("dandelion", "marigold")
    snapshot = shutil.copy(Run(trained).weights(), tmp_path / "alone.safetensors")
    alone = load_generator(Path(snapshot), CPU)
    assert alone.classes == ("dandelion", "marigold")
    both = alone.sample(6, seed=2).array.astype(int)
    first, second = (alone.sample(6, seed=2, label=name).array for name in alone.classes)
    assert np.abs(both[0::2] - first[0::2]).max() <= 1  # the classes come in turn
    assert np.abs(both[1::2] - second[1::2]).max() <= 1
    assert np.abs(first.astype(int) - second).max() > 1  # of the same latents


def test_classes_come_as_often_as_in_the_data():
    labels = np.repeat([0, 1, 2], [60, 30, 10])
    rows = np.zeros((100, 3, 32, 32), np.uint8)
    uneven = Dataset("some", "some", rows, labels, ("a", "b", "c"), "")
    recipe = replace(find("dcgan")[1], conditioning="concat", classes=3)
    settled = recipe.settle(uneven)
    assert settled.class_shares == (0.6, 0.3, 0.1)
    for first in (0, 12_345, 2**62):  # any row of seeds, not only in the long run
        drawn = settled.labels_for(range(first, first + 200), CPU)
        assert drawn is not None
        assert np.abs(np.bincount(drawn.numpy(), minlength=3) - [120, 60, 20]).max() <= 3
    alone = [int(settled.labels_for([seed], CPU)) for seed in range(50)]
    assert alone == settled.labels_for(range(50), CPU).tolist()  # a seed's class is its own
    assert recipe.settle(replace(uneven, labels=np.arange(99) % 3, rows=rows[:99])) == recipe
    assert replace(recipe, class_shares=(1.0, 1.0, 2.0)).settle(uneven).class_shares[2] == 2.0
    assert find("dcgan")[1].settle(uneven).class_shares == ()


def test_sample_of_a_class_on_the_command_line(trained: Path, tmp_path: Path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["sample", str(trained), "--count", "4", "--class", "marigold"]
    assert main([*words, "--out", "a.npy"]) == 0
    assert "a.npy: 4 samples of marigold, seeds 0 to 3" in capsys.readouterr().out
    assert main([*words[:-2], "--class=marigold", "--out", "each"]) == 0
    assert len(list((tmp_path / "each").iterdir())) == 4
    expected = Run(trained).generator.sample(4, label="marigold").array
    assert np.array_equal(np.load("a.npy"), expected)
    assert main(words) == 0
    assert list(trained.glob("sample-0-count4-marigold-at-*.png"))


def test_wrong_class(trained: Path, tmp_path: Path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = complaint(capsys, "sample", str(trained), "--class", "marygold", "--out", "a.png")
    assert "no class marygold. Did you mean marigold?" in said
    assert "The classes are dandelion, marigold." in said
    assert not list(tmp_path.iterdir())
    with pytest.raises(UserError, match=r"no class x\. The classes are 0, 1, .*, 19 and 5 more\."):
        told(25).sample(1, label="x")


def test_a_run_without_classes_names_the_cure(tmp_path: Path):
    recipe = find("dcgan")[1].tiny()
    plain = Generator(recipe, ConditionalSequential())
    with pytest.raises(UserError, match="train with --conditioning projection"):
        plain.sample(1, label="marigold")
    vae = Generator(find("vae")[1].tiny(), ConditionalSequential())
    with pytest.raises(UserError, match=r"knows no classes, so none marigold$"):
        vae.sample(1, label="marigold")


def test_overviews_show_a_latent_in_every_class():
    for kinds, across in ((2, 4), (3, 2), (10, 1)):
        shown = told(kinds).overview()
        assert shown.grid().size == (8 * across * kinds, 8 * 8)
        assert len(shown) == 8 * across * kinds
        tones = shown.array[:, :, 0, 0].reshape(8 * across, kinds, 3)
        assert (tones[:, :, 1] == tones[:, :1, 1]).all()  # one latent
        assert (np.diff(tones[:, :, 0].astype(int), axis=1) > 0).all()  # in each class
        assert len(np.unique(tones[:, 0, 1])) > 5  # and the next has another latent
    many = told(11)
    assert np.array_equal(many.overview().array, many.sample(64).array)


def test_training_grids_are_overviews(trained: Path):
    with Image.open(trained / "samples" / "000000000.png") as grid:
        assert grid.size == (8 * 32, 8 * 32)


def test_a_run_with_classes_resumes_bit_for_bit(tmp_path: Path):
    how = {"recipe": "dcgan", "progress": False, "save_every": 8, **FIELDS}
    how |= {"conditioning": "classifier", "class_norm": True}
    whole = train("flowers:24", run=tmp_path / "whole", images=24, **how)
    half = train("flowers:24", run=tmp_path / "half", images=12, **how)
    resume(half.path, images=12, progress=False)
    states = [run.path / "state" / "latest.safetensors" for run in (whole, half)]
    assert states[0].read_bytes() == states[1].read_bytes()
    assert whole.weights().read_bytes() == half.weights().read_bytes()


@pytest.mark.parametrize(
    "fields",
    [
        {"conditioning": "projection"},
        {"conditioning": "concat", "replay": 4},
        {"conditioning": "classifier", "generator_norm": "virtual", "reference": 4},
        {"guidance": 0.5, "class_norm": True, "conditioning": "projection", "guide_images": 64},
    ],
    ids=lambda fields: " ".join(fields),
)
def test_training_goes_on_bit_for_bit(fields: dict, tmp_path: Path):
    recipe = replace(find("dcgan")[1].tiny(), classes=2, precision="float32", **fields)
    recipe.check()
    data = open_dataset("flowers:24", resolution=32, channels=3, progress=False)
    whole, half, again = (Trainer(recipe, data, CPU) for _ in range(3))
    for _ in range(4):
        whole.round()
    for _ in range(2):
        half.round()
    save_state(tmp_path, half, Tally())
    load_state(tmp_path, again)
    for _ in range(2):
        again.round()
    one, other = whole.nets.state_dict(), again.nets.state_dict()
    assert all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("count", ["3", "1"])
def test_counting_other_classes_than_the_data_have(count: str, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["train", "flowers:24", "--recipe", "dcgan", "--classes", count]
    said = complaint(capsys, *words, "--conditioning", "concat")
    assert f"flowers has 2 classes, not {count}: leave classes out" in said
    assert (
        "--classes has no effect without --conditioning, --guidance or --guidance-balance"
        in complaint(capsys, *words)
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("flag", ["conditioning", "guidance"])
def test_pictures_without_classes(flag: str, photos: Path, capsys, monkeypatch):
    monkeypatch.chdir(photos.parent)
    value = "projection" if flag == "conditioning" else "1"
    said = complaint(capsys, "train", "photos", f"--{flag}", value)
    assert f"photos has no classes: give each a folder, or leave {flag} out" in said
    assert not (photos.parent / "runs").exists()


def test_a_class_of_one_picture_is_learned_with_a_word(tmp_path: Path, capsys):
    photos = folder_of_classes(tmp_path, many=20, one=1)
    how = {"conditioning": "projection", **FIELDS}
    run = train(photos, "dcgan", run=tmp_path / "run", images=8, **how)
    assert "under 5 pictures of one: too few to learn from" in capsys.readouterr().err
    assert run.generator.sample(2, label="one").array.shape == (2, 3, 32, 32)


def test_a_class_that_cannot_be_read(tmp_path: Path):
    photos = folder_of_classes(tmp_path, a=6, b=6, c=1)
    (photos / "c" / "0.png").write_text("no picture")
    with pytest.raises(UserError, match="no picture of class c can be read"):
        train(photos, "dcgan", run=tmp_path / "run", conditioning="concat", **FIELDS)
    assert not (tmp_path / "run").exists()


def test_one_class_that_is_left_is_not_blamed(tmp_path: Path):
    photos = folder_of_classes(tmp_path, good=6, lost=1)
    (photos / "lost" / "0.png").write_text("no picture")
    with pytest.raises(UserError, match="only one of the classes good, lost can be read"):
        train(photos, "dcgan", run=tmp_path / "run", conditioning="concat", **FIELDS)
