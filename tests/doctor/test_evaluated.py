"""What an evaluation of the run says is found too, where it is sure."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from test_diagnosis import DATA, FIELDS, run

from figment.doctor.diagnosis import diagnose
from figment.doctor.finding import Finding
from figment.run import load

OLD = Path(__file__).parents[1] / "old_runs" / "dcgan"
LONG = [line | {"rounds": 3 * line["rounds"]} for line in run()]


def evaluation(**scores: tuple[Any, ...]) -> dict[str, Any]:
    """An evaluation.json with value, low, high and floor of some scores."""
    keys = ("value", "low", "high", "floor")
    found = [{"name": name, **dict(zip(keys, of, strict=True))} for name, of in scores.items()]
    return {"weights": "best.safetensors", "images": 26_000, "scores": found}


def found(log: list[dict[str, Any]] = LONG, **scores: tuple[Any, ...]) -> list[Finding]:
    return diagnose(log, FIELDS, DATA, evaluation=evaluation(**scores))


ALIKE, NARROW = (0.573, 0.54, 0.6, 0.021), (0.0, 0.0, 0.004, 0.7)


def test_samples_that_look_alike_are_a_warning():
    first, verdict = found(look_alikes=ALIKE, recall=NARROW)
    assert (first.name, first.severity, first.sure) == ("samples look alike", "warning", 0.9)
    assert first.evidence == (
        "`figment evaluate` of best.safetensors after 26,000 images: share of samples that look alike "
        "0.573 (95 % interval 0.54 to 0.6); real pictures get 0.021. Share of real pictures with samples "
        "near them (recall): 0 (95 % interval 0 to 0.004); real pictures get 0.7."
    )
    assert "--minibatch-discrimination 64" in first.flags
    assert verdict.name == "nothing else found"


def test_few_kinds_and_copies():
    assert [one.name for one in found(recall=NARROW, copied=(0.1, 0.08, 0.12, 0.0))] == [
        "memorisation",
        "kinds of pictures missing",
    ]


def test_a_young_run_is_to_train_on():
    young = [line | {"rounds": line["rounds"] // 2} for line in run()]
    first = found(young, look_alikes=ALIKE)[0]
    assert first.advice.startswith("Train on") and not first.flags
    early = [line | {"rounds": 40 * n} for n, line in enumerate(run(), 1)]
    assert [one.name for one in found(early, look_alikes=ALIKE)] == ["too early to tell"]


@pytest.mark.parametrize(
    "scores",
    [
        {"look_alikes": (0.1, 0.05, 0.15, 0.021)},
        {"look_alikes": (0.3, 0.25, 0.35, 0.2)},
        {"look_alikes": (0.573, None, None, 0.021)},
        {"look_alikes": ([0.5], "a", {}, None)},
        {"recall": (0.2, 0.1, 0.3, 0.7)},
        {"recall": (0.0, 0.0, 0.1, None)},
        {"copied": (0.004, 0.001, 0.009, 0.0)},
    ],
)
def test_what_is_near_the_reals_or_unsure_is_nothing(scores: dict[str, Any]):
    assert [one.name for one in found(**scores)] == ["healthy"]


def test_only_the_weights_that_are_drawn_from_count(tmp_path: Path):
    opened = load(shutil.copytree(OLD, tmp_path / "run"))
    weights = opened.weights()
    judged = evaluation(copied=(0.1, 0.08, 0.12, 0.0)) | {"weights": weights.name, "images": 8_256}
    lines = [json.loads(line) for line in (opened.path / "log.jsonl").read_text().splitlines()]
    old = [line | {"rounds": 10 * line["rounds"]} for line in lines]
    (opened.path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in old))

    def names(images: int, **more: Any) -> list[str]:
        text = json.dumps(judged | {"images": images} | more)
        (opened.path / "evaluation.json").write_text(text)
        return [one.name for one in opened.doctor()]

    assert "memorisation" in names(8_256)
    assert "memorisation" not in names(4_128)
    assert "memorisation" in names(8_256, own_data=True)
    assert "memorisation" not in names(8_256, own_data=False)  # a comparison with other pictures
