from __future__ import annotations

import json

import numpy as np

from figment.report.record import number, read_run


def test_reads_the_whole_run(make_run):
    record = read_run(make_run(ticks=5, moments=2))
    assert record.missing == []
    assert record.fields["width"] == 64 and record.data["count"] == 13217
    assert record.log["images"].tolist() == [1280, 2560, 3840, 5120, 6400]
    assert record.last("seconds") == 50 and record.last("nothing") is None
    assert [images for images, _ in record.samples] == [1280, 2560]


def test_cut_off_last_line_is_ignored(make_run):
    run = make_run(ticks=3)
    with (run / "log.jsonl").open("a") as log:
        log.write('{"images": 51200, "loss/gen')
    record = read_run(run)
    assert record.log["images"].tolist() == [1280, 2560, 3840] and record.missing == []


def test_broken_line_in_the_middle_is_told(make_run):
    run = make_run(ticks=3)
    lines = (run / "log.jsonl").read_text().splitlines()
    (run / "log.jsonl").write_text("\n".join([lines[0], "{broken", "[1]", *lines[1:], ""]))
    record = read_run(run)
    assert record.log["images"].size == 3
    assert record.missing == ["2 lines of log.jsonl cannot be read."]


def test_resumed_ticks_replace_the_ones_they_repeat(tmp_path):
    rows = [(100, 1.0), (200, 2.0), (300, 3.0), (200, 20.0), (300, 30.0)]
    lines = [json.dumps({"images": images, "loss/generator": loss}) for images, loss in rows]
    (tmp_path / "log.jsonl").write_text("\n".join(lines))
    log = read_run(tmp_path).log
    assert log["images"].tolist() == [100, 200, 300]
    assert log["loss/generator"].tolist() == [1, 20, 30]


def test_null_nan_text_and_absent_values_are_gaps(tmp_path):
    (tmp_path / "log.jsonl").write_text(
        '{"images": 1, "a": null}\n{"images": 2, "a": NaN}\n{"images": 3}\n'
        '{"images": 4, "a": "x"}\n{"images": 5, "a": 7}\n'
    )
    np.testing.assert_array_equal(read_run(tmp_path).log["a"], [np.nan] * 4 + [7])


def test_empty_run_says_what_is_missing(tmp_path):
    record = read_run(tmp_path)
    assert record.log == {} and record.recipe == {} and record.samples == []
    assert [text.split(" ")[0] for text in record.missing] == [
        "recipe.json",
        "machine.json",
        "log.jsonl",
        "samples/",
    ]


def test_broken_json_is_told(tmp_path):
    (tmp_path / "recipe.json").write_text('{"recipe": ')
    (tmp_path / "machine.json").write_text("[]")
    (tmp_path / "log.jsonl").write_text("")
    missing = read_run(tmp_path).missing
    assert missing[:3] == [
        "recipe.json cannot be read (no JSON: Expecting value: line 1 column 12 (char 11)).",
        "machine.json cannot be read (it holds no JSON object).",
        "log.jsonl is empty: the run has not finished a tick.",
    ]


def test_only_numbered_pictures_are_samples(tmp_path):
    (tmp_path / "samples").mkdir()
    for name in ("000000020.png", "000000003.png", "notes.png", "000000001.png.tmp"):
        (tmp_path / "samples" / name).touch()
    assert [images for images, _ in read_run(tmp_path).samples] == [3, 20]


def test_number_takes_finite_numbers_only():
    assert number(3) == 3.0 and number(0.5) == 0.5
    assert [number(value) for value in (True, None, "3", float("inf"), [1])] == [None] * 5
