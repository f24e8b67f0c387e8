"""One file of weights: what opens it, and that it says nothing of the machine."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

import numpy as np
import pytest

import figment
from figment.cli import main
from figment.errors import UserError
from figment.export.subject import without_user
from figment.tensors import read_note

LOGIN = "ada"


@pytest.fixture
def file(make_run, tmp_path, monkeypatch) -> Path:
    """The export of a run whose folder has the name of its user, and that is scored by a file."""
    monkeypatch.setattr(getpass, "getuser", lambda: LOGIN)
    features = f"file:{tmp_path}/features.pt"
    run = make_run(name="ada-cats", system="dcgan-concat", classes=3, features=features)
    out = tmp_path / "given" / "cats.safetensors"
    assert main(["export", str(run), "--to", "safetensors", "--out", str(out)]) == 0
    return out


def test_it_draws_what_the_run_draws(file, tmp_path, capsys):
    run = figment.load(tmp_path / "ada-cats")
    alone = figment.load(file)
    expected = run.generator.sample(4, label="owl")
    assert np.array_equal(alone.generator.sample(4, label="owl").array, expected.array)
    assert (alone.name, alone.recipe) == ("dcgan-concat", alone.generator.recipe)
    assert main(["sample", str(file), "--out", str(tmp_path / "grid.png")]) == 0
    assert "grid.png: 64 samples" in capsys.readouterr().out


def test_it_says_what_it_is_and_no_path_and_no_name(file, tmp_path):
    data = file.read_bytes()
    for private in (str(tmp_path), os.path.expanduser("~") + "/", LOGIN + "-", "features.pt"):
        assert private.encode() not in data
    note = read_note(file)
    assert note["made"] == "made by figment"
    assert note["fields"]["features"] == "auto"
    assert note["model"]["classes"] == ["cat", "dog", "owl"]
    assert note["model"]["card"]["sentence"].startswith("A generator of 32 x 32 pictures")


@pytest.mark.parametrize(
    ("text", "left"),
    [("ada", "me"), ("Ada-cats", "me-cats"), ("radar", "radar"), ("cats of ADA", "cats of me")],
)
def test_names_of_folders_lose_that_of_the_user(text, left, monkeypatch):
    monkeypatch.setattr(getpass, "getuser", lambda: LOGIN)
    assert without_user(text) == left


def test_what_only_a_run_has_is_refused(file, capsys):
    alone = figment.load(file)
    for ask in (alone.log, alone.doctor, alone.report, alone.training_data, alone.evaluate):
        with pytest.raises(UserError, match=r"comes without its data|without its run"):
            ask()
    for command in ("resume", "report"):
        assert main([command, str(file)]) == 2
        assert "is a generator without its run" in capsys.readouterr().err
    file.write_bytes(file.read_bytes()[:-8])
    with pytest.raises(UserError, match="holds no generator that figment wrote"):
        figment.load(file)


def test_it_can_be_exported_again(file, tmp_path):
    again = tmp_path / "again.safetensors"
    assert main(["export", str(file), "--to", "safetensors", "--out", str(again)]) == 0
    same = figment.load(again).generator.sample(2).array
    assert np.array_equal(same, figment.load(file).generator.sample(2).array)
    first, second = (read_note(path)["model"] for path in (file, again))
    assert second["card"] == first["card"]  # what was known with the run is not lost
    assert "learned from 240 pictures (cats)" in second["card"]["sentence"]
