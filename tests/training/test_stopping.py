"""Budgets, signals, kills, full disks and damaged states, as a user meets them."""

from __future__ import annotations

import filecmp
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from figment import plan
from figment.cli import main
from figment.errors import UserError
from figment.launch import resume, train
from figment.recipes.points import Points
from figment.report.record import read_run
from figment.run import load
from figment.training.log import MEASURED
from figment.training.monitor import Monitor
from figment.training.trainer import Trainer
from two_processes import as_two, command

RING = ["ring", "--hidden", "16", "--latent", "4", "--batch", "16", "--tick", "160"]
RING += ["--metric-every", "4000", "--metric-count", "64"]
RING += ["--save-every", "160"]
FIELDS = {"hidden": (16,), "latent": 4, "batch": 16, "tick": 160, "save_every": 160}
FIELDS |= {"metric_every": 4000, "metric_count": 64}


def figment(*words: str, processes: int = 1) -> subprocess.Popen:
    """Start the command line in a process group of its own.

    The bare ``--`` keeps torchrun from taking figment's ``--run`` for an abbreviation of its own flags.
    """
    start = [sys.executable, "-m"]
    if processes > 1:
        start += [
            "torch.distributed.run",
            "--standalone",
            f"--nproc-per-node={processes}",
            "-m",
            "--",
        ]
    return subprocess.Popen(
        [*start, "figment", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def wait_for(path: Path, process: subprocess.Popen, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path} did not appear"
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)


def same_end(one: Path, other: Path) -> None:
    last = sorted((one / "snapshots").iterdir())[-1].name
    for part in ("state/latest.safetensors", f"snapshots/{last}"):
        assert filecmp.cmp(one / part, other / part, shallow=False), part
    logs = [
        [{k: v for k, v in line.items() if k not in MEASURED} for line in load(run).log()]
        for run in (one, other)
    ]
    assert logs[0] == logs[1]


def test_killed_runs_end_like_an_undisturbed_one(tmp_path: Path):
    whole = train("ring", run=tmp_path / "whole", images=8_000, progress=False, **FIELDS)
    run = tmp_path / "killed"
    process = figment("train", *RING, "--images", "8000", "--run", str(run))
    rng = random.Random(0)
    for _ in range(2):
        wait_for(run / "state" / "latest.safetensors", process)
        time.sleep(rng.uniform(0, 0.5))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        process = figment("resume", str(run))
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0, out
    same_end(whole.path, run)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_save_and_say_how_to_go_on(tmp_path: Path, number: int, code: int):
    run = tmp_path / "run"
    process = figment("train", *RING, "--images", "100000000", "--run", str(run))
    wait_for(run / "log.jsonl", process)
    wait_for(run / "state" / "latest.safetensors", process)
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == code, out
    assert f"`figment resume {run}` goes on" in out
    stopped = load(run)
    state = json.loads(read_note(run))
    assert state["clock"]["images"] == stopped.log()[-1]["images"] > 0
    assert (run / "report.html").exists()


def test_two_processes_agree_with_one(tmp_path: Path):
    """Two processes of half the batch each equal one of the whole (no batch norm), dropout included."""
    import numpy as np
    from safetensors.numpy import load_file

    words = ["flowers:64", "--recipe", "cats-mlp", "--resolution", "16", "--hidden", "16", "32"]
    words += ["--batch", "8", "--images", "160", "--tick", "80", "--precision", "float32"]
    words += ["--metric-every", "80", "--features", "small", "--metric-count", "64"]
    runs = [tmp_path / "one", tmp_path / "two"]
    assert main(["train", *words, "--run", str(runs[0])]) == 0
    process = figment("train", *words, "--run", str(runs[1]), processes=2)
    out, _ = process.communicate(timeout=240)
    assert process.returncode == 0, out
    one, two = (load_file(run / "state" / "latest.safetensors") for run in runs)
    assert one.keys() == two.keys()
    for name in one:
        near = 1 if one[name].dtype == np.uint8 else 1e-5  # pictures are rounded to whole levels
        assert np.allclose(one[name].astype(float), two[name].astype(float), atol=near), name
    logs = [[line["loss/generator"] for line in load(run).log()] for run in runs]
    assert logs[0] == pytest.approx(logs[1], abs=1e-5)


def trained_by_two(folder: Path, images: int) -> None:
    """Train a network with batch norm to its end, or to the middle of a tick."""
    how: dict[str, Any] = {"resolution": 32, "width": 4, "batch": 8, "tick": 40}
    how |= {"features": "small", "metric_every": 40, "metric_count": 64}
    how |= {"precision": "float32"}  # what is faster is measured, and a busy machine may waver
    train("flowers:64", "dcgan", run=folder, images=images, progress=False, **how)


def test_two_processes_resume_bit_for_bit(tmp_path: Path):
    """Also with batch norm, whose statistics are kept equal in all processes."""
    for images, run in ((160, "whole"), (72, "half")):
        as_two(partial(trained_by_two, tmp_path / run, images), tmp_path)
    words = ["resume", str(tmp_path / "half"), "--images", "88"]
    again = as_two(partial(command, words), tmp_path)  # in two others
    assert [code for code, _ in again] == [0, 0]
    same_end(tmp_path / "whole", tmp_path / "half")


def test_batch_that_processes_cannot_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WORLD_SIZE", "3")
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(UserError, match="cannot be shared by 3 processes: try --batch 15"):
        train("ring", run=tmp_path / "run", batch=16, images=16, progress=False)


@pytest.fixture
def slow_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a round take a tenth of a second more by the clock, for which nobody waits."""
    clock, play, passed = time.perf_counter, Trainer.round, [0.0]

    def round_(trainer: Trainer):
        passed[0] += 0.1
        return play(trainer)

    monkeypatch.setattr(time, "perf_counter", lambda: clock() + passed[0])
    monkeypatch.setattr(Trainer, "round", round_)


@pytest.mark.usefixtures("slow_rounds")
def test_minutes_end_a_run(tmp_path: Path):
    run = train("ring", run=tmp_path / "run", minutes=0.2, progress=False, **FIELDS)
    assert run.stopped_by == 0
    assert run.recipe.images == run.log()[-1]["images"] > 0
    assert run.machine["budget"] == {"minutes": 0.2}


def test_a_time_budget_tells_the_recipe_how_long_it_will_be(tmp_path: Path, monkeypatch):
    """What follows the training's course, such as falling rates, has its end where the time ends."""
    from figment.training import fit

    def planned() -> tuple[int, float]:
        recipe = json.loads((tmp_path / "run" / "recipe.json").read_text())["fields"]
        machine = json.loads((tmp_path / "run" / "machine.json").read_text())
        return recipe["images"], machine["estimate"]["images_per_second"]

    with monkeypatch.context() as patch:
        patch.setattr(fit, "_agree", lambda *args: ({}, int(signal.SIGTERM)))
        train("ring", run=tmp_path / "run", minutes=10, progress=False, **FIELDS)
        images, speed = planned()
        assert 500 * speed < images <= 600 * speed
        resume(tmp_path / "run", progress=False)
        assert planned()[0] == images
        resume(tmp_path / "run", minutes=20, progress=False)
    assert planned()[0] == pytest.approx(1_200 * speed, rel=0.01)
    later = plan.lasting(Points(), 10, 500.0, before=1_000)
    assert later.images == 1_000 + 10 * 500


def test_epochs_count_passes(tmp_path: Path):
    fields = {**FIELDS, "tick": 8, "resolution": 16, "hidden": (8,)}
    run = train("flowers:24", "cats-mlp", run=tmp_path / "run", epochs=2, progress=False, **fields)
    assert run.recipe.images == 48


def test_budgets_are_given_once(tmp_path: Path):
    with pytest.raises(UserError, match="Give only one of --images, --minutes, --epochs"):
        train("ring", run=tmp_path / "run", images=10, minutes=1)
    with pytest.raises(UserError, match="minutes must be above 0"):
        train("ring", run=tmp_path / "run", minutes=-1)


def test_a_stop_before_the_first_round_can_be_resumed(tmp_path: Path, monkeypatch):
    """A state without moments is no state: the run starts from its seed again."""
    from figment.training import fit

    with monkeypatch.context() as patch:
        patch.setattr(fit, "_agree", lambda *args: ({}, int(signal.SIGTERM)))
        stopped = train("ring", run=tmp_path / "run", images=640, progress=False, **FIELDS)
    assert stopped.stopped_by == signal.SIGTERM
    assert resume(stopped.path, progress=False).log()[-1]["images"] == 640


def test_only_one_process_trains_a_run(small_run: Path):
    from figment.training import folder

    with folder.lock(small_run), pytest.raises(UserError, match="another process is training"):
        resume(small_run, images=16, progress=False)


@pytest.mark.usefixtures("slow_rounds")
def test_more_minutes_come_on_top_of_those_used(small_run: Path):
    used = json.loads((small_run / "state" / "seconds.json").read_text())
    again = resume(small_run, minutes=0.1, progress=False)
    assert again.machine["budget"]["minutes"] == pytest.approx(used / 60 + 0.1)
    assert again.log()[-1]["images"] > 640


def test_a_full_disk_at_the_log_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    real = os.open

    def full(path, *args, **kwargs):
        if str(path).endswith("log.jsonl"):
            raise OSError(28, "No space left on device")
        return real(path, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", full)
        with pytest.raises(UserError, match=r"the disk is full: .*log\.jsonl"):
            train("ring", run=tmp_path / "run", images=640, progress=False, **FIELDS)
    assert resume(tmp_path / "run", progress=False).log()[-1]["images"] == 640


def test_a_full_disk_at_tensorboards_file_stops_nothing(tmp_path: Path, monkeypatch, capfd):
    pytest.importorskip("tensorboard")
    from figment.training.board import Board

    def full(self, *args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Board, "_write", full)
    run = train("ring", run=tmp_path / "run", images=640, progress=False, **FIELDS)
    assert run.log()[-1]["images"] == 640
    assert "Traceback" not in capfd.readouterr().err


def test_tensorboard_reads_what_the_board_wrote(tmp_path: Path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    from figment.training.board import board

    for start in (0, 20):  # the second begins where the first is no longer true
        file = board(tmp_path, start)
        for images in range(start + 10, start + 40, 10):
            file.scalars({"loss/generator": images / 100}, images)
        file.close()
    assert len(list(tmp_path.iterdir())) == 2
    found = EventAccumulator(str(tmp_path))
    found.Reload()
    seen = {event.step: event.value for event in found.Scalars("loss/generator")}
    assert seen == pytest.approx({10: 0.1, 20: 0.2, 30: 0.3, 40: 0.4, 50: 0.5})


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("small") / "run"
    return train("ring", run=path, images=640, progress=False, **FIELDS).path


@pytest.fixture
def small_run(trained: Path, tmp_path: Path) -> Path:
    """A copy of a run, which a test may change."""
    return shutil.copytree(trained, tmp_path / "run")


def test_a_folder_that_holds_a_run_is_refused(small_run: Path):
    with pytest.raises(UserError, match=f"holds a run already: `figment resume {small_run}`"):
        train("ring", run=small_run, images=640, progress=False)


def test_a_folder_with_other_files_is_refused(tmp_path: Path):
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(UserError, match="is not an empty folder"):
        train("ring", run=tmp_path, images=640, progress=False)


def test_resume_without_a_budget_goes_to_the_planned_end(small_run: Path):
    (small_run / "state" / "previous.safetensors").replace(
        small_run / "state" / "latest.safetensors"
    )
    before = json.loads(read_note(small_run))["clock"]["images"]
    assert before < 640
    assert resume(small_run, progress=False).log()[-1]["images"] == 640


def test_changed_data_are_refused(tmp_path: Path, photos: Path):
    fields = {"resolution": 16, "hidden": (8,), "batch": 8, "tick": 16, "metrics": ()}
    run = train(photos, "cats-mlp", run=tmp_path / "run", images=16, progress=False, **fields).path
    (photos / "0.png").unlink()
    with pytest.raises(UserError, match="has changed since"):
        resume(run, images=16, progress=False)


def test_moved_data_are_found(tmp_path: Path, photos: Path):
    fields = {"resolution": 16, "hidden": (8,), "batch": 8, "tick": 16, "metrics": ()}
    run = train(photos, "cats-mlp", run=tmp_path / "run", images=16, progress=False, **fields).path
    photos.rename(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="photos"):
        resume(run, images=16, progress=False)
    resume(run, images=16, data=str(tmp_path / "elsewhere"), progress=False)


def test_a_full_disk_stops_and_keeps_the_last_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    import errno

    import safetensors.torch

    run, real, saves = tmp_path / "run", safetensors.torch.save_file, []

    def save_file(tensors, path, metadata):
        saves.append(path)
        if len(saves) > 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(tensors, path, metadata)

    monkeypatch.setattr(safetensors.torch, "save_file", save_file)
    with pytest.raises(UserError, match="the disk is full"):
        train("ring", run=run, images=1600, progress=False, **FIELDS)
    monkeypatch.undo()
    assert not list(run.rglob("*.tmp"))
    assert resume(run, progress=False).log()[-1]["images"] == 1600


def read_note(run: Path) -> str:
    from safetensors import safe_open

    with safe_open(run / "state" / "latest.safetensors", framework="np") as file:
        return file.metadata()["figment"]


def test_bfloat16_is_timed_only_where_the_processor_has_it(monkeypatch, tmp_path):
    from figment.training import devices

    def has(flags: str) -> bool:
        (tmp_path / "cpuinfo").write_text(f"processor : 0\nflags\t\t: fpu {flags}\n")
        return devices.multiplies_bfloat16()

    real = open
    monkeypatch.setattr(
        "builtins.open",
        lambda path, *a, **k: real(
            tmp_path / "cpuinfo" if path == "/proc/cpuinfo" else path, *a, **k
        ),
    )
    assert has("avx2 avx512_bf16") and has("amx_bf16") and not has("avx2 fma avx512f")
    monkeypatch.setattr(devices, "matrix_rate", lambda *args: pytest.fail("timed"))
    assert devices.faster_precision.__wrapped__(torch.device("cpu")) == "float32"


def test_the_speed_in_the_log_is_that_of_rounds(tmp_path: Path, monkeypatch):
    """Neither measuring nor the line that ends a run, for which nothing is played, counts."""
    measure = Monitor.measure

    def slow(self: Monitor, *given: Any, **how: Any) -> Any:
        time.sleep(0.5)
        return measure(self, *given, **how)

    monkeypatch.setattr(Monitor, "measure", slow)
    fields: dict[str, Any] = {"hidden": (16,), "latent": 4, "batch": 16, "tick": 32}
    more: dict[str, Any] = {"metrics": (), "metric_every": 32, "progress": False}
    run = train("ring", "points", run=tmp_path / "run", images=112, **fields, **more)
    *whole, last = (line["speed/images_per_second"] for line in run.log())
    assert len(whole) == 3 and min(*whole, last) > 128  # 32 in half a second: 64
    record = read_run(run.path)
    assert record.speed is not None and record.speed > 128 > 112 / run.log()[-1]["seconds"]
    assert all("speed/images_per_second" in line for line in run.log())
