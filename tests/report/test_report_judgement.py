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
        "evaluation.json cannot be read (no JSON: Expecting property name enclosed in double "
        "quotes: line 1 column 2 (char 1)).",
        "doctor.json cannot be read (it holds no JSON object).",
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
    ("at", "images"), [(None, 300), (300, 300), (200, 200), (250, 200), (1e9, 300), (50, 300)]
)
def test_the_score_that_counts_is_that_of_the_weights_which_are_drawn_from(at, images):
    (course,) = courses([line(100, kid=3), line(200, kid=1), line(300, kid=2)], at)
    assert course.kept.images == images


def test_another_protocol_begins_another_course():
    found = courses([line(100, kid=3), line(200, kid=1, fid=9), line(300, "q", kid=0.5)])
    assert [[moment.images for moment in course.moments] for course in found] == [
        [100, 200],
        [200],
        [300],
    ]
    assert [course.score.protocol for course in found] == ["p", "p", "q"]
    assert (found[0].kept.images, found[0].last.images) == (200, 200)


def test_the_score_that_a_run_is_judged_by_is_the_first():
    lines = [line(100, fid=4), line(200, kid=2, fid=5), line(300, fid=3, kid=1)]
    found = leading(lines)
    assert found.score.name == "fid" and len(found.moments) == 3
    assert leading(lines[:2]).score.name == "kid"
    assert leading(lines, 150).kept.score.value == 4
    assert leading([]) is None and leading([line(1)]) is None
