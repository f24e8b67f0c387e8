"""The axes of plots."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest

from figment.report import write_report
from figment.report.plots import Level, Series, line_chart
from figment.report.ticks import ticks


@pytest.mark.parametrize("ends", [(-1e308, 1e308), (0.0, 5e-324), (0.0, float("inf"))])
def test_numbers_of_a_broken_log_have_no_ticks(ends: tuple[float, float]):
    assert ticks(*ends) == []


def test_ticks_are_round_and_within():
    assert ticks(0.0, 1.0) == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]


def test_one_point_beside_a_curve_shows_as_a_dot():
    one, two = (Series("a", np.arange(n) + 1.0, np.arange(n) + 1.0) for n in (1, 2))
    assert 'class="dots' in line_chart([one, two], title="t", x_label="x")
    assert 'class="dots' not in line_chart([two], title="t", x_label="x")


@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize(
    ("y", "low", "high"),
    [
        ((5e-324, 1.0), (5e-324, 1.0), (5e-324, 1.0)),  # no logarithm of it
        ((1.0, 1.0), (-1e308, 0.5), (-1e300, 2.0)),
        ((1.0, 1e3, 1.0), (1.0, 1.0, 1.0), (-1.0, 2.0, 2.0)),  # an upper end without a logarithm
        ((1e308, -1e308), (-1e308, -1e308), (1e308, 1e308)),
        ((math.inf, 1.0), (math.nan, 1.0), (1.0, math.nan)),
    ],
)
@pytest.mark.filterwarnings("error")
def test_numbers_of_a_broken_log_are_drawn(y: tuple, low: tuple, high: tuple, log: bool):
    ends = [np.array(end) for end in (low, high)]
    one = Series("a", np.arange(len(y)) + 1.0, np.array(y), 0, "", *ends)
    drawn = line_chart([one], title="t", x_label="x", levels=[Level(1e308, "far")], log=log)
    assert not re.search(r"[\d\"]nan|inf,|,inf", drawn)
    assert 'class="band' in drawn or not np.isfinite(y).all()


@pytest.mark.filterwarnings("error")
def test_a_broken_log_makes_a_report(make_run):
    run = make_run()
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    lines[3]["loss/generator"], lines[4]["loss/generator"] = 1e308, -1e308
    (run / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert "or beyond" in write_report(run).read_text(encoding="utf-8")
