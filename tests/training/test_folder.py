"""The folder of a run, as it is taken and as it is left alone: older files, links, removed runs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from figment.errors import UserError
from figment.launch import train
from figment.training import fit, folder, guard

FIELDS = {"hidden": (8,), "latent": 4, "batch": 16, "tick": 16, "metrics": (), "save_every": 16}


def trained(run: Path, images: int = 64) -> Path:
    return train("ring", run=run, images=images, progress=False, **FIELDS).path


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another run, which is only read."""
    return trained(tmp_path_factory.mktemp("other") / "other")


@pytest.mark.parametrize("part", ["state", "snapshots", "samples"])
def test_what_another_training_left_is_not_taken_over(tmp_path: Path, other: Path, part: str):
    left = tmp_path / "left"
    shutil.copytree(other / part, left / part)
    before = {path: path.read_bytes() for path in left.rglob("*") if path.is_file()}
    with pytest.raises(UserError, match=f"left/{part} holds files of another training.* --run"):
        trained(left)
    assert {path: path.read_bytes() for path in left.rglob("*") if path.is_file()} == before


def test_a_start_that_was_killed_is_begun_again(tmp_path: Path):
    for part in folder.BEGUN:
        (tmp_path / "run" / part).mkdir(parents=True)
    (tmp_path / "run" / "machine.json").write_text("{}")
    for file in ("machine", "recipe"):  # by a process that is no more
        (tmp_path / "run" / f".{file}.json.4194999.ab12cd34.tmp").write_text('{"im')
    assert folder.holds_run(trained(tmp_path / "run"))
    assert not list((tmp_path / "run").glob(".*.tmp"))


def disturbed(monkeypatch: pytest.MonkeyPatch, run: Path, what: Callable[[], object]) -> str:
    """Return what training says where something is done to its folder after two rounds."""
    agree, rounds = fit._agree, []

    def agreed(*args):
        rounds.append(1)
        if len(rounds) == 3:
            what()
        return agree(*args)

    monkeypatch.setattr(fit, "_agree", agreed)
    with pytest.raises(UserError) as caught:
        trained(run, images=160)
    return str(caught.value)


def test_a_run_that_is_removed_while_it_trains_is_said_and_stays_away(tmp_path: Path, monkeypatch):
    run = tmp_path / "run"
    said = disturbed(monkeypatch, run, lambda: shutil.rmtree(run))
    assert said.startswith(f"{run} was removed or moved while it was in training")
    assert not run.exists()


def test_a_run_that_is_removed_in_the_middle_of_a_writing_is_said(tmp_path: Path, monkeypatch):
    run, real = tmp_path / "run", fit.write_grid

    def removed(path: Path, *args) -> None:
        shutil.rmtree(run)
        real(path, *args)

    def from_now_on() -> None:
        monkeypatch.setattr(fit, "write_grid", removed)

    assert "was removed or moved while it was in" in disturbed(monkeypatch, run, from_now_on)


def test_nothing_is_written_into_a_run_that_began_in_the_place_of_this(
    tmp_path: Path, other: Path, monkeypatch
):
    run = tmp_path / "run"
    before = {path.name: path.read_bytes() for path in other.rglob("*.*") if path.is_file()}

    def replaced() -> None:
        run.rename(tmp_path / "away")
        shutil.copytree(other, run)
        (run / "lock").write_text("")

    assert "was removed or moved" in disturbed(monkeypatch, run, replaced)
    assert {path.name: path.read_bytes() for path in run.rglob("*.*") if path.is_file()} == before
    assert guard.lock_id(run) != guard.lock_id(tmp_path / "away")


@pytest.mark.parametrize("part", ["state", "samples", "snapshots"])
def test_a_folder_that_becomes_a_link_is_not_written_through(
    tmp_path: Path, monkeypatch, part: str
):
    run, out = tmp_path / "run", tmp_path / "out"

    def swapped() -> None:
        (run / part).rename(tmp_path / "away")
        out.mkdir()
        os.symlink(out, run / part)

    said = disturbed(monkeypatch, run, swapped)
    assert f"{run / part} is a link, and figment writes only into" in said
    assert not list(out.iterdir())
