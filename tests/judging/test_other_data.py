"""Judging a run, or its weights alone, against data that it has not learned from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from figment.actions.judging import evaluate
from figment.data.flowers import draw_flowers
from figment.errors import UserError
from figment.judging import evaluate as judging
from figment.judging.table import score_table
from figment.report.card import write_card
from figment.report.contrast import contenders, rankings

RUN = Path(__file__).parents[1] / "old_runs" / "few-shot-classes"
HOW = {"features": "small", "metrics": ["kid"], "count": 120, "progress": False}


@pytest.fixture(scope="module")
def others(tmp_path_factory) -> dict[tuple[str, str], Path]:
    """120 flowers each, in folders of the run's classes and of others."""
    images, labels = draw_flowers(range(500, 620), 32, 0)
    found = {}
    for names in (("dandelion", "marigold"), ("aster", "dandelion")):
        folder = tmp_path_factory.mktemp("others")
        for number, (pixels, label) in enumerate(zip(images, labels, strict=True)):
            path = folder / names[label] / f"{number}.png"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(pixels.transpose(1, 2, 0)).save(path)
        found[names] = folder
    return found


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return Path(shutil.copytree(RUN, tmp_path / "run"))


def test_their_scores_say_so_and_are_not_the_runs_own(run, others, tmp_path):
    folder = others["dandelion", "marigold"]
    before = write_card(run).read_text()
    found = evaluate(run, against=str(folder), **HOW)
    (kid,) = (score for score in found.scores if not score.group)
    assert kid.protocol.split("; ")[-2].startswith(f"of {folder.name} (")
    assert json.loads((run / "evaluation.json").read_text())["own_data"] is False
    assert f"of {folder.name}" in (run / "report.html").read_text()
    assert write_card(run).read_text() == before
    again = Path(shutil.copytree(run, tmp_path / "again"))
    data = others["aster", "dandelion"]
    evaluate(again, against=str(data), **HOW)
    compared = [one for one in rankings(contenders([run, again])) if "; of " in one.protocol]
    assert compared and all(len(one.entries) == 1 for one in compared)


def test_classes_are_paired_by_name(run, others):
    same = evaluate(run, against=str(others["dandelion", "marigold"]), **HOW)
    assert {score.group for score in same.scores} == {"", "dandelion", "marigold"}
    other = evaluate(run, against=str(others["aster", "dandelion"]), **HOW)
    assert {score.group for score in other.scores} == {""}
    (note,) = (note for note in other.notes if "class" in note)
    assert note.startswith("no score by class: the run draws dandelion, marigold")
    assert note.endswith("are aster, dandelion")
    other.notes.append("\x1b[2J of a stranger's class")
    assert "note: \\x1b[2J of" in score_table(other)


def test_weights_without_their_run(run, others, tmp_path):
    weights = tmp_path / "weights.safetensors"
    shutil.copy(max((run / "snapshots").iterdir()), weights)
    folder = str(others["dandelion", "marigold"])
    alone, whole = (evaluate(path, against=folder, **HOW) for path in (weights, run))
    assert [score.value for score in alone.scores] == [score.value for score in whole.scores]
    assert not list(tmp_path.glob("*.html"))
    with pytest.raises(UserError, match="comes without its data: name some with --against"):
        evaluate(weights, **HOW)


def test_what_there_is_not_is_refused_before_anything_is_drawn(run, others, monkeypatch):
    monkeypatch.setattr(judging, "sample_side", None)
    with pytest.raises(UserError, match="there is no score 'kidd'"):
        evaluate(run, against=str(others["dandelion", "marigold"]), **HOW | {"metrics": ["kidd"]})
