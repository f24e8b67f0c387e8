from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from figment.report.plots import (
    Level,
    Mark,
    Series,
    line_chart,
)
from figment.report.smoothing import decimate, smooth, weight
from figment.report.ticks import tick_labels, ticks


def chart(y, x=None, **options) -> ElementTree.Element:
    """The figure as a tree: that it parses as XML is part of every test here."""
    y = np.array(y, dtype=float)
    series = Series("loss", np.arange(len(y), dtype=float) if x is None else np.array(x), y)
    options = {"title": "Loss", "x_label": "images", **options}
    return ElementTree.fromstring(line_chart([series], **options))


def points(figure: ElementTree.Element, kind: str) -> list[tuple[float, float]]:
    path = next(p for p in figure.iter("path") if kind in p.attrib["class"].split())
    found = re.findall(r"(-?[\d.]+),(-?[\d.]+)", path.attrib["d"])
    return [(float(x), float(y)) for x, y in found]


def notes(figure: ElementTree.Element) -> list[str]:
    return ["".join(p.itertext()) for p in figure.iter("p")]


def test_smoothing_is_the_debiased_average():
    smoothed = smooth(np.array([1.0, 2.0, 4.0]), 0.9)
    # (.1·2 + .09·1) / (1 − .9²) and (.1·4 + .09·2 + .081·1) / (1 − .9³)
    np.testing.assert_allclose(smoothed, [1.0, 0.29 / 0.19, 0.661 / 0.271], rtol=1e-14)


def test_smoothing_steps_over_gaps():
    smoothed = smooth(np.array([1.0, np.nan, 2.0, np.inf]), 0.9)
    np.testing.assert_allclose(smoothed, [1.0, np.nan, 0.29 / 0.19, np.nan], rtol=1e-14)


def test_smoothing_of_zero_weight_changes_nothing():
    values = np.array([3.0, -1.0, 2.0])
    assert smooth(values, 0.0).tolist() == values.tolist()


def test_decimation_keeps_ends_and_extremes():
    x = np.arange(100_000.0)
    y = np.sin(x / 1000)
    y[[31_415, 77_777]] = 50, -60
    kept_x, kept_y = decimate(x, y, 800)
    assert 400 < len(kept_x) <= 800
    assert kept_x[0] == 0 and kept_x[-1] == 99_999
    assert (np.diff(kept_x) > 0).all()
    assert y[kept_x.astype(int)].tolist() == kept_y.tolist()
    assert kept_x[kept_y == 50] == 31_415 and kept_x[kept_y == -60] == 77_777


def test_decimation_leaves_short_curves_and_keeps_long_gaps():
    x = np.arange(10.0)
    assert decimate(x, x, 10)[0] is x
    y = np.ones(10_000)
    y[3000:6000] = np.nan
    kept_x, kept_y = decimate(np.arange(10_000.0), y, 100)
    gap = kept_x[np.isnan(kept_y)]
    assert gap.size and gap.min() >= 3000 and gap.max() < 6000


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 221_056, [0, 50_000, 100_000, 150_000, 200_000]),
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0, 5.3, [0, 1, 2, 3, 4, 5]),
        (-1, 1, [-1, -0.5, 0, 0.5, 1]),
        (0.00011, 0.00029, [0.00015, 0.0002, 0.00025]),
    ],
)
def test_ticks_are_nice(low, high, expected):
    assert ticks(low, high) == expected


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_are_few_inside_and_even(low, span):
    found = ticks(low, low + span)
    assert 3 <= len(found) <= 9
    slack = 1e-6 * span
    assert low - slack <= found[0] and found[-1] <= low + span + slack
    np.testing.assert_allclose(np.diff(found), found[1] - found[0], rtol=1e-6)


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([0, 100_000, 200_000], ["0", "100k", "200k"]),
        ([0, 500_000, 1_000_000], ["0", "0.5M", "1.0M"]),
        ([0, 0.25, 0.5], ["0", "0.25", "0.50"]),
        ([-10, 0, 10], ["-10", "0", "10"]),
        ([0, 2e-05], ["0", "2e-05"]),
        ([], []),
    ],
)
def test_tick_labels_share_a_unit(values, labels):
    assert tick_labels(values) == labels


def test_points_of_a_curve_lie_where_they_should():
    figure = chart([0, 5, 10], x=[0, 100, 400], y_range=(0, 10), smoothing=0)
    assert points(figure, "strong") == [(0, 1000), (250, 500), (1000, 0)]
    assert not [p for p in figure.iter("path") if "raw" in p.attrib["class"]]
    assert figure.find(".//svg[@class='plot']").attrib["data-range"] == "0 400 0 10"


def test_raw_and_smoothed_curves():
    values = np.array([0.0, 10, 10] + [5.0] * 97)
    figure = chart(values, y_range=(0, 10))
    assert points(figure, "raw")[:2] == [(0, 1000), (10.1, 0)]
    drawn = [y for _, y in points(figure, "strong")]
    np.testing.assert_allclose(drawn, 1000 - 100 * smooth(values, 0.9), atol=0.05)


def test_short_curves_are_smoothed_less_and_long_ones_not_more():
    assert [weight(np.ones(n), 0.9) for n in (1, 10, 20, 100, 9999)] == [0, 0, 0.5, 0.9, 0.9]
    assert weight(np.array([1.0] * 20 + [np.nan] * 999), 0.9) == 0.5
    falling = 270 + 560 / np.arange(1, 13)
    strong = points(chart(falling, y_range=(0, 1000)), "strong")
    assert strong[-1][1] == pytest.approx(1000 - falling[-1], abs=10)


def test_the_number_beside_a_curve_is_the_last_value():
    falling = np.linspace(800, 272, 200)
    assert "loss 272" in "".join(chart(falling).find(".//li").itertext())


@pytest.mark.parametrize("points_of_it", [12, 1000])
def test_a_constant_up_to_rounding_is_flat(points_of_it: int):
    values = np.full(points_of_it, 0.001)
    values[::3] = np.nextafter(0.001, 1)
    heights = {y for _, y in points(chart(values), "strong")}
    assert max(heights) - min(heights) < 1


def test_one_point_is_said_in_words():
    figure = chart([2.5], x=[400], levels=[Level(1.386, "2 log 2")])
    assert figure.find(".//svg") is None
    text = "".join(figure.find("p").itertext())
    assert text == "Loss 2.50 at 400 images. 2 log 2."


def test_images_on_an_axis_are_whole():
    def labels_of(**how) -> list[str]:
        texts = list(chart([1, 2], x=[0, 1], **how).iter("text"))
        return [t.text or "" for t in texts if "x" in t.attrib["class"].split()]

    assert labels_of() == ["0", "1"]
    assert "0.2" in labels_of(whole=False)


def test_fitted_axis_holds_every_value_and_starts_at_zero():
    _, right, low, high = map(
        float, chart([1, 3, 2]).find(".//svg[@class='plot']").attrib["data-range"].split()
    )
    assert (right, low) == (2, 0) and 3 < high < 3.5
    low = float(chart([9.0, 9.5, 10]).find(".//svg[@class='plot']").attrib["data-range"].split()[2])
    assert 8.5 < low < 9  # far from zero the axis does not start there


def test_one_spike_does_not_flatten_the_curve_and_is_owned_up_to():
    y = 1 + 0.1 * np.sin(np.arange(500))
    y[200] = 1000
    figure = chart(y)
    assert float(figure.find(".//svg[@class='plot']").attrib["data-range"].split()[3]) < 5
    assert "loss: 1 of 500 values lie outside the axis, the furthest 1,000." in notes(figure)


def test_gaps_break_the_curve_and_are_counted():
    figure = chart([1, 2, np.nan, 3, np.nan], y_range=(0, 4), smoothing=0)
    path = figure.find(".//path").attrib["d"]
    assert path == "M0,750 250,500M750,250h0"  # the lone point is a dot
    assert notes(figure) == ["loss: 2 of 5 entries have no number, among them the last 1."]


@pytest.mark.parametrize("y", [[0.0, 0.0], [-3.0, -3.0], [1e30, 1]])
def test_degenerate_curves_are_drawn(y):
    low, high = map(float, chart(y).find(".//svg[@class='plot']").attrib["data-range"].split()[2:])
    assert low < high


@pytest.mark.parametrize("y", [[], [np.nan, np.nan]])
def test_curves_without_a_number_say_so(y):
    assert "".join(chart(y).find("p").itertext()) == "No number."


def test_level_lies_inside_the_axis_and_its_label_in_the_legend():
    figure = chart([0.1, 0.2], levels=[Level(1.386, "2 log 2"), Level(0.693, "log 2", 1)])
    lines = figure.findall(".//svg[@class='plot']/line")
    lines = [line for line in lines if "level" in line.get("class", "").split()]
    low, high = map(float, figure.find(".//svg[@class='plot']").attrib["data-range"].split()[2:])
    assert high > 1.386
    height = float(lines[0].attrib["y1"].removesuffix("%"))
    assert height == pytest.approx(100 * (high - 1.386) / (high - low), abs=0.01)
    items = {"".join(item.itertext()): item.attrib["class"] for item in figure.iter("li")}
    assert items["2 log 2"] == "" and items["log 2"] == "series-2"


def test_nothing_but_zeros_stands_on_the_axis():
    plot = chart([0.0, 0.0]).find(".//svg[@class='plot']")
    assert plot.attrib["data-range"].split()[2:] == ["0", "1"]


def test_values_of_many_sizes_have_a_logarithmic_axis():
    figure = chart([4.0, 0.04, 0.4], log=True, smoothing=0, levels=[Level(0.01, "floor")])
    plot = figure.find(".//svg[@class='plot']")
    low, high = map(float, plot.attrib["data-range"].split()[2:])
    assert plot.attrib["data-scale"] == "log" and low < 0.01 and high > 4
    path = figure.find(".//path[@class='strong series-1']").attrib["d"]
    heights = [float(y) for y in re.findall(r",([\d.]+)", path)]
    assert heights[1] - heights[2] == pytest.approx((heights[1] - heights[0]) / 2, abs=0.2)
    labels = [text.text for text in plot.iter("text") if text.get("class") == "tick y"]
    assert labels == ["0.01", "0.1", "1"]


@pytest.mark.parametrize("y", [[1.0, 2.0], [0.0, 100.0], [-1.0, 100.0]])
def test_values_of_one_size_or_without_a_logarithm_have_none(y):
    assert "data-scale" not in chart(y, log=True).find(".//svg[@class='plot']").attrib


def test_band_of_a_logarithmic_axis_ends_at_the_axis():
    y, low, high = np.array([[0.1, 9.0], [-1, 8], [1, 9.9]])
    one = Series("a", np.arange(2.0), y, low=low, high=high)
    figure = ElementTree.fromstring(line_chart([one], title="t", x_label="x", log=True))
    band = figure.find(".//path[@class='band series-1']").attrib["d"]
    assert "1000" in band and "nan" not in band


def test_several_runs_have_their_colours_dashes_and_names():
    one = Series('a <b>&"', np.arange(3.0), np.arange(3.0), 0)
    two = Series("b", np.arange(9.0), np.arange(9.0), 9, "4 3")
    figure = ElementTree.fromstring(line_chart([one, two], title="<i>", x_label="images & more"))
    first, second = (p for p in figure.iter("path") if "strong" in p.attrib["class"])
    assert first.attrib["data-name"] == 'a <b>&"' and "series-1" in first.attrib["class"]
    assert second.attrib["stroke-dasharray"] == "4 3" and "series-2" in second.attrib["class"]
    assert points(figure, "strong")[-1][0] == 250  # both on one axis, 0 to 8
    assert figure.find(".//h3").text == "<i>"


def test_long_curves_stay_small():
    x = np.arange(200_000.0)
    text = line_chart([Series("a", x, np.sin(x))], title="a", x_label="images")
    assert len(text) < 30_000


def test_band_lies_between_the_ends_of_the_interval():
    y = np.array([4.0, 5, 6, 5])
    low, high = y - np.array([1, 1, np.nan, 2]), y + np.array([1, 1, 1, 3])
    one = Series("a", np.arange(4.0), y, low=low, high=high)
    text = line_chart([one], title="a", x_label="x", y_range=(0, 10), smoothing=0)
    figure = ElementTree.fromstring(text)
    path = next(p for p in figure.iter("path") if "band" in p.attrib["class"])
    # At 0 and 1, then a gap, then the interval of a lone point.
    assert path.attrib["d"] == "M0,500 333.3,400 333.3,600 0,700ZM1000,200 1000,700Z"


def test_fitted_axis_holds_the_intervals():
    y = np.array([4.0, 5.0])
    one = Series("a", np.arange(2.0), y, low=y - 9, high=y + 9)
    figure = ElementTree.fromstring(line_chart([one], title="a", x_label="x"))
    low, high = map(float, figure.find(".//svg[@class='plot']").attrib["data-range"].split()[2:])
    assert low < -5 and high > 14


def test_few_points_are_dots_and_many_are_not():
    few, many = chart([1, 2, np.nan, 3], smoothing=0), chart(np.ones(61), smoothing=0)
    dots = next(p for p in few.iter("path") if "dots" in p.attrib["class"])
    assert dots.attrib["d"].count("M") == dots.attrib["d"].count("h0") == 3
    assert not [p for p in many.iter("path") if "dots" in p.attrib["class"]]
    assert not [p for p in chart([1, 2]).iter("path") if "dots" in p.attrib["class"]]


def test_mark_is_a_ring_with_its_value_in_the_legend():
    figure = chart([0, 5, 10], y_range=(0, 10), marks=[Mark(1, 2.5, "best")])
    rings = [ring for ring in figure.iter("circle") if "cx" in ring.attrib]
    assert [(ring.attrib["cx"], ring.attrib["cy"]) for ring in rings] == [
        ("50%", "50%"),  # the key of the legend
        ("50.00%", "75.00%"),
    ]
    assert "".join(figure.findall(".//li")[1].itertext()) == "best 2.50"
    outside = chart([0, 5], y_range=(0, 10), marks=[Mark(1, 12, "best")])
    assert len(list(outside.iter("circle"))) == 1


def test_smoothed_curves_alone_have_an_axis_of_their_own():
    y = np.array([0.0, 10] * 50)
    both, alone = chart(y), chart(y, raw=False)
    assert not [p for p in alone.iter("path") if "raw" in p.attrib["class"]]
    tops = [
        float(one.find(".//svg[@class='plot']").attrib["data-range"].split()[3])
        for one in (both, alone)
    ]
    assert tops[0] > 10 > 6 > tops[1]
    assert points(alone, "strong")[1][1] != points(both, "strong")[1][1]


def test_number_of_points_can_be_less():
    x = np.arange(5000.0)
    text = line_chart([Series("a", x, np.sin(x))], title="a", x_label="x", raw=False, points=100)
    assert 50 < len(points(ElementTree.fromstring(text), "strong")) <= 100
