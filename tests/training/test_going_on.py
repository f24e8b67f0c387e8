"""What a resume, and a training under way, say of their end: finished runs, budgets spent in part."""

from __future__ import annotations

import json
import shutil
import signal
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from figment.data import open_dataset
from figment.errors import UserError
from figment.launch import resume, train
from figment.plan import Plan
from figment.recipes.points import Points
from figment.rounds import Clock
from figment.run import Run
from figment.training import cost, fit, length

FIELDS: dict[str, Any] = {"hidden": (8,), "latent": 4, "batch": 16, "tick": 16, "metrics": ()}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose last batch went over its 60 images."""
    path = tmp_path_factory.mktemp("finished") / "run"
    return train("ring", run=path, images=60, progress=False, **FIELDS).path


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of it, which a test may change."""
    return shutil.copytree(trained, tmp_path / "run")


def contents(run: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in run.rglob("*") if path.is_file()}


def test_a_finished_run_is_left_as_it_is(run: Path, capsys):
    before = contents(run)
    done = resume(run)
    assert contents(run) == before
    assert (done.path, done.stopped_by, done.log()[-1]["images"]) == (run, 0, 64)
    said = capsys.readouterr().err
    assert said == (
        f"{run} is finished, at 64 images: `figment resume {run} --minutes 5` (or --images N) adds to "
        "it\n"
    )


def test_of_a_finished_run_what_is_lost_is_written_again(run: Path):
    state = (run / "state" / "seconds.json").read_bytes()
    (run / "report.html").unlink()
    resume(run, progress=False)
    assert (run / "report.html").exists()
    assert (run / "state" / "seconds.json").read_bytes() == state
    for snapshot in (run / "snapshots").iterdir():
        snapshot.unlink()
    resume(run, progress=False)
    assert (run / "snapshots" / "000000064.safetensors").exists()


def test_a_finished_run_that_is_to_go_on_and_is_killed_is_not_finished(run: Path, monkeypatch):
    def killed(*args: Any) -> None:
        raise SystemExit(137)

    with monkeypatch.context() as patch:
        patch.setattr(fit, "_agree", killed)
        with pytest.raises(SystemExit):
            resume(run, images=32, progress=False)
    assert resume(run, progress=False).log()[-1]["images"] == 96


def test_a_resume_says_where_its_end_is(run: Path, capsys):
    resume(run, images=32)
    assert f"{run} goes on from 64 images to 96, about 0 s\n" in capsys.readouterr().err
    resume(run, minutes=0.03)
    said = capsys.readouterr().err
    assert f"{run} goes on from 96 images for 2 s, to about " in said and " in all\n" in said


def test_getting_ready_again_takes_nothing_of_a_time_budget(tmp_path: Path, monkeypatch, capsys):
    with monkeypatch.context() as patch:
        patch.setattr(fit, "_agree", lambda *args: ({}, int(signal.SIGTERM)))
        run = train("ring", run=tmp_path / "run", minutes=1, progress=False, **FIELDS).path
    (run / "state" / "seconds.json").write_text("56.5")
    done = resume(run, started=time.perf_counter() - 1_000)  # it took 1,000 s to get ready
    assert f"{run} goes on from 0 images for the 4 s that are left, to " in capsys.readouterr().err
    assert done.log()[-1]["images"] > 0
    assert 56 < json.loads((run / "state" / "seconds.json").read_text()) < 62


def test_a_length_is_compared_with_the_one_that_was_told(monkeypatch):
    monkeypatch.setattr(length.folder, "write_recipe", lambda run, name, recipe: None)
    monkeypatch.setattr(length.folder, "read", lambda run: ("points", {}, {}))
    trainer = SimpleNamespace(recipe=Points(images=1_000, batch=10), clock=Clock(100, 10))
    session: Any = SimpleNamespace(run=Path(), trainer=trainer, deadline=1e9, told=0)
    session.playing, session.finishing = (0.0, 0), lambda: 0.0
    assert length.correct(session, 1_200) == ""
    assert length.correct(session, 1_400) == "now about 1,400 images in all; 1,000 were planned"
    assert length.correct(session, 1_300) == ""
    assert length.correct(session, 900) == "now about 900 images in all; 1,400 were planned"
    session.told = 10  # the plan had no time for a round
    assert length.correct(session, 1_600) == "now about 1,600 images in all"


def test_a_plan_without_a_round_says_so():
    data = open_dataset("ring", resolution=64, channels=1, progress=False)
    found = cost.Cost(Points(images=32, batch=32), 22.0, 0.5, 32.0)
    said = cost.sentence("points", found, data, end=None, seconds=-3.0)
    assert (
        "; getting ready has taken the time, and none is left for a round at 22 images/s;" in said
    )
    assert "0 images" not in said and "0 rounds" not in said


def test_a_length_that_is_given_is_told_before_the_first_scores(
    tmp_path: Path, monkeypatch, capsys
):
    settle, told = Plan.settle, []

    def late(plan: Plan, *args: Any, **how: Any) -> Plan:
        told.append(capsys.readouterr().err)
        return settle(plan, *args, **how)

    monkeypatch.setattr(Plan, "settle", late)
    train("ring", run=tmp_path / "run", images=64, **FIELDS)
    assert "; 64 images (" in told[0]
    assert "points on ring" not in capsys.readouterr().err


def test_a_time_that_is_over_at_once_keeps_the_plan(tmp_path: Path, monkeypatch, capsys):
    measure = Plan.measure

    def late(plan: Plan, dataset: Any, device: Any, deadline: float | None) -> Plan:
        assert deadline is not None
        time.sleep(max(0.0, deadline - time.perf_counter()))
        return measure(plan, dataset, device, deadline)

    monkeypatch.setattr(Plan, "measure", late)
    run = train("ring", run=tmp_path / "run", minutes=0.005, **FIELDS)
    said = capsys.readouterr().err
    assert "none is left for a round" in said and "before the first round: `figment resume" in said
    assert (run.recipe.images, run.machine["budget"]) == (16, {"minutes": 0.005})


def test_where_a_recipe_is_named_that_of_the_other_run_is_not_asked_for(tmp_path: Path, run: Path):
    written = json.loads((run / "recipe.json").read_text())
    (run / "recipe.json").write_text(json.dumps(written | {"recipe": "evil_2:X"}))
    how: dict[str, Any] = {"images": 16, "progress": False, "from_": run}
    begun = train("ring", "points", run=tmp_path / "new", **how, **FIELDS)
    assert begun.machine["from"]["images"] == 64
    with pytest.raises(UserError, match="trust=True"):
        train("ring", run=tmp_path / "more", **how)


def test_a_resume_that_fails_before_its_first_line_leaves_the_log_as_it_was(
    tmp_path: Path, monkeypatch
):
    fields = FIELDS | {"tick": 24}
    run = train("ring", run=tmp_path / "run", images=60, progress=False, **fields).path
    before = (run / "log.jsonl").read_text()
    assert '"open": true' in before.splitlines()[-1]  # the last tick was cut short

    def full(*_: Any) -> None:
        raise UserError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(fit, "_play_round", full)
        with pytest.raises(UserError, match="full"):
            resume(run, images=32, progress=False)
    assert (run / "log.jsonl").read_text() == before
    resume(run, images=32, progress=False)
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [line["images"] for line in lines if "open" not in line] == [32, 48, 80, 96]
    assert 64 not in [line["images"] for line in lines]  # its tick went on


def test_a_recipe_that_the_state_does_not_fit_is_refused_and_nothing_else_said(run: Path, capsys):
    written = json.loads((run / "recipe.json").read_text())
    written["fields"]["hidden"] = [4]
    (run / "recipe.json").write_text(json.dumps(written))
    with pytest.raises(UserError):
        resume(run, images=16)
    assert "goes on" not in capsys.readouterr().err


@pytest.mark.parametrize("recorded", [[10**6, "x"], "abc", "all", [10**6], [-1]])
def test_a_division_that_is_none_is_the_damage_of_one_file(run: Path, recorded: Any):
    machine = json.loads((run / "machine.json").read_text())
    machine["data"]["held_out"] = (
        list(range(machine["data"]["count"])) if recorded == "all" else recorded
    )
    (run / "machine.json").write_text(json.dumps(machine))
    with pytest.raises(UserError, match=r"machine.json cannot be used \(what it says was held out"):
        resume(run, images=16, progress=False)
    assert (run / "snapshots").is_dir()


def test_what_else_lies_among_the_snapshots_is_passed_over(run: Path):
    (run / "snapshots" / "mine.safetensors").write_bytes(b"nothing")
    resume(run, images=16, progress=False)
    assert Run(run).generator.sample(4, seed=0)
