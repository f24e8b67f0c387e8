"""Names of runs: which one a word means, the latest, a fresh name, the list of those here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from figment import mesh
from figment.actions.runs import listing, listing_text
from figment.cli import main
from figment.errors import UserError
from figment.launch import train
from figment.runs import fresh, named, no_run, runs_here
from figment.training import folder
from two_processes import as_two

OLD = Path(__file__).parent / "old_runs"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with runs/photos, trained last, and runs/few."""
    monkeypatch.chdir(tmp_path)
    for number, (name, old) in enumerate((("few", "few-shot-classes"), ("photos", "dcgan"))):
        shutil.copytree(OLD / old, tmp_path / "runs" / name)
        os.utime(tmp_path / "runs" / name / "log.jsonl", (1e9 + number, 1e9 + number))
    return tmp_path


def test_the_latest_run_is_meant_where_none_is_named(here: Path, capsys):
    assert named("") == "runs/photos"
    assert capsys.readouterr().err == "the latest run: runs/photos\n"
    os.utime("runs/few/log.jsonl")
    assert named("") == "runs/few"
    assert named("runs/photos") == "runs/photos"


def test_a_run_of_its_own_folder_and_runs_beside(here: Path, monkeypatch):
    shutil.copytree("runs/few", "mine")
    os.utime("mine/log.jsonl", (2e9, 2e9))
    assert [str(run) for run in runs_here()] == ["runs/few", "runs/photos", "mine"]
    monkeypatch.chdir("mine")
    assert named("") == "."


def test_a_run_that_is_named_is_listed(here: Path):
    assert [entry["run"] for entry in listing("runs/few")] == ["runs/few"]


def test_no_run_at_all(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"there is no run here yet: .* figment train DATA"):
        named("")
    assert listing() == []
    assert "figment train DATA" in listing_text([])


def test_near_misses_are_listed(here: Path, capsys):
    for word in ("runs/photo", "photos", "runs/photos-dcgan"):
        assert str(no_run(Path(word))) == (
            f"there is no run {word}; runs here: runs/photos, runs/few. Did you mean runs/photos?"
        )
    for command in ("sample", "resume", "report", "walk"):
        assert main([command, "runs/photo"]) == 2
        assert "Did you mean runs/photos?" in capsys.readouterr().err


def test_a_fresh_name(here: Path):
    assert fresh(Path("runs/new")) == Path("runs/new")
    assert fresh(Path("runs/photos")) == Path("runs/photos-2")
    Path("runs/photos-2").mkdir()
    assert fresh(Path("runs/photos")) == Path("runs/photos-2")  # empty: nothing is in the way
    Path("runs/photos-2/notes.txt").touch()
    assert fresh(Path("runs/photos")) == Path("runs/photos-3")


def test_runs_are_called_after_the_words(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    fields: dict[str, Any] = {"hidden": (8,), "latent": 2, "batch": 16, "metrics": ()}
    assert train("ring", images=16, progress=False, **fields).path == Path("runs/ring")
    named_run = train("ring", "points", images=16, progress=False, **fields)
    assert named_run.path == Path("runs/ring-points")
    assert train("ring", images=16, **fields).path == Path("runs/ring-2")
    assert "runs/ring is there already, so this run is runs/ring-2" in capsys.readouterr().err


def nameless(folder: Path) -> str:
    """Train without a name, the second process a second late."""
    os.chdir(folder)
    time.sleep(mesh.rank())
    fields: dict[str, Any] = {"hidden": (8,), "latent": 2, "batch": 16, "metrics": ()}
    return str(train("ring", images=16, progress=False, **fields).path)


def test_two_processes_write_one_run(tmp_path: Path):
    assert as_two(partial(nameless, tmp_path), tmp_path) == ("runs/ring", "runs/ring")
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["ring"]


def test_the_list_of_runs(here: Path, capsys):
    (here / "runs" / "broken").mkdir()
    (here / "runs" / "broken" / "recipe.json").write_text("{")
    assert main(["runs", "--json"]) == 0
    found = {entry["run"]: entry for entry in json.loads(capsys.readouterr().out)}
    photos = found["runs/photos"]
    assert (photos["system"], photos["data"], photos["images"]) == ("dcgan", "flowers", 8256)
    score = photos["score"]
    assert (score["name"], score["value"]) == ("kid", pytest.approx(0.04618, abs=1e-5))
    assert score["protocol"].startswith("small ")
    assert photos["state"] == "finished"
    assert found["runs/broken"]["state"].startswith("damaged")
    recipe = json.loads((here / "runs/photos/recipe.json").read_text())
    recipe["fields"]["images"] = 16512
    (here / "runs/photos/recipe.json").write_text(json.dumps(recipe))
    assert main(["runs"]) == 0
    text = capsys.readouterr().out
    assert "8,256" in text and "KID(small) x1000 46.2" in text and "stopped at 50%" in text
    with folder.lock(here / "runs" / "photos"):
        assert {entry["state"] for entry in listing("runs")} >= {"training", "finished"}
    with pytest.raises(UserError, match="there is no folder nowhere"):
        listing("nowhere")


def test_where_there_are_no_runs_a_missing_one_says_how_to_make_one(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"there is no run gone\. `figment train DATA` makes one"):
        named("gone")


def test_the_list_needs_no_torch(here: Path):
    code = "import sys; from figment.cli import main; main(['runs']); print('torch' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.splitlines()[-1] == "False"


@pytest.mark.parametrize(
    "scores", [{}, [], 3, {"kid": {"value": "a"}}, {"kid": {"value": 10**400}}]
)
def test_scores_that_nobody_measured_leave_the_list_whole(here: Path, scores: Any):
    line = {"images": 64, "cost": 0, "scores": scores}
    Path("runs/few/metrics.jsonl").write_text(json.dumps(line) + "\n")
    photos, few = listing()
    assert few["state"] and few["score"] is None and photos["score"]
    assert "runs/few" in listing_text([photos, few])


def test_a_budget_of_nothing_is_that_runs_own_damage(here: Path):
    recipe = json.loads(Path("runs/few/recipe.json").read_text())
    recipe["fields"]["images"] = 1e400  # json.loads reads Infinity
    Path("runs/few/recipe.json").write_text(json.dumps(recipe))
    assert [found["state"] for found in listing()] == ["finished", "damaged (OverflowError)"]


def test_a_run_whose_log_is_lost_has_begun(here: Path):
    def few() -> tuple[int, str]:
        return next((it["images"], it["state"]) for it in listing() if it["run"] == "runs/few")

    before = few()
    Path("runs/few/log.jsonl").unlink()
    assert few() == before == (544, "finished")


def test_a_damaged_run_says_what_is_wrong(here: Path):
    Path("runs/few/machine.json").unlink()
    said = next(found["state"] for found in listing() if found["run"] == "runs/few")
    assert said.startswith("damaged (runs/few/machine.json cannot be used (it is missing)")


def test_a_name_steers_no_terminal(here: Path):
    Path("runs/few").rename("runs/\x1b[2J")
    assert "runs/\\x1b[2J" in listing_text(listing())
