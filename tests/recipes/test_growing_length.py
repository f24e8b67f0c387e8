"""Growing and the length of a training: stages are planned once, for images, epochs or minutes."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from playing import trainer_for
from safetensors.torch import load_file

from figment import plan
from figment.launch import resume, train
from figment.networks.growing import seen_at
from figment.recipes.growing import Growing
from figment.recipes.progan import PAPER, PROGAN_64
from figment.rounds import Clock
from figment.training import cost, fit

SMALL = {"resolution": 16, "width": 4, "batch": 4, "latent": 8, "tick": 16, "metrics": ()}
SMALL |= {"precision": "float32"}


def trained(run: Path, **fields: Any):
    return train("flowers:64", "progan", run=run, progress=False, **SMALL | fields)


def written(run: Path) -> dict[str, Any]:
    return json.loads((run / "recipe.json").read_text())["fields"]


def rewritten(run: Path, **fields: Any) -> None:
    old = json.loads((run / "recipe.json").read_text())
    (run / "recipe.json").write_text(json.dumps(old | {"fields": old["fields"] | fields}))


def level(run: Path) -> float:
    return float(load_file(run / "state" / "latest.safetensors")["nets.generator.level"])


def test_a_stage_is_planned_once_and_stays(tmp_path: Path):
    run = trained(tmp_path / "run", images=64)
    assert written(run.path)["stage_images"] == 16  # two doublings in half of 64 images
    assert "stage_images" in run.machine["fields"]["settled"]
    assert level(run.path) == 2
    again = resume(run.path, images=64, progress=False)
    assert again.recipe.images == 128 and written(run.path)["stage_images"] == 16
    assert level(run.path) == 2 and all(line.get("level", 2) == 2 for line in again.log()[4:])


def test_a_users_own_stage_stays(tmp_path: Path):
    run = trained(tmp_path / "run", images=64, stage_images=100)
    assert written(run.path)["stage_images"] == 100
    assert "stage_images" in run.machine["fields"]["chosen"]


def test_a_longer_plan_or_none_takes_no_layer_back():
    fixed = replace(PROGAN_64, images=10_000).at_this_length()
    longer, stops = replace(fixed, images=50_000), range(0, 10_000, 250)
    levels = [longer.level_at(Clock(images)) for images in stops]
    assert levels == sorted(levels) == [fixed.level_at(Clock(images)) for images in stops]
    assert levels[20] == 4
    for recipe in (PAPER, replace(PROGAN_64, level=4.0)):
        assert recipe.at_this_length() is recipe


def test_a_run_of_an_earlier_version_goes_on_as_it_was_planned(tmp_path: Path, monkeypatch):
    """Its recipe.json says 0: stages follow the length, until a resume makes it longer."""
    with monkeypatch.context() as patch:
        patch.setattr(fit, "_agree", lambda *args: ({}, int(signal.SIGTERM)))
        path = trained(tmp_path / "run", images=64).path
    rewritten(path, stage_images=0)
    resume(path, progress=False)
    assert written(path)["stage_images"] == 0 and level(path) == 2
    resume(path, images=64, progress=False)
    assert written(path)["stage_images"] == 16 and level(path) == 2


def test_minutes_are_planned_by_what_every_level_takes(tmp_path: Path, monkeypatch):
    """Growing has half of the images and a small part of the time, which all of them fill."""
    seconds = {0: 0.01, 1: 0.1, 2: 0.4}  # an image

    def mean_round(trainer: Any, rounds: int, end: float) -> tuple[float, float]:
        level = trainer.recipe.level_at(Clock(trainer.clock.images + 4))
        return 4 * seconds[-int(-level // 1)], 4.0

    monkeypatch.setattr(cost, "_mean_round", mean_round)
    monkeypatch.setattr(fit, "_agree", lambda *args: ({}, int(signal.SIGTERM)))
    run = trained(tmp_path / "run", minutes=60)
    fields, machine = written(run.path), json.loads((run.path / "machine.json").read_text())
    stage, images = fields["stage_images"], fields["images"]
    assert machine["seconds_per_image"] == [0.01, 0.1, 0.4]
    assert images == pytest.approx(4 * stage, rel=0.01)  # two stages, then as many again
    takes = stage * (0.01 / 2 + 0.1 + 0.4 / 2) + 2 * stage * 0.4
    assert 0.85 * 3_600 < takes < 0.9 * 3_600  # a tenth is for measuring, and some was taken
    resume(run.path, minutes=10, progress=False)  # from the start, for nothing was played
    assert written(run.path)["stage_images"] == stage
    left = 600 - stage * (0.01 / 2 + 0.1)
    assert written(run.path)["images"] == pytest.approx(stage * 1.5 + left / 0.4, rel=0.01)


def test_minutes_with_stages_of_ones_own(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(cost, "_mean_round", lambda trainer, rounds, end: (0.4, 4.0))
    monkeypatch.setattr(fit, "_agree", lambda *args: ({}, int(signal.SIGTERM)))
    run = trained(tmp_path / "run", minutes=60, stage_images=300)
    assert written(run.path)["stage_images"] == 300
    assert written(run.path)["images"] == pytest.approx(0.88 * 3_600 / 0.1, rel=0.03)


# -- from another run -----------------------------------------------------------------------------


def test_a_training_from_networks_full_grown_does_not_grow_again(tmp_path: Path):
    teacher = trained(tmp_path / "teacher", images=64).path
    how: dict[str, Any] = {"images": 4, "progress": False, "from_": teacher, "metrics": ()}
    run = train("flowers:64", run=tmp_path / "run", resolution=16, **how)
    assert isinstance(run.recipe, Growing)
    assert (run.recipe.level, run.recipe.stage_images) == (2, 0)
    assert level(run.path) == 2
    again = train("flowers:64", run=tmp_path / "again", resolution=16, level=0.0, **how)
    assert (written(again.path)["level"], written(again.path)["stage_images"]) == (0, 1)
    larger = train("flowers:64", run=tmp_path / "larger", resolution=32, **how | {"images": 40})
    assert (written(larger.path)["level"], written(larger.path)["stage_images"]) == (2, 20)
    assert level(larger.path) == 3


@pytest.mark.parametrize(("theirs", "ours"), [(0.0, 0), (2.5, 2), (4.0, 4), (6.0, 4), (-3.0, 0)])
def test_it_begins_at_a_whole_level_of_its_own(theirs: float, ours: int):
    tensors = {"generator.level": torch.tensor(theirs)}
    begun = replace(PROGAN_64, stage_images=500).begun_from(tensors)
    assert begun.level == ours
    assert begun.stage_images == (0 if ours == 4 else 500)
    begun.check()
    assert replace(PROGAN_64, level=1.0).begun_from(tensors, frozenset({"level"})).level == 1


def test_weights_without_a_level_change_nothing():
    for strange in ({}, {"generator.level": torch.tensor(float("nan"))}):
        assert PROGAN_64.begun_from(strange) is PROGAN_64
    assert PROGAN_64.begun_from({"generator.level": torch.zeros(2)}) is PROGAN_64


def test_a_run_like_another_has_a_length_of_its_own():
    (_, recipe), same = plan._like("progan", replace(PROGAN_64, stage_images=70, level=2.0))
    assert (recipe.stage_images, recipe.level, recipe.images) == (0, 0, PROGAN_64.images)  # ty: ignore
    assert not {"stage_images", "level", "images"} & same


# -- one moment -----------------------------------------------------------------------------------


def test_reals_are_of_the_level_that_is_played(tmp_path: Path):
    trainer = trainer_for(replace(PROGAN_64.tiny(), stage_images=32, precision="float32"))
    for _ in range(5):
        trainer.next_batch()
    batch = trainer.next_batch()
    assert trainer.now.level == 0.5  # after 24 images
    whole, _ = trainer.feed.fetch(trainer.feed.rows[trainer.feed.order.indices(20, 4)])
    assert torch.equal(batch.images, seen_at(whole, 0.5))
    assert not torch.equal(batch.images, seen_at(whole, 0.25))
