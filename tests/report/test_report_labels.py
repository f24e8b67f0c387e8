from __future__ import annotations

import pytest

from figment.metrics.score import Score
from figment.report import labels
from figment.units import duration


@pytest.mark.parametrize(
    ("value", "text"),
    [(13217, "13,217"), (0, "0"), (221056.0, "221,056")],
)
def test_count(value, text):
    assert labels.count(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(3576704, "3.58 M"), (999, "999"), (12_345, "12.3 k"), (2.5e9, "2.50 G"), (0, "0")],
)
def test_amount(value, text):
    assert labels.amount(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0123, "0.0123"),
        (9.999, "10.0"),
        (-1.2345, "-1.23"),
        (16.72, "16.7"),
        (1234.5, "1,234"),
        (1.2e-7, "1.20e-07"),
        (float("nan"), "nan"),
    ],
)
def test_three_significant_digits(value, text):
    assert labels.significant(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (45, "45 s"),
        (1800, "30 min"),
        (5340, "89 min"),
        (5400, "1 h 30 min"),
        (7500, "2 h 05 min"),
        (7199.9, "2 h 00 min"),
        (277_200, "3 d 5 h"),
    ],
)
def test_duration(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "none"), (True, "true"), (62401, "62,401"), (0.0002, "0.0002"), ("hinge", "hinge")],
)
def test_plain_values(value, text):
    assert labels.plain(value) == text


def test_moment_keeps_what_it_does_not_know():
    assert labels.moment("2026-11-22T04:00:00Z") == "2026-11-22 04:00 UTC"
    assert labels.moment("yesterday") == "yesterday"


@pytest.mark.parametrize(
    ("name", "text"),
    [("dcgan", "DCGAN"), ("wgan-gp", "WGAN-GP"), ("mlp", "MLP"), ("stylegan2", "stylegan2")],
)
def test_acronyms_in_capitals(name, text):
    assert labels.system(name) == text


@pytest.mark.parametrize(
    ("measured", "text"),
    [
        (("kid", "mobilenet, 64 px; 9 samples"), "KID(mobilenet) x1000"),
        (("fid", "small; 9 samples"), "FID(small)"),
        (("fid", "inception; 9 samples"), "FID"),
        (("kid", "coordinates; 9 samples"), "KID x1000"),
        (("fid_infinity", ""), "FID∞"),
        (("look_alikes", "small; 9 samples"), "Look-alikes"),
        (("recall", "small; 9 samples"), "Recall"),
    ],
)
def test_scores_have_the_names_of_the_field_and_their_features(measured, text):
    name, protocol = measured
    assert labels.score(Score(name, 1.0, protocol=protocol)) == text


def test_intervals_and_lists():
    assert labels.interval(0.001, 0.0014) == "0.00100 – 0.00140"
    assert labels.interval(None, 1.0) == labels.interval(1.0, None) == ""
    assert labels.listed(["a"]) == "a" and labels.listed(["a", "b", "c"]) == "a, b and c"
