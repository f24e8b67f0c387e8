from __future__ import annotations

import json

import pytest

from figment.metrics.score import Score
from figment.report.judgement import (
    Measurement,
    courses,
    leading,
    read_evaluation,
    read_findings,
    read_measurements,
)


def line(images: int, protocol: str = "p", **scores: float) -> Measurement:
    found = [Score(name, value, protocol=protocol) for name, value in scores.items()]
    return Measurement(images, images / 10, found)


def test_scores_of_the_training_are_read(make_run, judge_run):
    run = judge_run(make_run(), best=0.01, protocol="p")
    told = []
    found = read_measurements(run / "metrics.jsonl", told)
    assert told == [] and [one.images for one in found] == [7680.0 * n for n in range(1, 11)]
    kid, precision = found[7].scores
    assert kid == Score("kid", 0.01, 0.0095, 0.0105, 0.0002, "lower", "p").shown()
    assert kid.value == 10  # KID is multiplied by 1000 wherever it is shown
    assert precision == Score("precision", 0.58, None, None, 0.8, "higher", "p")
    assert found[7].seconds == 480


def test_resumed_and_broken_lines(tmp_path):
    rows = [(100, 1.0), (200, 2.0), (300, 3.0), (200, 20.0)]
    lines = [json.dumps({"images": i, "scores": {"kid": {"value": v}}}) for i, v in rows]
    (tmp_path / "metrics.jsonl").write_text("\n".join([lines[0], "{", *lines[1:], '{"ima']))
    told = []
    found = read_measurements(tmp_path / "metrics.jsonl", told)
    assert [(one.images, one.scores[0].value) for one in found] == [(100, 1_000.0), (200, 20_000.0)]
    assert told == ["1 line of metrics.jsonl cannot be read."]


@pytest.mark.parametrize("value", [None, "x", True, float("nan")])
def test_scores_without_a_number_are_left_out(tmp_path, value):
    scores = {"kid": {"value": value}, "fid": {"value": 3, "better": "sideways"}, "x": 3}
    (tmp_path / "metrics.jsonl").write_text(json.dumps({"images": 1, "scores": scores}))
    ((_, _, found),) = read_measurements(tmp_path / "metrics.jsonl", [])
    assert found == [Score("fid", 3.0)]


def test_missing_files_are_no_news(tmp_path):
    told = []
    assert read_measurements(tmp_path / "metrics.jsonl", told) == []
    assert read_evaluation(tmp_path / "evaluation.json", told) is None
    assert read_findings(tmp_path / "doctor.json", told) == (None, [])
    assert told == []


def test_broken_files_are_told(tmp_path):
    (tmp_path / "evaluation.json").write_text("{")
    (tmp_path / "doctor.json").write_text("[]")
    told = []
    read_evaluation(tmp_path / "evaluation.json", told)
    read_findings(tmp_path / "doctor.json", told)
    assert told == [
        "evaluation.json cannot be read as JSON.",
        "doctor.json holds no JSON object.",
    ]


def test_findings_are_read_with_what_they_lack(tmp_path):
    rows = [
        {"name": "a", "severity": "fault", "sure": 0.5, "flags": ["--x", 3]},
        {"name": "b", "severity": "odd", "sure": None, "evidence": 3},
        {"severity": "good"},
        "text",
    ]
    (tmp_path / "doctor.json").write_text(json.dumps({"images": 9, "findings": rows}))
    images, (first, second) = read_findings(tmp_path / "doctor.json", [])
    assert images == 9
    assert first == ("a", "fault", 0.5, "", "", ("--x",))
    assert second == ("b", "warning", 0.0, "", "", ())


@pytest.mark.parametrize(
    ("better", "values", "best"),
    [("lower", [3, 1, 2], 1), ("higher", [1, 3, 2], 3), ("floor", [0.2, 1.1, 1.5], 1.1)],
)
def test_which_score_is_the_best(better, values, best):
    scores = [Score("s", value, floor=1.0, better=better) for value in values]
    (course,) = courses([Measurement(n, None, [score]) for n, score in enumerate(scores, 1)])
    assert course.best.score.value == best


def test_untrained_networks_are_not_the_best():
    (course,) = courses([line(0, kid=1), line(100, kid=3), line(200, kid=2)])
    assert course.best.images == 200
    (course,) = courses([line(0, kid=1)])
    assert course.best.images == 0


def test_another_protocol_begins_another_course():
    found = courses([line(100, kid=3), line(200, kid=1, fid=9), line(300, "q", kid=0.5)])
    assert [[moment.images for moment in course.moments] for course in found] == [
        [100, 200],
        [200],
        [300],
    ]
    assert [course.score.protocol for course in found] == ["p", "p", "q"]
    assert (found[0].best.images, found[0].last.images) == (200, 200)


def test_earliest_of_equals_is_the_best():
    (course,) = courses([line(300, kid=1), line(100, kid=2), line(200, kid=1)])
    assert course.best.images == 200


def test_the_score_that_a_run_is_judged_by_is_the_first():
    lines = [line(100, fid=4), line(200, kid=2, fid=5), line(300, fid=3, kid=1)]
    found = leading(lines)
    assert found.score.name == "fid" and len(found.moments) == 3
    assert leading(lines[:2]).score.name == "kid"
    assert leading([]) is None and leading([line(1)]) is None
