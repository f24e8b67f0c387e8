from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from figment.objectives.adversarial import OBJECTIVES
from figment.report.charts import column_title, machine_charts, training_charts, watch_charts


def log(**columns) -> dict[str, np.ndarray]:
    names = {"images": [100, 200, 300], **columns}
    return {key.replace("__", "/"): np.array(column, float) for key, column in names.items()}


def titles(charts) -> list[str]:
    return [ElementTree.fromstring(chart).find(".//h3").text for chart in charts]


def levels(chart) -> list[str]:
    items = ElementTree.fromstring(chart).iter("li")
    return [
        item.find("svg").tail for item in items if item.find(".//line[@class='level']") is not None
    ]


def is_level(line) -> bool:
    return "level" in line.get("class", "").split()


LOSSES = {"loss__discriminator": [1, 1, 1], "loss__generator": [2, 2, 2]}


@pytest.mark.parametrize(
    ("objective", "labels"),
    [
        ("nonsaturating", ["D at balance: 2 log 2", "G at balance: log 2"]),
        ("minimax", ["D at balance: 2 log 2", "G at balance: −log 2"]),
        ("hinge", []),
        (None, []),
    ],
)
def test_losses_at_balance_are_drawn_where_they_hold(objective, labels):
    (chart,) = training_charts(log(**LOSSES), {"objective": objective})
    assert levels(chart) == labels


@pytest.mark.parametrize(
    ("fields", "heights"),
    [
        ({"objective": "nonsaturating"}, [1.386294, 0.693147]),
        ({"objective": "minimax", "real_target": 1.0}, [1.386294, -0.693147]),
        # m = .45: 2 (-.45 log .45 - .55 log .55), -log .45 and log .55
        ({"objective": "nonsaturating", "real_target": 0.9}, [1.376278, 0.798508]),
        ({"objective": "minimax", "real_target": 0.9}, [1.376278, -0.597837]),
        ({"objective": "nonsaturating", "real_target": None}, []),
        ({"objective": "nonsaturating", "real_target": 0.0}, []),
    ],
)
def test_height_of_the_balance_lines(fields, heights):
    (chart,) = training_charts(log(**LOSSES), fields)
    figure = ElementTree.fromstring(chart)
    low, high = map(float, figure.find(".//svg[@class='plot']").attrib["data-range"].split()[2:])
    lines = [line for line in figure.findall(".//svg[@class='plot']/line") if is_level(line)]
    found = [high - float(line.attrib["y1"].rstrip("%")) / 100 * (high - low) for line in lines]
    assert found == pytest.approx(heights, abs=1e-3)


def test_probabilities_have_the_unit_axis_and_critics_do_not():
    (chart,) = training_charts(log(score__real=[0.6] * 3, score__fake=[0.4] * 3), {})
    assert 'data-range="0 300 0 1"' in chart and levels(chart) == ["cannot tell: ½"]
    (chart,) = training_charts(log(score__real=[5] * 3, score__fake=[-4] * 3), {})
    assert levels(chart) == [] and titles([chart]) == ["Logits of the discriminator"]
    assert "probability" not in chart


@pytest.mark.parametrize("name", OBJECTIVES)
def test_scores_are_called_logits_where_they_are_no_probabilities(name: str):
    (chart,) = training_charts(log(score__real=[0.6] * 3), {"objective": name})
    assert ("D(real)" in chart) == OBJECTIVES[name].probabilities
    assert ("D logit of reals" in chart) != OBJECTIVES[name].probabilities
    logits = not OBJECTIVES[name].probabilities
    both = column_title("score/real", ["nonsaturating", name])
    assert both == ("D(real) or D logit of reals" if logits else "D(real)")


def test_players_keep_their_colours():
    charts = training_charts(
        log(loss__generator=[1] * 3, gradient__discriminator=[1] * 3, score__fake=[0.5] * 3), {}
    )
    found = dict(re.findall(r'class="strong (series-\d)" data-name="([^"]*)"', "".join(charts)))
    assert found == {"series-1": "discriminator", "series-2": "generator", "series-4": "D(fake)"}


def test_unknown_groups_get_charts_of_their_own():
    charts = training_charts(
        log(penalty__r1=[1] * 3, penalty__r2=[2] * 3, ada__p=[0.1] * 3, temperature=[1] * 3), {}
    )
    assert titles(charts) == ["Penalties", "Ada", "Temperature"]
    assert re.findall(r'strong (series-\d)" data-name="(\w+)"', charts[0]) == [
        ("series-1", "R1"),
        ("series-2", "R2"),
    ]


def test_unknown_scores_are_not_lost():
    charts = training_charts(log(score__logit=[1] * 3), {})
    assert titles(charts) == ["Shares of a batch"]
    (chart,) = training_charts(log(score__class=[0.5] * 3), {})
    assert 'data-name="Labelled pictures told right"' in chart and 'data-range="0 300 0 1"' in chart


def test_modes_have_a_chart_up_to_all_of_them():
    columns = log(modes__reached=[1, 6, 6], modes__all=[8] * 3, modes__high_quality=[0.5] * 3)
    (chart,) = training_charts(columns, {})
    assert titles([chart]) == ["Modes reached"] and levels(chart) == ["all: 8"]
    assert 'data-range="0 300 0 8.8"' in chart and "reached <b>6.00</b>" in chart


def test_players_of_penalties_stand_behind_their_names():
    (chart,) = training_charts(log(penalty__class__discriminator=[1] * 3), {})
    assert 'data-name="class (discriminator)"' in chart


def test_the_clock_the_machine_and_empty_columns_give_no_training_chart():
    columns = log(
        rounds=[1, 2, 3], seconds=[1, 2, 3], speed__images_per_second=[9] * 3, jsd=[np.nan] * 3
    )
    assert training_charts(columns, {}) == []
    assert training_charts({}, {}) == [] and machine_charts({}) == []


def test_speed_and_memory_start_at_zero():
    charts = machine_charts(log(speed__images_per_second=[90, 100, 95], memory__gib=[2, 2, 2]))
    assert titles(charts) == ["Speed", "Memory"]
    assert 'data-range="0 300 0 115"' in charts[0] and 'data-range="0 300 0 2.3"' in charts[1]


def test_held_out_pictures_stand_beside_the_others():
    columns = log(score__real=[0.8] * 3, score__held_out=[0.6] * 3, score__fake=[0.2] * 3)
    (chart,) = training_charts(columns, {})
    assert re.findall(r'strong (series-\d)" data-name="([^"]*)"', chart) == [
        ("series-3", "D(real)"),
        ("series-5", "D(held-out)"),
        ("series-4", "D(fake)"),
    ]
    assert "never trained on" in chart and 'data-range="0 300 0 1"' in chart
    (chart,) = training_charts(log(score__real=[0.8] * 3), {})
    assert "never trained on" not in chart


def test_signs_have_a_chart_with_the_target_of_ada():
    columns = log(score__sign=[0.9] * 3, score__held_out_sign=[0.2] * 3)
    (chart,) = training_charts(columns, {"augment": "none", "ada_target": 0.6})
    assert levels(chart) == []
    (chart,) = training_charts(columns, {"augment": "ada", "ada_target": 0.5})
    assert levels(chart) == ["ADA's target: 0.5"] and 'data-range="0 300 0 1"' in chart
    (chart,) = training_charts(log(score__sign=[-0.9] * 3), {})
    assert 'data-range="0 300 -1 1"' in chart


def test_scores_are_charted_elsewhere():
    assert training_charts(log(metric__kid=[1] * 3), {}) == []


def test_watched_columns_are_charted_apart():
    columns = log(watch__diversity=[1, np.nan, 0.5], watch__missing=[0.2] * 3)
    assert training_charts(columns, {}) == []
    charts = watch_charts(columns)
    assert titles(charts) == ["Diversity", "Missing"]
    assert [levels(chart) for chart in charts] == [["as the reals: 1"], ["as the reals: 0"]]
    assert "have no number" not in charts[0]
    ranges = [re.search(r'data-range="0 300 ([^"]*)"', chart)[1] for chart in charts]
    assert ranges == ["0 1.1", "0 1"]  # a ratio begins at 0, a share ends at 1
    (chart,) = watch_charts(log(watch__copies=[0] * 3))
    assert 'data-range="0 300 0 1"' in chart
    assert watch_charts(log(loss__generator=[1] * 3)) == []
    assert watch_charts(log(watch__nothing=[np.nan] * 3)) == []


@pytest.mark.parametrize(
    ("key", "title"),
    [
        ("loss/generator", "Loss, generator"),
        ("gradient/discriminator", "Gradient norm, discriminator"),
        ("score/real", "D(real)"),
        ("score/held_out_sign", "Sign of the discriminator, held-out pictures"),
        ("watch/look_alikes", "Samples: look-alikes"),
        ("penalty/r1", "Penalties, R1"),
        ("modes/reached", "Modes reached"),
        ("score/waited", "Rounds in which a player waited"),
        ("speed/images_per_second", "Speed, images/s"),
        ("temperature", "Temperature"),
    ],
)
def test_titles_of_single_columns(key, title):
    assert column_title(key) == title
