"""The verdict on runs without faults: how far from the data, and nothing praised that is not good."""

from __future__ import annotations

import re
from typing import Any

import pytest
from test_diagnosis import DATA, FIELDS, run

from figment.doctor.diagnosis import diagnose
from figment.doctor.finding import Finding
from figment.doctor.history import History
from figment.units import duration

TIMED = [
    line | {"speed/images_per_second": line["images"] / (6 * n)} for n, line in enumerate(run(), 1)
]
POINTS = {"name": "ring", "count": 100_000, "shape": [2]}


def scored(*values: float, floor: float = 0.003, features: str = "efficientnet", **more: Any):
    """metrics.jsonl's lines: the first of untrained weights."""
    return [
        {
            "images": 8_000 * n,
            "features": features,
            "scores": {"kid": {"value": value, "floor": floor, **more}},
        }
        for n, value in enumerate(values)
    ]


def verdict(log: list[dict[str, Any]], scores: list[dict[str, Any]]) -> Finding:
    (finding,) = diagnose(log, FIELDS, DATA, scores)
    return finding


def test_a_run_whose_score_is_far_from_its_floor_is_not_healthy():
    found = verdict(TIMED, scored(5.4, 4.8, 4.2))
    assert (found.name, found.severity) == ("still far from your pictures", "note")
    assert (
        "KID(efficientnet) x1000 4,200 at 16,000 images; real pictures get 3, untrained networks 5,400"
        in found.evidence
    )
    assert found.advice == (  # 2,500 more at 2,500 a minute
        "Train about 1 minute more, to 5,000 rounds, before which pictures hardly take shape: "
        "`figment resume RUN --minutes 1` goes on from here."
    )


def test_what_a_run_began_with_is_not_called_untrained():
    (found,) = diagnose(TIMED, FIELDS, DATA, scored(0.711, 0.72, 0.734), begun=True)
    assert "real pictures get 3, what it began with 711." in found.evidence
    assert "untrained" not in found.evidence


def test_the_time_of_an_empty_line_does_not_count_and_hours_are_said():
    slow = run()
    for number, line in enumerate(slow, 1):
        line["speed/images_per_second"] = line["images"] / (3_000 * number)
    empty = {
        "images": slow[-1]["images"],
        "rounds": slow[-1]["rounds"],
        "speed/images_per_second": 0.0,
    }
    one, other = (verdict(log, scored(5.4, 4.8)).advice for log in (slow, [*slow, *[empty] * 20]))
    assert one == other
    minutes = int(re.search(r"--minutes (\d+)", one)[1])
    assert minutes > 90 and f"Train about {duration(60 * minutes)} more" in one


def test_commands_name_the_run_as_a_shell_takes_it():
    found = verdict(TIMED, scored(5.4, 4.8, 4.2))
    assert "`figment resume 'my runs/cats' --minutes 1`" in found.of("my runs/cats").advice


def test_without_a_discriminator_nothing_is_said_to_look_collapsed():
    usual = {"images": 64, "rounds": 9}
    for losses, words in (
        ({"loss/autoencoder": 2.0, "loss/divergence/autoencoder": 1.0}, "draws blurs."),
        ({"loss/generator": 2.0}, "draws noise."),
        ({"loss/generator": 2.0, "loss/discriminator": 1.0}, "looks collapsed."),
        ({}, "looks collapsed."),
    ):
        (found,) = diagnose([usual | losses], FIELDS, DATA)
        assert found.evidence == f"Too early: 9 rounds so far. Before 500 even a good run {words}"


def test_a_run_that_is_long_enough_is_to_be_twice_as_long():
    log = [line | {"rounds": 3 * line["rounds"], "images": 3 * line["images"]} for line in TIMED]
    assert "to 15,000 rounds, twice as many as so far: `figment resume" in (
        verdict(log, scored(5.4, 4.8, 4.2)).advice
    )


def test_a_score_near_its_floor_is():
    assert verdict(run(), scored(5.4, 1.0, 0.05)).name == "healthy"  # 1 % of the way is left
    assert verdict(run(), scored(0.4, 0.1, 0.012)).name == "healthy"  # four times the floor
    assert "x1000 12 at 16,000 images;" in verdict(run(), scored(0.4, 0.1, 0.012)).evidence


def test_random_features_call_nothing_near_by_the_way_that_is_left():
    found = verdict(run(), scored(5.4, 0.05, features="small"))
    assert found.name == "still far from your pictures" and "cannot tell" in found.evidence


def test_without_scores_thumbnails_tell_what_is_far():
    found = verdict(run(watch__distance=0.3), [])
    assert (
        found.name == "still far from your pictures" and "0.3 standard deviations" in found.evidence
    )


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("checkerboard", 8.0),
        ("saturation", 0.1),
        ("detail", 0.2),
        ("look_alikes", 0.5),
        ("missing", 0.4),
    ],
)
def test_nothing_is_healthy_with_the_sign_of_a_fault(column: str, value: float):
    found = verdict(
        run(3, **{f"watch__{column}": value}), []
    )  # 750 rounds: no fault may be named yet
    assert (found.name, found.severity) == ("still far from your pictures", "note")
    near = verdict(run(3, **{f"watch__{column}": value}), scored(5.4, 1.0, 0.05))
    assert near.name == "still far from your pictures"


def test_samples_that_do_not_mind_their_class_yet_are_far():
    log = run(3, watch__classes_told=0.8, watch__classes_obeyed=0.3)
    assert "24% of the samples are told" in verdict(log, []).evidence
    assert verdict(run(3, watch__classes_told=0.8, watch__classes_obeyed=0.9), []).name == "healthy"
    assert verdict(run(3, watch__classes_told=0.4, watch__classes_obeyed=0.3), []).name == "healthy"


def test_a_score_that_has_become_worse_is_a_warning():
    scores = scored(5.4, 1.0, 0.9, 1.3, 1.4, 1.5)
    (warning, rest) = diagnose(run(), FIELDS, DATA, scores)
    assert (warning.name, warning.severity, rest.advice) == ("relapse", "warning", "")
    below = scored(5.4, 1.0, -0.001, 1.3, 1.4, 1.5, high=0.05)  # an unbiased score may be below 0
    assert diagnose(run(), FIELDS, DATA, below)[0].name == "relapse"
    assert (
        diagnose(run(), FIELDS, DATA, scored(5.4, 1.0, 0.9, 1.3, 1.4, 1.5, low=0.8))[0] != warning
    )
    assert len(diagnose(run(), FIELDS, DATA, scored(5.4, 1.0, 0.9, 1.3, 1.0, 1.5))) == 1


@pytest.mark.parametrize(
    ("on", "modes", "name"),
    [
        (0.003, 6, "still far from your points"),
        (0.9, 6, "still far from your points"),
        (0.9, 8, "healthy"),
    ],
)
def test_points_must_lie_on_their_modes(on: float, modes: int, name: str):
    log = run(watch__on_modes=on, watch__modes=modes, watch__modes_of=8, watch__stray=1 - on)
    (found,) = diagnose(log, FIELDS, POINTS)
    assert found.name == name
    if name != "healthy":
        assert f"{on:.0%} of the samples" in found.evidence and f"{modes} of 8" in found.evidence


def test_too_early_is_neither_good_nor_a_fault():
    (found,) = diagnose(run(1), FIELDS, DATA)
    assert (found.name, found.severity) == ("too early to tell", "note")
    assert found.evidence.startswith("Too early: 250 rounds so far")


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("watch/missing", (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)),
        ("watch/brightness", (0.6, 0.55, 0.5, 0.42, 0.37, 0.33, 0.3)),
        ("watch/look_alikes", (0.99, 0.9, 0.8, 0.7, 0.5, 0.4, 0.3)),
        ("watch/checkerboard", (30, 25, 20, 15, 12, 9, 7)),
    ],
)
def test_what_is_getting_better_is_no_fault(column: str, values: tuple[float, ...]):
    log = run(len(values))
    for line, value in zip(log, values, strict=True):
        line[column] = value
    for end in range(1, len(log) + 1):
        found = diagnose(log[:end], FIELDS, DATA)
        assert [one.severity for one in found if one.severity in ("fault", "warning")] == [], end
    stuck = log + [line | {column: values[-1], "rounds": 250 * n} for n, line in enumerate(log, 8)]
    assert diagnose(stuck, FIELDS, DATA)[0].severity in ("fault", "warning")


def test_a_score_that_came_before_the_first_line_of_the_log():
    assert verdict([], scored(3.0, 2.9)).name == "too early to tell"


def test_a_measurement_that_was_made_twice_counts_once():
    log = run(8)
    twice = [*log, log[-1] | {"watch/movement": 0.0, "watch/distance": 9.0, "open": True}]
    kept = History(twice, FIELDS, DATA)
    assert kept.series("watch/distance") == History(log, FIELDS, DATA).series("watch/distance")
    assert kept.series("watch/movement") == History(log, FIELDS, DATA).series("watch/movement")
    assert len(kept.log) == len(twice)


@pytest.mark.parametrize("key", ["floor", "value", "low", "high"])
@pytest.mark.parametrize("wrong", [[1], "a", {}, None, True, float("nan"), 10**400])
def test_what_is_no_number_is_no_score(key: str, wrong: Any):
    lines = scored(5.4, 1.0, 4.8, 4.8, 4.8, 4.8)
    for line in lines[2:]:
        line["scores"]["kid"][key] = wrong
    assert diagnose(TIMED, FIELDS, DATA, lines)[0].evidence
    assert diagnose(TIMED, FIELDS, DATA, [{"images": 64, "scores": [wrong]}])[0].evidence
