"""Progress: lines in a log file, words, and nothing that a file cannot hold."""

from __future__ import annotations

import pytest

from figment import progress


def test_what_is_short_says_nothing_in_a_file(capsys):
    assert list(progress.progress_bar(range(5), desc="quick")) == [0, 1, 2, 3, 4]
    progress.say("done")
    assert capsys.readouterr().err == "done\n"


def test_what_is_long_says_whole_lines_in_a_file(capsys, monkeypatch):
    monkeypatch.setattr(progress, "PAUSE", 0.0)
    with progress.progress_bar(total=200, unit=" img", desc="packing", miniters=1) as bar:
        for _ in range(4):
            bar.mininterval = 0
            bar.update(50)
        progress.say("a file was skipped")
    text = capsys.readouterr().err
    assert "\r" not in text and "\x1b" not in text
    lines = text.splitlines()
    assert lines[-1] == "a file was skipped" or lines[-2] == "a file was skipped"
    assert any(line.startswith("packing: 100 of 200 img (50%)") for line in lines)


def test_a_file_hears_less_often_of_what_takes_hours(capsys, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now[0])
    with progress.progress_bar(total=10) as bar:
        for _ in range(36_000):  # ten hours of seconds
            now[0] += 1
            bar.display()
    assert 300 < len(capsys.readouterr().err.splitlines()) < 600


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"total": 8000, "unit": " images", "initial": 1000}, "1,000 of 8,000 images (12%)"),
        ({"unit": " looks"}, "0 looks"),
        ({"total": 1000, "unit": " images", "initial": 1024}, "1,024 of 1,024 images (100%)"),
        ({"total": 4_000_000, "unit": "B", "desc": "x.pt"}, "x.pt: 0.00 of 4.00M B (0%)"),
    ],
)
def test_status_is_in_words(how, words):
    with progress.progress_bar(**how) as bar:
        assert progress.status(bar) == words


def test_status_tells_speed_and_time_left():
    with progress.progress_bar(total=100, unit=" img") as bar:
        bar.n, bar.start_t, bar._time = 50, 0.0, lambda: 10.0
        bar.last_print_t = bar.start_t
        bar.set_postfix_str("D 1.20", refresh=False)
        assert progress.status(bar) == "50 of 100 img (50%), 5 img/s, 10 s left; D 1.20"


def test_a_hidden_bar_is_silent(capsys, monkeypatch):
    monkeypatch.setattr(progress, "PAUSE", 0.0)
    assert sum(progress.progress_bar([1, 2], shown=False)) == 3
    assert capsys.readouterr().err == ""
