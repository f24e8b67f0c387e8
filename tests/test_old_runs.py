"""Runs of version 0.1.0 are opened, scored and gone on with by this one.

``expected.json`` holds the norms of each network and optimiser that 0.1.0 itself reached by resuming them.
"""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file

import figment
from figment.launch import resume
from figment.training.state import saved_clock

OLD = Path(__file__).parent / "old_runs"
EXPECTED = json.loads((OLD / "expected.json").read_text())


@pytest.fixture(params=EXPECTED)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of an old run: what is done with a run is written into it."""
    return Path(shutil.copytree(OLD / request.param, tmp_path / request.param))


def test_an_old_run_draws_its_last_grid_again(old: Path):
    run, last = figment.load(old), sorted((old / "samples").iterdir())[-1]
    drawn = run.generator.overview(64).save(old / "again.png")
    with Image.open(drawn) as again, Image.open(last) as before:
        assert again.size == before.size
        difference = np.asarray(again, dtype=float) - np.asarray(before, dtype=float)
    assert np.abs(difference).max() <= 1


def test_an_old_run_is_reported_on_and_evaluated(old: Path):
    run = figment.load(old)
    text = run.report().read_text(encoding="utf-8")
    assert "Samples" in text and run.name in text
    scores = {
        score.name: score.value
        for score in run.evaluate(count=64, features="small", progress=False).scores
    }
    assert np.isfinite(scores["kid"])
    assert run.doctor()


def test_an_old_run_with_a_field_that_did_nothing_goes_on(old: Path):
    written = json.loads((old / "recipe.json").read_text())
    written["fields"] |= {"unroll": 9, "ada_transforms": "bg", "minibatch_dimensions": 4}
    (old / "recipe.json").write_text(json.dumps(written))
    resume(old, images=8, progress=False, device="cpu")
    fields = json.loads((old / "recipe.json").read_text())["fields"]
    assert fields["unroll"] == 5 and fields["minibatch_dimensions"] == 16


def test_an_old_run_goes_on_as_it_would_have(old: Path):
    before, expected = saved_clock(old / "state").images, EXPECTED[old.name]
    resume(old, images=expected["images"], progress=False, device="cpu")
    assert saved_clock(old / "state").images == before + expected["images"]
    squares: dict[str, float] = defaultdict(float)
    for name, tensor in load_file(old / "state/latest.safetensors").items():
        squares[".".join(name.split(".")[:2])] += float(tensor.double().square().sum())
    norms = {name: square**0.5 for name, square in squares.items()}
    assert norms == pytest.approx(expected["norms"], rel=1e-4)
