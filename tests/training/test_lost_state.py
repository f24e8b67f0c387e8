"""A state that is gone or damaged: what is told, and that nothing else is lost by it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from test_stopping import FIELDS, same_end

from figment.errors import UserError
from figment.launch import resume, train


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("states") / "trained"
    return train("ring", run=path, images=640, progress=False, **FIELDS).path


@pytest.fixture
def small_run(trained: Path, tmp_path: Path) -> Path:
    """A copy of it, which a test may change."""
    return shutil.copytree(trained, tmp_path / "run")


def test_a_run_that_was_stopped_before_its_first_save_starts_again(small_run: Path, tmp_path: Path):
    shutil.copytree(small_run, tmp_path / "whole")
    shutil.rmtree(small_run / "state")
    unfinished(small_run)
    resume(small_run, progress=False)
    same_end(tmp_path / "whole", small_run)


def unfinished(run: Path) -> None:
    """Take the mark of its end from a run."""
    machine = json.loads((run / "machine.json").read_text())
    del machine["ended"]
    (run / "machine.json").write_text(json.dumps(machine))


@pytest.mark.parametrize("lost", ["all", "latest", "both", "long"])
def test_a_run_that_has_lost_its_state_loses_nothing_more(small_run: Path, lost: str):
    state = small_run / "state"
    if lost in ("latest", "both"):
        unfinished(small_run)
        (state / "latest.safetensors").unlink()
        if lost == "both":
            (state / "previous.safetensors").unlink()
    else:
        shutil.rmtree(state)
    if lost == "long":
        unfinished(small_run)
        log = small_run / "log.jsonl"
        log.write_text(re.sub(r'"seconds": [0-9.e-]+', '"seconds": 700', log.read_text()))
    kept = {file: file.read_bytes() for file in small_run.rglob("*") if file.is_file()}
    cure = f"mv {state}/previous" if lost == "latest" else f"DATA --from {small_run}/"
    with pytest.raises(UserError, match=f"is gone, and the run had come to 640 images: .*{cure}"):
        resume(small_run, images=640, progress=False)
    assert {file: file.read_bytes() for file in small_run.rglob("*") if file.is_file()} == kept


@pytest.mark.parametrize("keep", [0, 5, 500])
def test_a_truncated_state_is_named_with_its_cure(small_run: Path, keep: int):
    latest = small_run / "state" / "latest.safetensors"
    latest.write_bytes(latest.read_bytes()[:keep])
    with pytest.raises(UserError, match=r"latest.safetensors is damaged \(.*\): go on from .* mv "):
        resume(small_run, progress=False)
    (small_run / "state" / "previous.safetensors").replace(latest)  # what the message says
    assert resume(small_run, progress=False).log()[-1]["images"] == 640


def test_a_strange_log_is_no_number_of_images(small_run: Path):
    (small_run / "state" / "latest.safetensors").unlink()
    (small_run / "state" / "previous.safetensors").unlink()
    for line in ('{"images": NaN, "seconds": "a"}', '{"loss": 1}', '{"images": 1e400}'):
        (small_run / "log.jsonl").write_text(line + "\n")
        with pytest.raises(UserError, match=r"latest\.safetensors is gone: bring back a copy"):
            resume(small_run, progress=False)
