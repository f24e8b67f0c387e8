"""Rules on logs made by hand: each ailment alone, and no alarm where there is none."""

from __future__ import annotations

import math
from typing import Any

import pytest

from figment.doctor.diagnosis import collapsed, diagnose, healthy
from figment.doctor.finding import SEVERITIES

FIELDS = {
    "objective": "nonsaturating",
    "batch": 32,
    "generator_lr": 2e-4,
    "discriminator_lr": 2e-4,
    "real_target": 0.9,
    "dropout": 0.0,
    "discriminator_moves": 1,
    "mirror": False,
}
DATA = {"name": "cats", "count": 13_000, "shape": [3, 64, 64], "duplicates": 0}
GOOD = {
    "loss/discriminator": 0.7,
    "loss/generator": 3.0,
    "score/real": 0.75,
    "score/fake": 0.14,
    "score/accuracy": 0.91,
    "score/sign": 0.8,
    "score/held_out": 0.72,
    "score/held_out_sign": 0.72,
    "jsd": 0.42,
    "gradient/discriminator": 20.0,
    "gradient/generator": 22.0,
    "watch/diversity": 0.98,
    "watch/spacing": 0.95,
    "watch/look_alikes": 0.0,
    "watch/missing": 0.02,
    "watch/distance": 0.12,
    "watch/nearest": 0.95,
    "watch/copies": 0.01,
    "watch/movement": 0.4,
    "watch/brightness": 0.01,
    "watch/range": 0.98,
    "watch/dark": 0.99,
    "watch/contrast": 0.95,
    "watch/clipped": 0.0,
    "watch/detail": 0.9,
    "watch/checkerboard": 1.3,
    "watch/real_diversity": 0.22,
}
ONE_PICTURE = {
    "watch/diversity": 0.03,
    "watch/spacing": 0.02,
    "watch/look_alikes": 0.99,
    "watch/missing": 0.9,
    "watch/distance": 0.8,
    "watch/nearest": 0.5,
    "watch/movement": 0.02,
}


def run(lines: int = 10, **changes: float) -> list[dict[str, Any]]:
    """A log of so many lines of 250 rounds each; a ``watch__x`` or ``score__x`` changes a column."""
    named = {name.replace("__", "/"): value for name, value in changes.items()}
    return [
        {"images": 8_000 * (n + 1), "rounds": 250 * (n + 1), **GOOD, **named} for n in range(lines)
    ]


def names(log: list[dict[str, Any]], **fields: Any) -> list[str]:
    return [finding.name for finding in diagnose(log, FIELDS | fields, DATA)]


def with_all(log: list[dict[str, Any]], columns: dict[str, float]) -> list[dict[str, Any]]:
    return [line | columns for line in log]


def test_a_good_run_is_healthy():
    (finding,) = diagnose(run(), FIELDS, DATA)
    assert (finding.name, finding.severity, finding.flags) == ("healthy", "good", ())


@pytest.mark.parametrize("lines", [1, 3, 30, 3_000])
def test_no_alarm_at_any_length(lines: int):
    found = diagnose(run(lines), FIELDS, DATA)
    assert [finding.severity for finding in found] == ["note" if lines == 1 else "good"]


def test_an_empty_log_is_too_early():
    assert names([]) == ["too early to tell"]
    assert names([{"images": 32}]) == ["too early to tell"]


def test_a_log_of_an_old_run_without_signs():
    log = [
        {key: value for key, value in line.items() if not key.startswith("watch")} for line in run()
    ]
    (finding,) = diagnose(log, {}, {})
    assert finding.name == "healthy" and finding.sure < 0.7


def test_a_plateau_has_converged():
    assert names(run(30, metric__kid=0.01)) == ["converged"]
    assert names(run(30)) == ["healthy"]  # thumbnails do not tell
    still_better = run(30)
    for n, line in enumerate(still_better):
        line["metric/kid"] = 0.04 - 0.001 * n
    assert names(still_better) == ["healthy"]


def test_early_runs_that_look_collapsed_are_not_called_so():
    assert names(with_all(run(1), ONE_PICTURE)) == ["too early to tell"]


def test_constant_data_explain_all_else():
    log = with_all(run(watch__real_diversity=0.001), ONE_PICTURE)
    assert names(log) == ["constant data"]
    repeated = diagnose(run(), FIELDS, DATA | {"duplicates": 12_995})
    assert [finding.name for finding in repeated] == ["constant data"]


def test_different_pictures_repeated_are_not_constant():
    found = diagnose(run(), FIELDS, DATA | {"duplicates": 12_000})
    assert [finding.name for finding in found] == ["duplicates", "nothing else found"]


def test_divergence():
    log = run()
    log[-1]["loss/generator"] = math.nan
    first = diagnose(log, FIELDS, DATA)[0]
    assert first.name == "divergence" and first.sure == 1.0
    assert first.flags == ("--generator-lr 2e-05", "--discriminator-lr 2e-05")
    broke_off = {"images": 90_000, "not_finite": True}
    assert diagnose([*run(), broke_off], FIELDS, DATA)[0].evidence == (
        "A loss or a gradient was not finite at 90,000 images."
    )
    told = diagnose([*run(), broke_off | {"loss/generator": math.inf}], FIELDS, DATA)[0]
    assert told.evidence == "loss/generator was not finite at 90,000 images."
    assert names(run(loss__discriminator=40.0)) == ["divergence"]


def test_a_critic_without_scale_is_not_blown_up():
    log = run(loss__discriminator=-300.0, score__real=800.0, score__fake=-400.0)
    assert names(log, objective="wasserstein", gradient_penalty=10.0) == ["healthy"]


def test_discriminator_too_strong():
    log = run(
        score__accuracy=0.999, score__fake=0.002, loss__discriminator=0.33, watch__distance=0.7
    )
    first = diagnose(log, FIELDS, DATA)[0]
    assert first.name == "discriminator too strong"
    assert first.flags == ("--discriminator-lr 5e-05", "--dropout 0.3")
    assert "99.9%" in first.evidence and "0.7 standard deviations" in first.evidence


def test_a_sure_discriminator_that_is_learned_from_is_left_alone():
    assert names(run(score__accuracy=0.999, score__fake=0.002)) == ["healthy"]


def test_a_sure_discriminator_of_samples_that_come_nearer_is_left_alone():
    log = run(score__accuracy=0.999, score__fake=0.02)
    for n, line in enumerate(log):  # a DCGAN on MNIST in its first 500 rounds
        line["watch/distance"] = 1.2 - 0.08 * n
    assert names(log) == ["still far from your pictures"]


def test_generator_too_strong():
    log = run(score__accuracy=0.51, jsd=0.001, watch__distance=0.9, loss__discriminator=1.38)
    assert names(log)[0] == "generator too strong"


def test_a_fooled_discriminator_has_not_blown_up():
    log = run(
        score__accuracy=0.33,
        score__fake=0.99,
        jsd=-3.8,
        watch__distance=0.8,
        loss__discriminator=9.0,
    )
    assert names(log)[0] == "generator too strong"


def test_an_even_game_near_the_reals_is_the_goal():
    assert names(run(score__accuracy=0.51, jsd=0.001, loss__discriminator=1.38)) == ["healthy"]


def test_oscillation():
    log = run(watch__movement=0.9, watch__diversity=0.25, watch__distance=0.8)
    assert "oscillation" in names(log)
    assert "oscillation" not in names(run(watch__movement=0.9))  # far, but not past its own spread


def test_networks_that_grow_change_all_their_samples():
    log = run(watch__movement=0.9, watch__diversity=0.3)
    assert "oscillation" in names(log)
    grows = [line | {"level": min(2.0, n / 4)} for n, line in enumerate(log)]
    assert "oscillation" not in names(grows[:10])
    assert "oscillation" in names([line | {"level": 2.0} for line in log])


def test_oscillation_of_a_wide_generator_that_gets_nowhere():
    log = run(20, watch__movement=0.5, watch__diversity=0.7, watch__distance=0.45)
    assert names(log)[0] == "oscillation"
    for n, line in enumerate(log):  # the same, but nearer and nearer
        line["watch/distance"] = 0.9 - 0.025 * n
    assert "oscillation" not in names(log)


def test_mode_collapse_of_pictures():
    log = run(5) + with_all(run(10)[5:], ONE_PICTURE)
    first = diagnose(log, FIELDS, DATA)[0]
    assert first.name == "mode collapse" and "it has been 0.98" in first.evidence
    assert "docs/results/modes.md" in first.advice
    assert first.flags[0] == "--minibatch-discrimination 64"
    assert first.flags[-1] == "--generator-lr 5e-05"


def test_a_handful_of_variants_is_collapse_too():
    log = run(watch__diversity=0.75, watch__spacing=0.06, watch__look_alikes=0.99)
    assert "mode collapse" in names(log)


def test_partial_collapse():
    assert names(run(watch__missing=0.4)) == ["partial mode collapse"]
    assert names(run(watch__look_alikes=0.5, watch__spacing=0.4)) == ["partial mode collapse"]


def test_points_may_repeat_themselves():
    points = {"name": "ring", "count": 100_000, "shape": [2]}
    log = run(watch__look_alikes=0.5, watch__spacing=0.1)
    assert [finding.name for finding in diagnose(log, FIELDS, points)] == ["healthy"]


def test_wrong_normalisation():
    assert names(run(watch__brightness=0.25, watch__range=0.5))[0] == "wrong normalisation"
    assert names(run(watch__range=0.55))[0] == "wrong normalisation"
    assert names(run(watch__clipped=0.6))[0] == "wrong normalisation"
    assert names(run(watch__dark=0.0))[0] == "wrong normalisation"


def test_flat_or_untrained_samples_have_no_levels_to_judge():
    flat = ONE_PICTURE | {"watch/dark": 0.0, "watch/range": 0.0, "watch/brightness": 0.21}
    assert "wrong normalisation" not in names(with_all(run(), flat))
    unrisen = run(5, watch__diversity=0.2, watch__range=0.28, watch__look_alikes=0.6)
    assert "wrong normalisation" not in names(unrisen)


def test_checkerboard_is_a_warning():
    (finding, rest) = diagnose(run(watch__checkerboard=12.0), FIELDS, DATA)
    assert (finding.name, finding.severity) == ("checkerboard", "warning")
    assert (rest.name, rest.severity, rest.advice) == ("nothing else found", "note", "")
    early = diagnose(
        run(3, watch__checkerboard=12.0), FIELDS, DATA
    )  # it is there in every early run
    assert [one.severity for one in early] == ["note"]


def test_discriminator_overfitting():
    log = run(score__real=0.9, score__held_out=0.3, score__sign=0.95, score__held_out_sign=-0.5)
    first = diagnose(log, FIELDS, DATA)[0]
    assert first.name == "discriminator overfitting" and first.severity == "fault"
    assert first.flags == ("--mirror", "--dropout 0.3")
    assert "0.90" in first.evidence and "0.30" in first.evidence


def test_pictures_seen_once_are_not_known_by_heart_but_changed_on_their_way():
    known = {"score__real": 0.9, "score__held_out": 0.3, "score__sign": 0.95}
    log, many = run(**known, score__held_out_sign=-0.5), DATA | {"count": 60_000}
    first = diagnose(log, FIELDS, many)[0]
    assert first.name == "wrong normalisation" and "1.3 passes" in first.evidence
    assert names(log)[0] == "discriminator overfitting"  # the same after six passes
    turned = diagnose(log, FIELDS | {"augment": "study"}, many)
    assert [one.name for one in turned] == ["healthy"]  # which is meant to change the reals
    assert [one.name for one in diagnose(run(), FIELDS, many)] == ["healthy"]


def test_a_high_sign_alone_is_no_overfitting():
    assert names(run(score__sign=0.95, score__held_out_sign=0.93)) == ["healthy"]


def test_few_pictures_seen_often_without_held_out_ones():
    log = run(score__sign=0.9)
    for line in log:
        del line["score/held_out"], line["score/held_out_sign"]
    few = DATA | {"count": 150}
    assert diagnose(log, FIELDS, few)[0].name == "discriminator overfitting"
    assert names(log) == ["healthy"]


def test_memorisation():
    few = DATA | {"count": 64}
    log = run(watch__copies=0.8, watch__nearest=0.3)
    assert diagnose(log, FIELDS, few)[0].name == "memorisation"
    assert names(run(watch__copies=0.02, watch__nearest=0.5)) == ["healthy"]


def test_learning_rate_too_low():
    columns = {**ONE_PICTURE, "loss/discriminator": 1.386, "score/accuracy": 0.9, "jsd": 0.001}
    low = {"generator_lr": 2e-7, "discriminator_lr": 2e-7}
    log = with_all(run(), columns)
    findings = diagnose(log, FIELDS | low, DATA)
    assert [finding.name for finding in findings] == ["learning rate too low"]
    assert findings[0].flags == ("--generator-lr 0.0002", "--discriminator-lr 0.0002")


def test_an_overpowered_generator_is_not_slow():
    log = with_all(run(score__accuracy=0.999, score__fake=0.001), ONE_PICTURE)
    assert names(log, generator_lr=2e-6)[0] == "discriminator too strong"


def test_learning_rate_too_high():
    high = {"generator_lr": 2e-2, "discriminator_lr": 2e-2}
    assert names(with_all(run(), ONE_PICTURE), **high)[0] == "learning rate too high"
    assert names(run(), **high) == ["healthy"]  # a high rate that works is nobody's business


def test_collapse_is_told_live_only_where_it_is_sure():
    good, bad = run(10), with_all(run(20)[10:], ONE_PICTURE)
    assert collapsed(good, FIELDS) is None
    assert collapsed(good + bad[:1], FIELDS) is None
    assert collapsed(good + bad[:2], FIELDS) is None
    finding = collapsed(good + bad[:3], FIELDS)
    assert finding is not None and finding.name == "mode collapse" and finding.sure >= 0.9


def test_a_generator_that_never_rose_is_given_time():
    never = with_all(run(20), ONE_PICTURE)
    assert collapsed(never[:7], FIELDS) is None
    assert collapsed(never[:9], FIELDS) is not None
    assert collapsed(never[-2:], FIELDS) is None  # two measurements are too few to act upon


def test_measurements_in_every_third_line_only():
    log = run(30) + with_all(run(40)[30:], ONE_PICTURE)
    for n, line in enumerate(log):
        if n % 3:
            for key in [key for key in line if key.startswith("watch")]:
                del line[key]
    assert collapsed(log[:36], FIELDS) is None
    assert collapsed(log, FIELDS) is not None


def test_healthy_moments():
    good = run(10)
    assert healthy(good, FIELDS)
    assert not healthy(good[:0], FIELDS)
    assert not healthy(good + with_all(run(11)[10:], ONE_PICTURE), FIELDS)
    assert not healthy(good + with_all(run(11)[10:], {"watch/diversity": 0.4}), FIELDS)
    assert not healthy(good + with_all(run(11)[10:], {"loss/discriminator": 9.0}), FIELDS)
    assert not healthy(with_all(good, ONE_PICTURE), FIELDS)


def test_the_worst_comes_first():
    log = with_all(run(watch__checkerboard=12.0), ONE_PICTURE)
    severities = [finding.severity for finding in diagnose(log, FIELDS, DATA)]
    assert severities == sorted(severities, key=SEVERITIES.index)
    assert severities[0] == "fault"


@pytest.mark.parametrize("missing", sorted(GOOD))
def test_any_column_may_be_missing(missing: str):
    log = run()
    for line in log:
        del line[missing]
    assert all(finding.severity == "good" for finding in diagnose(log, FIELDS, DATA))
