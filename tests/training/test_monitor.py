"""Measuring during a training: scores, the best weights, patience, and what health is told by."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from figment.data import open_dataset
from figment.errors import UserError
from figment.launch import resume, train
from figment.recipes.points import Points
from figment.run import load
from figment.training.folder import read_best, undo_best, write_best
from figment.training.log import MEASURED
from figment.training.monitor import (
    SHARE,
    Monitor,
    measure_untrained,
    pause_for,
    read_measurements,
)
from figment.training.trainer import Trainer

CPU = torch.device("cpu")
FIELDS = {"hidden": (16,), "latent": 4, "batch": 16, "tick": 80, "save_every": 160}
UNSCORED = {**FIELDS, "metrics": ()}
FIELDS |= {"metric_every": 160, "metric_count": 64, "metrics": ("kid",)}


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    return train(
        "ring", run=tmp_path_factory.mktemp("monitor") / "run", images=640, progress=False, **FIELDS
    ).path


def test_scores_are_measured_as_often_as_asked(run: Path):
    lines = read_measurements(run)
    assert [line["images"] for line in lines] == [0, 160, 320, 480, 640]
    assert lines[0]["features"] == "coordinates"
    assert lines[0]["protocol"] == "coordinates; 64 samples against 2,000 reals"
    kid = lines[-1]["scores"]["kid"]
    assert kid["low"] < kid["value"] < kid["high"]
    assert abs(kid["floor"]) < kid["value"]  # real points are nearer to real points


def test_the_log_holds_scores_and_signs_where_they_were_measured(run: Path):
    lines = load(run).log()
    measured = [line["images"] for line in lines if "metric/kid" in line]
    assert measured == [160, 320, 480, 640]
    for line in lines:
        assert ("watch/diversity" in line) == (line["images"] in measured)
        assert 0 <= line["score/held_out"] <= 1 and -1 <= line["score/held_out_sign"] <= 1
        assert -1 <= line["score/sign"] <= 1


def test_the_best_weights_are_those_of_the_best_score(run: Path):
    values = {line["images"]: line["scores"]["kid"]["value"] for line in read_measurements(run)}
    del values[0]  # untrained weights are no result
    best = read_best(run)
    assert best is not None
    assert best["images"] == min(values, key=values.__getitem__)
    assert best["value"] == min(values.values())
    assert load(run).weights() == run / "best.safetensors"


def test_of_equal_scores_the_later_weights_are_best(tmp_path: Path):
    """No point is near a mode so soon, which is a total variation of 0.98889 each time."""
    fields = {name: value for name, value in FIELDS.items() if name != "metrics"}
    where = train("ring", run=tmp_path / "run", images=320, progress=False, **fields).path
    scores = [line["scores"] for line in read_measurements(where)]
    assert {next(iter(each)) for each in scores} == {"total_variation"}
    assert {round(each["total_variation"]["value"], 3) for each in scores[1:]} == {0.989}
    best = read_best(where)
    assert best is not None and best["images"] == 320


def test_measuring_changes_nothing_that_is_learned(tmp_path: Path):
    ends = []
    for name, fields in {"often": {**FIELDS, "metric_every": 80}, "never": UNSCORED}.items():
        where = tmp_path / name
        done = train("ring", run=where, images=320, progress=False, **fields)
        assert done.path == where
        ends.append(max((where / "snapshots").iterdir()))
    assert ends[0].name == ends[1].name
    weights = [load_tensors(path) for path in ends]
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])
    assert not (tmp_path / "never" / "metrics.jsonl").exists()
    assert not (tmp_path / "never" / "best.safetensors").exists()


def load_tensors(path: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(path)


def test_the_end_is_measured_out_of_turn_and_forgotten_by_a_resume(run: Path, tmp_path: Path):
    path = train("ring", run=tmp_path / "run", images=400, progress=False, **FIELDS).path
    assert [line["images"] for line in read_measurements(path)] == [0, 160, 320, 400]
    assert "metric/kid" in load(path).log()[-1]
    resume(path, images=240, progress=False)
    assert [line["images"] for line in read_measurements(path)] == [0, 160, 320, 480, 640]
    state = "state/latest.safetensors"
    assert (path / state).read_bytes() == (run / state).read_bytes()
    assert columns(path) == columns(run)


def columns(run: Path) -> list[dict]:
    return [{k: v for k, v in line.items() if k not in MEASURED} for line in load(run).log()]


def test_an_end_that_has_just_been_measured_is_not_measured_again(tmp_path: Path):
    """Without scores too: the same weights twice would look like a generator that has come to a stop."""
    train("ring", run=tmp_path, images=640, progress=False, metric_every=160, **UNSCORED)
    measured = [line["images"] for line in load(tmp_path).log() if "watch/diversity" in line]
    assert measured == sorted(set(measured)) and measured[-1] == 640


def test_patience_ends_a_training_that_no_longer_gets_better(tmp_path: Path):
    fields = {**FIELDS, "generator_lr": 1e-30, "discriminator_lr": 1e-30, "patience": 2}
    done = train("ring", run=tmp_path / "run", images=16_000, progress=False, **fields)
    best = read_best(done.path)
    assert best is not None
    assert done.log()[-1]["images"] == best["images"] == 3 * 160  # equal scores: the later is best
    with pytest.raises(UserError, match="--patience has no effect without a score"):
        train("ring", run=tmp_path / "other", images=160, **UNSCORED, patience=2)


def test_a_resumed_run_forgets_measurements_of_a_future_it_lost(run: Path, tmp_path: Path):
    lines = read_measurements(run)
    half = train("ring", run=tmp_path / "half", images=320, progress=False, **FIELDS).path
    with open(half / "metrics.jsonl", "a") as file:  # as a kill after the last save leaves it
        file.write(json.dumps({**lines[-1], "images": 400}) + "\n")
    resume(half, images=320, progress=False)
    timeless = [
        [{k: v for k, v in line.items() if k not in ("seconds", "cost")} for line in some]
        for some in (lines, read_measurements(half))
    ]
    assert timeless[0] == timeless[1]
    assert read_best(half) == read_best(run)


def test_the_end_may_be_best_and_a_resume_takes_that_back(run: Path, tmp_path: Path):
    half = Path(shutil.copytree(run, tmp_path / "half"))
    in_turn, note = (half / "best.safetensors").read_bytes(), read_best(half)
    assert note is not None
    generator = load(half).generator
    for value in (0.2, 0.1):  # the second time, as a resume that ended at once would
        end = note | {"images": 320, "value": value, "badness": value, "end": True}
        write_best(half, generator.recipe, generator.net, end)
        assert read_best(half) == end and load(half).weights() == half / "best.safetensors"
    undo_best(half)
    assert (half / "best.safetensors").read_bytes() == in_turn
    assert not list(half.glob("best-*"))
    write_best(half, generator.recipe, generator.net, end)
    write_best(half, generator.recipe, generator.net, note)
    assert read_best(half) == note and not list(half.glob("best-*"))


def test_what_was_held_out_is_never_dealt():
    dataset = open_dataset("ring:400", resolution=64, channels=1, progress=False)
    trainer = Trainer(Points(batch=16, hidden=(8,), latent=2), dataset, CPU)
    assert len(trainer.feed.held_out) == 20
    apart = {tuple(row) for row in dataset.rows[trainer.feed.held_out].tolist()}
    for _ in range(50):
        assert not apart & {tuple(row) for row in trainer.next_batch().images.tolist()}


def test_judging_held_out_pictures_changes_nothing():
    dataset = open_dataset("flowers:240", resolution=32, channels=3, progress=False)
    from figment.recipes import find

    trainer = Trainer(replace(find("dcgan")[1].tiny(), resolution=32), dataset, CPU)
    trainer.round()
    before = {key: value.clone() for key, value in trainer.nets.state_dict().items()}
    found = trainer.validate()
    assert set(found) == {"score/held_out", "score/held_out_sign"}
    for key, value in trainer.nets.state_dict().items():
        assert torch.equal(value, before[key]), key


def test_how_often_is_settled_by_what_it_takes():
    dataset = open_dataset("ring", resolution=64, channels=1, progress=False)
    recipe = Points(batch=16, hidden=(8,), latent=2, metric_count=64, tick=100)
    first = measure_untrained(recipe, dataset, CPU)
    assert 0.001 < first.seconds < 10
    assert pause_for(recipe, 0.25, images_per_second=1e6) == 0.25 / SHARE * 1e6
    assert pause_for(recipe, 1e-9, images_per_second=1e6) == 100
    assert pause_for(replace(recipe, metric_every=7), 0.25, 1e6) == 7


def test_random_features_choose_no_weights(tmp_path: Path):
    fields = {"resolution": 32, "width": 4, "batch": 4, "tick": 8, "metric_count": 64}
    fields |= {"features": "small", "metric_every": 8}
    done = train("flowers:24", run=tmp_path / "run", images=16, progress=False, **fields)
    assert read_measurements(done.path)[-1]["features"] == "small"
    assert not (done.path / "best.safetensors").exists()
    with pytest.raises(UserError, match="small cannot: pip install"):
        train("flowers:24", run=tmp_path / "other", images=16, patience=2, **fields)


def test_a_score_that_does_not_exist_is_refused_before_training(tmp_path: Path):
    with pytest.raises(UserError, match=r"no score 'kidd'\. Did you mean kid\?"):
        train("ring", run=tmp_path / "run", images=160, **{**FIELDS, "metrics": ("kidd",)})
    assert not (tmp_path / "run").exists()


def monitor(
    values: list[float], spread: float = 0.02, better: str = "lower", trusted: bool = True
) -> Monitor:
    lines = [
        {
            "images": 100 * number,
            "scores": {
                "kid": {"value": v, "low": v - spread, "high": v + spread, "better": better}
            },
        }
        for number, v in enumerate([9.0, *values])
    ]
    scorer = SimpleNamespace(trusted=trusted)
    return Monitor(Path(), scorer, None, lines, None)


def test_a_relapse_is_three_measurements_far_above_the_best():
    assert "1.30 times its best in 3" in monitor([2, 1, 1.3, 1.4, 1.5]).relapse()
    assert monitor([2, 1, 1.3, 1.4]).relapse() == ""  # two are chance
    assert monitor([2, 1, 1.3, 1.1, 1.5]).relapse() == ""  # one has recovered
    assert monitor([2, 1, 1.3, 1.4, 1.5], spread=0.5).relapse() == ""  # within the intervals
    assert monitor([2, 1, 1.3, 1.4, 1.5], better="higher").relapse() == ""
    assert monitor([2, -0.05, 0.3, 0.4, 0.5]).relapse() == ""  # nothing is a multiple of that
    assert "times its best in 3" in monitor([2, -0.001, 0.3, 0.4, 0.5]).relapse()
    assert monitor([2, -0.001, 0.3, 0.03, 0.5]).relapse() == ""  # touches what the best may be
    assert monitor([]).relapse() == ""
    assert monitor([2, 1, 1.3, 1.4, 1.5], trusted=False).relapse() == ""


def test_only_a_moment_near_the_best_is_worth_going_back_to():
    assert monitor([2, 1, 1.04]).at_its_best()
    assert not monitor([2, 1, 1.1]).at_its_best()
    assert monitor(
        [0.5, 0.1, -0.001, 0.002], spread=0.003
    ).at_its_best()  # no multiple of a best below 0
    assert not monitor([0.5, 0.1, -0.001, 0.004], spread=0.003).at_its_best()
    assert monitor([]).at_its_best()
