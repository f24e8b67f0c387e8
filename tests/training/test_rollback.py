"""What follows when training collapses: a word, an end, or a way back."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from figment.doctor.finding import Finding
from figment.errors import UserError
from figment.launch import resume, train
from figment.recipes.points import Points
from figment.rounds import Terms
from figment.run import load
from figment.training import fit, rollback
from figment.training.state import HEALTHY, load_state, saved_clock
from figment.training.trainer import Trainer

FIELDS = {"hidden": (16,), "latent": 4, "batch": 16, "tick": 80, "save_every": 160}
FIELDS |= {"metric_every": 160, "metric_count": 64}
ALARM = Finding("mode collapse", "fault", 0.9, "All samples are one.", "Lower the rates.")


@pytest.fixture
def collapse(monkeypatch):
    """Make the doctor see a collapse the first so many times that a run is past 320 images."""

    def plant(times: int) -> None:
        left = [times]

        def collapsed(log, fields):
            if log[-1]["images"] > 320 and left[0]:
                left[0] -= 1
                return ALARM
            return None

        monkeypatch.setattr(rollback, "collapsed", collapsed)
        monkeypatch.setattr(rollback, "healthy", lambda log, fields: True)

    return plant


def test_a_warning_lets_it_go_on(tmp_path: Path, collapse):
    collapse(1)
    run = train("ring", run=tmp_path / "run", images=640, progress=False, **FIELDS)
    assert run.log()[-1]["images"] == 640
    assert not (run.path / "state" / HEALTHY).exists()


def test_stop_ends_it_with_everything_saved(tmp_path: Path, collapse):
    collapse(1)
    path = tmp_path / "run"
    with pytest.raises(
        UserError, match=r"stopped at 480 images: mode collapse: .* `figment doctor"
    ):
        train("ring", run=path, images=640, progress=False, on_collapse="stop", **FIELDS)
    run = load(path)
    assert run.log()[-1]["images"] == 480
    assert (path / "snapshots" / "000000480.safetensors").exists()
    assert resume(path, progress=False).log()[-1]["images"] == 640


def test_rollback_goes_back_and_halves_the_rates(tmp_path: Path, collapse):
    collapse(2)
    path = tmp_path / "run"
    run = train("ring", run=path, images=640, progress=False, on_collapse="rollback", **FIELDS)
    events = [json.loads(line) for line in (path / "events.jsonl").read_text().splitlines()]
    assert [(e["images"], e["to"], e["rate_scale"]) for e in events] == [
        (480, 320, 0.5),
        (480, 320, 0.25),
    ]
    assert events[0]["name"] == "mode collapse"
    assert [line["images"] for line in run.log()] == list(range(80, 641, 80))
    trainer = Trainer(run.recipe, dataset_of(run), torch.device("cpu"))
    load_state(path / "state", trainer)
    assert trainer.rate_scale == 0.25
    trainer.round()
    for optimizer, rate in (("generator", 2e-4), ("discriminator", 1e-3)):
        assert trainer.optimizers[optimizer].param_groups[0]["lr"] == rate / 4


def dataset_of(run):
    from figment.data import open_dataset

    return open_dataset("ring", resolution=64, channels=1, progress=False)


def test_going_back_is_saved_at_once(tmp_path: Path, collapse, monkeypatch):
    """Else a kill before the next save would leave the sick weights beside a log without them."""
    collapse(1)
    states = []
    rewind = fit._rewind

    def watched(session, bar):
        rewind(session, bar)
        states.append((saved_clock(session.run / "state").images, session.trainer.clock.images))

    monkeypatch.setattr(fit, "_rewind", watched)
    train(
        "ring", run=tmp_path / "run", images=640, progress=False, on_collapse="rollback", **FIELDS
    )
    ((saved, now),) = states
    assert saved == now < 480


def test_a_rolled_back_run_resumes_bit_for_bit(tmp_path: Path, collapse):
    ends = []
    for name, first in (("whole", 800), ("half", 400)):
        collapse(1)
        path = tmp_path / name
        how = {**FIELDS, "on_collapse": "rollback"}
        train("ring", run=path, images=max(first, 480), progress=False, **how)
        if first == 400:
            resume(path, images=320, progress=False)
        ends.append((path / "state" / "latest.safetensors").read_bytes())
    assert ends[0] == ends[1]


@dataclass(frozen=True, kw_only=True)
class Bursting(Points):
    """Points whose generator's loss bursts where its learning rate is too high."""

    def generator_terms(self, nets, batch, fakes, clock) -> Terms:
        terms = super().generator_terms(nets, batch, fakes, clock)
        if clock.images < 400 or nets["generator"].training is False:
            return terms
        bursts = torch.tensor(float("nan") if TOO_FAST[0] else 0.0)
        return replace_terms(terms, bursts)


def replace_terms(terms: Terms, added: torch.Tensor) -> Terms:
    return terms._replace(losses={name: value + added for name, value in terms.losses.items()})


TOO_FAST = [True]
BURSTING = Bursting(**{**FIELDS, "images": 640})


def test_a_loss_that_is_not_finite_is_rolled_back_too(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(rollback, "healthy", lambda log, fields: True)
    TOO_FAST[0] = True
    said = rollback._say

    def say(text: str) -> None:
        TOO_FAST[0] = False  # the lower rates help
        said(text)

    monkeypatch.setattr(rollback, "_say", say)
    recipe = replace(BURSTING, on_collapse="rollback")
    run = train(
        "ring", f"{__name__}:BURSTING", run=tmp_path / "run", progress=False, on_collapse="rollback"
    )
    assert run.recipe == replace(recipe, precision="float32", metrics=run.recipe.metrics)
    event = json.loads((run.path / "events.jsonl").read_text())
    assert event["name"] == "divergence" and event["to"] == 320
    assert run.log()[-1]["images"] == 640


def test_a_loss_that_is_not_finite_names_the_learning_rates_there_are(tmp_path: Path):
    TOO_FAST[0] = True
    cure = r"lower learning rates \(--generator-lr, --discriminator-lr\)"
    with pytest.raises(UserError, match=rf"stopped at 4\d\d images: .*{cure}"):
        train("ring", f"{__name__}:BURSTING", run=tmp_path / "run", progress=False)
