"""What machine.json, states and logs may say that no training wrote, and lengths that are none."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from figment import plan
from figment.errors import UserError
from figment.launch import resume, train
from figment.recipes.points import Points
from figment.run import load
from figment.training.budget import LONGEST
from figment.training.fit import _status

FIELDS: dict[str, Any] = {"hidden": (8,), "latent": 4, "batch": 16, "tick": 16, "metrics": ()}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, session_cache: Path) -> Path:
    run = tmp_path_factory.mktemp("others") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIGMENT_CACHE", str(session_cache))
        return train("ring", run=run, images=64, progress=False, **FIELDS).path


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "run"))


def edit_machine(run: Path, **changes: Any) -> None:
    path = run / "machine.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    "budget",
    [
        {"images": 1.5},
        {"images": 656.0},
        {"images": 0},
        {"images": True},
        {"images": 1e15},
        {"images": 2**60},
        {"images": None},
        {"minutes": None},
        {"minutes": "1"},
        {},
    ],
)
def test_a_budget_that_is_none_ends_before_anything_is_written(run: Path, budget: dict):
    edit_machine(run, budget=budget)
    before = (run / "recipe.json").read_bytes()
    with pytest.raises(UserError, match=r"machine\.json cannot be used"):
        resume(run, progress=False)
    assert (run / "recipe.json").read_bytes() == before


@pytest.mark.parametrize("each", [[1e-300], [1e-310], [5e-324] * 3, [1e15]])
def test_seconds_that_no_image_takes(run: Path, each: list[float]):
    edit_machine(run, seconds_per_image=each)
    resume(run, minutes=0.03, progress=False)
    images = load(run).recipe.images
    assert 64 <= images == load(run).log()[-1]["images"] < 10**7


def test_no_time_comes_to_more_images_than_are_counted():
    for speed in (1e300, float("inf")):
        assert plan.lasting(Points(), 60, speed, before=10).images == LONGEST["images"]


@pytest.mark.parametrize("images", [16.5, 16.0, True, "16", 0, float("nan")])
def test_lengths_are_whole_numbers(tmp_path: Path, images: Any):
    with pytest.raises(UserError, match=r"images must be a (whole )?number above 0|above 0, not"):
        train("ring", run=tmp_path / "run", images=images, progress=False, **FIELDS)
    assert not (tmp_path / "run").exists()


def _scale(value: Any) -> Callable[[dict], object]:
    return lambda note: note.update(rate_scale=value)


def _tally(sums: Any, counts: Any) -> Callable[[dict], object]:
    return lambda note: note.update(tally={"sums": {"a": sums}, "counts": {"a": counts}})


@pytest.mark.parametrize(
    "spoil",
    [
        *map(_scale, (10**400, float("nan"), -1e308, 0, float("inf"), None)),
        _tally(10**400, 1),
        _tally(1.0, 10**400),
        lambda note: note.update(tally=3),
        lambda note: note.update(clock=[64]),
    ],
)
def test_a_note_that_lies_is_a_damaged_state(run: Path, spoil: Callable[[dict], object]):
    path = run / "state" / "latest.safetensors"
    with safe_open(path, framework="np") as file:
        note = json.loads(file.metadata()["figment"])
    del note["checksum"]  # as version 0.1 wrote it
    spoil(note)
    save_file(load_file(path), path, {"figment": json.dumps(note)})
    with pytest.raises(UserError, match=r"latest\.safetensors is damaged"):
        resume(run, images=16, progress=False)


def test_the_bar_of_a_log_line_with_half_of_the_modes():
    session: Any = SimpleNamespace(
        log=SimpleNamespace(lines=[{"images": 64, "modes/reached": 3.0}])
    )
    assert _status({"loss/generator": 0.5}, session) == "G 0.50"
    session.log.lines[-1]["modes/all"] = 8.0
    assert _status({"loss/generator": 0.5}, session) == "G 0.50 modes 3 of 8"


def test_the_bar_calls_logits_what_is_no_probability():
    session: Any = SimpleNamespace(log=SimpleNamespace(lines=[]), trainer=SimpleNamespace())
    for objective, name in (("hinge", "D logit of reals"), ("nonsaturating", "D(real)")):
        session.trainer.recipe = Points(objective=objective)
        assert _status({"score/real": -1.28}, session) == f"{name} -1.28"
