"""Signs that no sound run has are named early; what young sound runs have is not."""

from __future__ import annotations

from typing import Any

import pytest
from test_diagnosis import DATA, FIELDS, ONE_PICTURE, run
from test_verdict import POINTS, scored

from figment.doctor.diagnosis import diagnose, healthy
from figment.recipes import system_fields

Log = list[dict[str, Any]]


def young(lines: int = 8, **changes: float) -> Log:
    """A log of so many lines of 30 rounds each."""
    return [
        line | {"rounds": 30 * n, "images": 960 * n}
        for n, line in enumerate(run(lines, **changes), 1)
    ]


def said(log: Log, data: dict[str, Any] = DATA, **fields: Any) -> list[str]:
    found = diagnose(log, FIELDS | fields, data)
    return [one.name for one in found if one.severity in ("fault", "warning")]


def course(log: Log, column: str, values: list[float]) -> Log:
    return [line | {column: value} for line, value in zip(log, values, strict=True)]


def test_a_grid_of_a_thousand_times_the_reals_is_named_early_and_one_of_thirty_not():
    assert said(young(watch__checkerboard=900)) == ["checkerboard"]
    assert said(young(5, watch__checkerboard=900)) == []  # five looks are too few
    assert said(young(watch__checkerboard=36)) == []
    falls = course(young(), "watch/checkerboard", [6_000, 3_000, 2_000, 900, 600, 400, 300, 250])
    assert said(falls) == ["checkerboard"]  # it would have to come down to 1


def test_a_plain_grid_that_stays_is_named_from_round_500_on():
    def late(**changes: float) -> Log:
        return [line | {"rounds": 100 * n} for n, line in enumerate(young(8, **changes), 1)]

    stays = {"watch__checkerboard": 9.0, "watch__contrast": 0.5}
    assert said(late(**stays)) == ["checkerboard"]
    assert said(young(8, **stays)) == []  # 240 rounds
    assert said(late(**stays | {"watch__checkerboard": 7.0})) == []
    assert said(late(**stays | {"watch__contrast": 0.1})) == []
    falls = course(late(**stays), "watch/checkerboard", [30, 25, 20, 17, 14, 12, 10, 9])
    assert said(falls) == []


def test_samples_that_leave_the_dark_half_for_good():
    log = young(watch__range=0.4)
    away = course(log, "watch/brightness", [0.08, 0.1, 0.14, 0.17, 0.2, 0.22, 0.24, 0.25])
    for column, word in (("watch/dark", "darker"), ("watch/light", "brighter")):
        ill = course(away, column, [0.3, 0.1, *[0.003] * 6])
        assert said(ill) == ["wrong normalisation"]
        assert f"ever {word} than middle grey" in diagnose(ill, FIELDS, DATA)[0].evidence
    back = course(log, "watch/brightness", [0.25, 0.24, 0.22, 0.2, 0.17, 0.14, 0.1, 0.08])
    assert said(course(back, "watch/dark", [0.3, 0.1, *[0.003] * 6])) == []
    assert said(away) == []  # it has dark pixels


def test_reals_that_are_changed_from_the_first_lines_on():
    log = young(score__real=1.1, score__fake=-0.5, score__held_out=-1.4)
    assert said(log) == ["wrong normalisation"]
    ill = young(12, score__real=1.1, score__fake=-0.5, score__held_out=-1.4)
    assert said(ill + young(40)[12:]) == ["wrong normalisation"]  # for good
    assert said(log[:3]) == []
    assert said([log[0], young()[1], *log[2:]]) == []  # one line of the first was sound
    assert said(log, augment="study") == []
    assert said(log, POINTS) == []


def test_blue_for_red():
    assert said(young(watch__channels=0.9)) == ["wrong normalisation"]
    assert said(young(watch__channels=0.2)) == []


def test_few_pictures_seen_a_hundred_times_are_known_by_heart_before_round_500():
    few = DATA | {"count": 45}
    held = ("score/held_out", "score/held_out_sign")
    log = [{k: v for k, v in line.items() if k not in held} for line in young(score__sign=0.98)]
    assert said(log, few) == ["discriminator overfitting"]
    findings = diagnose(log, FIELDS, few)
    assert [one.name for one in findings][-1] == "few pictures"  # after the true fault
    assert findings[-1].severity == "note"
    assert said([line | {"score/sign": 0.7} for line in log], few) == []
    assert said(log, DATA | {"count": 900}) == []


def test_many_points_are_not_known_by_heart():
    log = run(12, score__real=0.9, score__held_out=0.1, score__sign=0.9, score__held_out_sign=-0.5)
    assert said(log, POINTS | {"count": 20_000}) == []
    assert said(log, POINTS | {"count": 300}) == ["discriminator overfitting"]


def collapsed(diversity: list[float]) -> Log:
    log = [line | ONE_PICTURE | {"watch/look_alikes": 0.99} for line in run(len(diversity))]
    log = [line | {"rounds": 80 * n} for n, line in enumerate(log, 1)]
    return course(log, "watch/diversity", diversity)


def test_a_generator_that_loses_the_little_it_had_has_collapsed():
    shrinks = [0.19, 0.25, 0.22, 0.16, 0.16, 0.14, 0.14, 0.13, 0.14, 0.13]
    assert said(collapsed(shrinks)) == ["mode collapse"]
    assert said(collapsed(shrinks[::-1])) == []  # it widens
    assert said(collapsed([0.04] * 10)) == []  # slow rates: it has not begun


def test_one_mode_at_a_time():
    log = [
        line
        | {"rounds": 100 * n, "watch/diversity": 0.04, "watch/movement": 1.1, "watch/distance": 1.0}
        for n, line in enumerate(run(10), 1)
    ]
    assert said(log, POINTS)[0] == "oscillation"
    assert said([line | {"watch/movement": 0.2} for line in log], POINTS) == []
    assert said(log[:4], POINTS) == []


def classed(instead: dict[int, int], lines: int = 8, share: float = 0.7) -> Log:
    log = young(lines, watch__classes_told=0.95, watch__classes_obeyed=0.1, watch__distance=0.4)
    for line in log:
        for k, other in instead.items():
            line |= {
                f"class/told/{k}": 0.95,
                f"class/obeyed/{k}": 0.05,
                f"class/instead/{k}": float(other),
                f"class/mistaken/{k}": share,
            }
    return log


def test_classes_steadily_told_as_one_another_are_swapped_however_short_a_run():
    assert said(classed({0: 2, 1: 0, 2: 1})) == ["classes swapped"]
    assert said(classed({0: 2, 1: 0, 2: 1}, lines=5)) == []
    assert said(classed({0: 2, 1: 0, 2: 1}, share=0.4)) == []
    assert said(classed({0: 2, 1: 2, 2: 1})) == []  # most are told as the class they all look like
    wavering = classed({0: 2, 1: 0, 2: 1})
    for k in range(3):
        wavering[-2][f"class/instead/{k}"] = float((k + 1) % 3)
    assert said(wavering) == []


@pytest.mark.parametrize("rounds", [100, 400])
def test_a_score_far_from_its_floor_is_said_at_any_age(rounds: int):
    log = [line | {"rounds": rounds} for line in run(2)]
    (finding,) = diagnose(log, FIELDS, DATA, scored(1.8, 1.7))
    assert (finding.name, finding.severity) == ("still far from your pictures", "note")
    (finding,) = diagnose(log, FIELDS, DATA, scored(1.8, 0.004))
    assert finding.name == "too early to tell"


def test_clusters_that_a_young_run_misses_now_and_then_are_no_collapse():
    log = [line | {"rounds": 100 * n} for n, line in enumerate(run(10), 1)]
    missed = course(log, "watch/missing", [0.08] * 7 + [0.4] * 3)
    assert said(missed) == []
    assert said(course(log, "watch/missing", [0.05] * 4 + [0.4] * 6)) == ["partial mode collapse"]


def shared(shares: list[list[float]]) -> Log:
    """A log of 100 rounds a line, with the share that samples have of each class."""
    log = run(len(shares), watch__classes_told=0.9)
    for n, (line, row) in enumerate(zip(log, shares, strict=True), 1):
        line |= {"rounds": 100 * n} | {f"class/share/{k}": one for k, one in enumerate(row)}
    return log


def test_classes_that_are_never_drawn():
    without = [[2.0, 2.0, 0.0, 0.04]] * 8
    assert said(shared(without)) == ["partial mode collapse"]
    assert said(shared([*without[:7], [1.5, 2.0, 0.0, 0.5]])) == []  # one class alone may be hard
    assert said(shared(without[:5])) == []
    assert said([line | {"watch/diversity": 0.3} for line in shared(without)]) == []
    assert said([line | {"watch/classes_told": 0.5} for line in shared(without)]) == []


def test_classes_drawn_one_after_another():
    turns = [[4.0 if k == n % 4 else 0.4 for k in range(4)] for n in range(10)]
    assert said(shared(turns)) == ["oscillation"]
    assert said(shared(turns[:6])) == []  # five steps from one to the next
    calmer = [[1.5 if k == n % 4 else 0.8 for k in range(4)] for n in range(10)]
    assert said(shared(calmer)) == []


def test_samples_as_varied_as_the_reals_that_stay_away_from_them():
    ill = young(30, score__accuracy=0.6, watch__distance=0.5, watch__movement=0.2)
    assert said(ill) == ["wrong normalisation"]
    assert said(ill, augment="study") == []
    assert said([line | {"score/accuracy": 0.9} for line in ill]) == []  # it sees a difference
    assert said(course(ill, "watch/distance", [1 / n for n in range(1, 31)])) == []
    assert said([line | {"watch/diversity": 0.5} for line in ill]) == []


def test_a_discriminator_that_learns_eighty_times_as_much_a_round():
    sure = {"score__accuracy": 1.0, "score__fake": 0.001, "watch__distance": 0.7}
    log = course(young(8, **sure), "watch/distance", [0.9, 0.85, 0.8, 0.75, 0.72, 0.69, 0.6, 0.5])
    own = FIELDS | {"discriminator_moves": 1, "discriminator_lr": 1e-4, "generator_lr": 1e-4}
    driven = own | {"discriminator_moves": 8, "discriminator_lr": 1e-3}
    assert diagnose(log, driven, DATA, own=own)[0].name == "discriminator too strong"
    assert "80 times as much for each of" in diagnose(log, driven, DATA, own=own)[0].evidence
    assert diagnose(log, own, DATA, own=own)[0].name == "too early to tell"
    assert diagnose(log[:4], driven, DATA, own=own)[0].name == "too early to tell"  # 120 rounds


def test_a_generator_that_has_got_nowhere_under_a_sure_discriminator():
    sure = {"score__accuracy": 1.0, "score__fake": 1e-5, "watch__distance": 1.45}
    log = young(10, **sure, watch__diversity=0.05)
    assert said(log) == ["discriminator too strong"]
    assert said(young(4, **sure, watch__diversity=0.05)) == []
    nearer = course(log, "watch/distance", [1.45 - 0.02 * n for n in range(10)])
    assert said(nearer) == []
    assert said([line | {"score/fake": 0.02} for line in log]) == []  # it gives something yet


def test_a_discriminator_that_takes_all_samples_for_real():
    fooled = {"score__accuracy": 0.34, "score__fake": 0.99, "watch__distance": 1.4}
    assert said(run(**fooled, watch__brightness=-0.3))[0] == "generator too strong"
    assert "generator too strong" not in said(run(**fooled | {"score__fake": 0.6}))


def test_a_loss_with_a_least_value_that_is_thousands_has_blown_up():
    away = run(loss__discriminator=2e4, score__accuracy=0.93)
    assert said(away, objective="relativistic") == ["divergence"]
    assert said(run(loss__discriminator=9e3), objective="relativistic") == []
    assert "divergence" not in said(away, objective="wasserstein", gradient_penalty=10.0)
    fooled = {"score__accuracy": 0.34, "score__fake": 0.99}
    assert said(run(loss__discriminator=800.0, **fooled)) == ["divergence"]


def test_plain_gradient_descent_at_the_rate_of_adam():
    own = FIELDS | {"optimizer": "adam"}
    log = run(watch__diversity=0.05, watch__distance=1.2)
    found = diagnose(log, own | {"optimizer": "sgd"}, DATA, own=own)
    assert found[0].name == "learning rate too low" and "sgd" in found[0].evidence
    faster = own | {"optimizer": "sgd", "generator_lr": 0.05, "discriminator_lr": 0.05}
    assert "learning rate too low" not in [one.name for one in diagnose(log, faster, DATA, own=own)]
    varied = diagnose(run(watch__distance=1.2), own | {"optimizer": "sgd"}, DATA, own=own)
    assert "learning rate too low" not in [one.name for one in varied]
    good = diagnose(run(), own | {"optimizer": "sgd"}, DATA, own=own)
    assert [one.name for one in good] == ["healthy"]


def test_one_picture_whatever_the_latents():
    same = young(8, watch__diversity=0.0, watch__movement=0.3)
    assert said(same) == ["mode collapse"]
    assert said([line | {"watch/diversity": 0.04} for line in same]) == []
    assert said([line | {"watch/movement": 0.01} for line in same]) == []  # it has not begun
    assert said([line | {"rounds": line["rounds"] // 3} for line in same]) == []  # 80 rounds


def test_what_stays_blurred_is_said_before_a_thousand_rounds():
    log = young(20, watch__detail=0.3)  # 600 rounds
    assert said(log) == ["blurred samples"]
    assert said([line | {"watch/contrast": 0.1} for line in log]) == []
    assert said(log[:12]) == []


def test_three_by_three_kernels_at_strides_of_two_leave_a_grid():
    log = young(20, watch__checkerboard=2.5)
    assert said(log, up="kernel3") == ["checkerboard"]
    assert said(log) == [] == said(young(20, watch__checkerboard=1.1), up="kernel3")
    flags = diagnose(log, FIELDS | {"up": "kernel3"}, DATA)[0].flags
    assert flags == ("--up kernel4", "--up bilinear")


def test_what_a_recipe_of_ones_own_is_compared_with():
    fields = {"generator_lr": 2e-3, "discriminator_lr": 2e-3, "dropout": 0.95, "batch": 2}
    machine = {"fields": {"chosen": ["discriminator_lr"]}}
    assert system_fields("mine:NET", fields, machine) == {"generator_lr": 2e-3}
    assert system_fields("mine:NET", fields, {}) == {}
    assert system_fields("dcgan", fields, machine)["dropout"] == 0.0


def test_no_moment_of_a_blown_up_run_is_worth_going_back_to():
    assert healthy(run(), FIELDS | {"objective": "relativistic"})
    assert healthy(run(loss__discriminator=50.0), FIELDS | {"objective": "relativistic"})
    assert not healthy(run(loss__discriminator=2e4), FIELDS | {"objective": "relativistic"})


def test_rules_do_without_any_column():
    bare = [{"images": 32 * n, "rounds": n} for n in (600, 1200, 1800)]
    own = FIELDS | {"optimizer": "adam", "discriminator_moves": 1}
    assert diagnose(bare, own | {"optimizer": "sgd", "up": "kernel3"}, DATA, own=own)


@pytest.mark.parametrize("value", [10**400, "abc", [1], True, -1, float("nan"), None])
def test_numbers_of_a_strangers_recipe_that_are_none(value: Any):
    own = FIELDS | {"discriminator_moves": value, "generator_moves": value, "generator_lr": value}
    odd = [line | {"class/share/x": 1.0, "class/share/" + 5_000 * "9": 1.0} for line in run()]
    assert diagnose(odd, FIELDS | own, DATA, own=own)


def test_a_gradient_of_nothing_whatever_norms_moved_at_first():
    log = course(young(gradient__generator=0.0), "watch/movement", [0.02, 0.003, *[0.0001] * 6])
    assert said(log) == ["generator stands still"]
    assert said([line | {"gradient/generator": 0.1} for line in log]) == []


def test_what_is_said_of_classes_only_once_and_not_of_what_goes_away_or_is_rare():
    assert said(shared([[2.0, 2.0, 0.0, 0.0]] * 24)) == ["partial mode collapse"]
    sizes = [1, 1, 1, 1, 1, 0.95, 0.8, 0.65, 0.55, 0.5]
    less = [[1 + (-1) ** n * size, 1 - (-1) ** n * size] for n, size in enumerate(sizes)]
    assert said(shared(less)) == []
    assert said(shared([[1 + (-1) ** n, 1 - (-1) ** n] for n in range(10)])) == ["oscillation"]
    assert said(shared([[*[1.0] * 9, 10.0 * (n % 2)] for n in range(10)])) == []


def test_overfitting_is_not_what_changed_reals_or_samples_that_come_nearer_are_called():
    known = {"score__real": 0.9, "score__sign": 0.9, "score__held_out_sign": -0.9}
    changed = young(20, **known, score__fake=0.1, score__held_out=0.0)
    assert said(changed, DATA | {"count": 2_500}) == ["wrong normalisation"]
    heart = young(20, **known, score__fake=0.1, score__held_out=0.4)
    few = DATA | {"count": 900}
    assert said(heart, few) == ["discriminator overfitting"]
    nearer = course(heart, "watch/distance", [0.9**n for n in range(20)])
    assert said(nearer, few) == []
    assert said(young(12, score__real=1.0, score__fake=0.0, score__held_out=0.3)) == []
