"""The classifier in a semi-supervised run: kept, asked, scored, and resumed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from figment.cli import main
from figment.data import open_dataset
from figment.data.flowers import CLASSES
from figment.errors import UserError
from figment.launch import resume, train
from figment.run import Run

NAME = "figment.recipes.semisupervised:SSL_MNIST"
FIELDS = {"width": 16, "generator_width": 16, "resolution": 16, "labelled": 20, "batch": 20}
FIELDS |= {"features": "small", "metrics": (), "tick": 400, "precision": "float32"}
FIELDS |= {"held_out": 0.2, "noise": (0.1, 0.1), "metric_every": 10_000}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, session_cache: Path) -> Run:
    patch = pytest.MonkeyPatch()
    patch.setenv("FIGMENT_CACHE", str(session_cache))
    folder = tmp_path_factory.mktemp("ssl")
    run = train("flowers:400", NAME, run=folder / "run", images=2_000, progress=False, **FIELDS)
    yield run
    patch.undo()


def test_a_run_keeps_its_classifier(trained: Run):
    from safetensors import safe_open

    with safe_open(trained.path / "classifier.safetensors", framework="numpy") as file:
        about = json.loads(file.metadata()["figment"])
    assert about["classes"] == list(CLASSES)
    assert about["images"] == 2_000
    assert trained.recipe.class_names == CLASSES
    last = [line for line in trained.log() if "score/class" in line][-1]
    assert last["score/class"] > 0.7
    assert last["score/held_out_class"] > 0.7


def test_classify_takes_pictures_of_every_kind(trained: Run, tmp_path: Path, flower_files):
    dataset = open_dataset("flowers:40", resolution=16, channels=1, progress=False)
    found = trained.classify(dataset.rows)
    assert found.classes == CLASSES
    assert found.probabilities.shape == (40, 2)
    assert np.allclose(found.probabilities.sum(1), 1)
    assert np.mean([CLASSES.index(name) for name in found.names] == dataset.labels) > 0.7
    folder = flower_files(tmp_path / "data", range(6))
    (folder / CLASSES[0] / "broken.png").write_bytes(b"no picture")
    several = trained.classify(folder)
    assert several.pictures == sorted(
        str(path.relative_to(folder)) for path in folder.rglob("[0-9].png")
    )
    one = trained.classify(str(folder / several.pictures[2]))
    assert (one.names, one.pictures) == ([several.names[2]], [Path(several.pictures[2]).name])
    assert np.allclose(one.probabilities, several.probabilities[2:3], atol=1e-5)
    assert len(trained.classify(trained.generator.sample(3)).names) == 3


def test_what_cannot_be_classified(trained: Run, tmp_path: Path):
    with pytest.raises(UserError, match=r"uint8 \[N, 1, 16, 16\], not float32 \[2, 1, 16, 16\]"):
        trained.classify(np.zeros((2, 1, 16, 16), np.float32))
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(UserError, match="cannot be read as a picture"):
        trained.classify(tmp_path / "text.png")
    other = {"resolution": 16, "hidden": (8,), "batch": 4, "metrics": (), "metric_every": 100}
    plain = train(
        "flowers:24", "cats-mlp", run=tmp_path / "plain", images=8, progress=False, **other
    )
    with pytest.raises(UserError, match="tells no classes: train with a recipe that does"):
        plain.classify(tmp_path)


def test_evaluate_gives_the_accuracy(trained: Run, tmp_path: Path, capsys, flower_files):
    asked = {"metrics": ("accuracy",), "progress": False, "out": None}
    score = trained.evaluate(**asked).scores[0]
    assert (score.name, score.better) == ("accuracy", "higher")
    assert 0.7 < score.low < score.value <= score.high
    assert score.protocol == "accuracy on 80 pictures held out of training"
    other = flower_files(tmp_path / "other", range(1000, 1050))
    against = trained.evaluate(str(other), **asked).scores[0]
    assert against.protocol == "accuracy on 50 pictures of other"
    assert main(["evaluate", str(trained.path), "--metrics", "accuracy"]) == 0
    assert "accuracy" in capsys.readouterr().out
    every = trained.evaluate(count=64, progress=False)
    assert {score.name for score in every.scores} > {"accuracy"}


def test_accuracy_needs_labelled_pictures(trained: Run, photos: Path):
    with pytest.raises(UserError, match="has no classes: the classes are"):
        trained.evaluate(str(photos), metrics=("accuracy",), progress=False, out=None)
    noted = trained.evaluate(str(photos), metrics=(), count=64, progress=False, out=None)
    assert any(note.startswith("accuracy was left out") for note in noted.notes)


def test_resumes_bit_for_bit(tmp_path: Path):
    options = {"progress": False, **FIELDS, "tick": 100, "save_every": 100}
    whole = train("flowers:300", NAME, run=tmp_path / "whole", images=400, **options)
    half = train("flowers:300", NAME, run=tmp_path / "half", images=200, **options)
    resume(half.path, images=200, progress=False)
    for name in ("state/latest.safetensors", "classifier.safetensors"):
        assert (whole.path / name).read_bytes() == (half.path / name).read_bytes()
