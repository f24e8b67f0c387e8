"""What the discriminator is shown is named at the first look; momentum and exact repeats, too."""

from __future__ import annotations

from typing import Any

import pytest
from test_causes import OWN
from test_diagnosis import DATA, FIELDS, run
from test_early import young

from figment.doctor.diagnosis import diagnose
from figment.doctor.finding import Finding

SOUND = {"difference": 0.0, "scale": 1.0, "shift": 0.0, "saturation": 1.0, "channels": 0.0}
SOUND |= {"classes": 1.0, "classes_as_one": 1.0, "likeness": 1.0, "spread": 1.0, "whole": 1.0}


def shown(log: list[dict[str, Any]], **changes: float) -> list[dict[str, Any]]:
    columns = {f"shown/{name}": value for name, value in (SOUND | changes).items()}
    return [line | columns for line in log]


def faults(log: list[dict[str, Any]], **fields: Any) -> list[Finding]:
    found = diagnose(log, FIELDS | fields, DATA)
    return [one for one in found if one.severity == "fault"]


@pytest.mark.parametrize("log", [young(3), run(10)])
def test_pictures_that_are_shown_as_they_are(log: list[dict[str, Any]]):
    assert faults(shown(log)) == []
    assert faults(shown(log, difference=0.3, scale=0.9, shift=0.1, saturation=0.8)) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scale": 0.5, "shift": 0.5}, "times 0.5, +0.5"),
        ({"scale": 0.6}, "times 0.6, +0"),
        ({"scale": 1.6}, "times 1.6, +0"),
        ({"scale": -1.0}, "times -1, +0"),
        ({"scale": 127.0, "shift": 127.0}, "times 1.3e+02"),
        ({"shift": 0.3}, "times 1, +0.3"),
        ({"channels": 1.0}, "channels in another order"),
    ],
)
def test_levels_are_named_at_the_third_look(changes: dict[str, float], words: str):
    assert faults(shown(young(2), difference=0.7, **changes)) == []  # may be by chance
    first, *_ = faults(shown(young(3), difference=0.7, **changes))
    assert first.name == "wrong normalisation"
    assert words in first.evidence


def test_colours_that_are_lost_on_the_way():
    (fault,) = faults(shown(young(3), difference=0.4, saturation=0.02))
    assert fault.name == "colours missing"
    nothing = {
        "difference": 1.0,
        "saturation": 0.0,
        "scale": 0.0,
        "spread": 0.0,
        "likeness": 0.0,
        "structure": 0.0,
    }
    first, *_ = faults(shown(young(3), **nothing))
    assert first.name == "wrong normalisation" and "is one value" in first.evidence


def test_pixels_in_other_places():
    garbled = {"difference": 1.2, "likeness": 0.6, "structure": 0.1, "detail": 2.0}
    first, *_ = faults(shown(young(3), **garbled))
    assert first.name == "wrong normalisation" and "does not look like" in first.evidence
    assert faults(shown(young(3), **garbled | {"detail": 1.1})) == []  # turned or moved
    assert faults(shown(young(3), **garbled | {"spread": 1.6})) == []  # noise


def test_levels_that_differ_from_picture_to_picture_are_no_mistake():
    jitter = {"difference": 0.9, "likeness": 0.6, "scale": 0.3, "shift": 0.3}
    assert faults(shown(young(3), **jitter)) == []
    cut_off = {"difference": 2.0, "likeness": 0.9, "scale": 3.0}
    assert faults(shown(young(3), **cut_off))[0].name == "wrong normalisation"


def test_detail_that_is_lost_on_the_way():
    blurred = shown(young(3), difference=0.3, detail=0.4)
    assert [one.name for one in diagnose(blurred, FIELDS, DATA)][:1] == ["blurred samples"]
    assert diagnose(shown(young(3), detail=0.9), FIELDS, DATA)[0].severity == "note"
    grid = shown(run(watch__checkerboard=9.0), difference=0.3, detail=0.4)
    found = [one.name for one in diagnose(grid, FIELDS, DATA)]
    assert found[:2] == ["checkerboard", "blurred samples"]


def test_pictures_that_never_arrive():
    (fault,) = faults(shown(young(), kept=0.5))
    assert fault.name == "partial mode collapse" and "50% never" in fault.evidence
    assert faults(shown(young(5), kept=0.5)) == faults(shown(young(), kept=0.9)) == []
    assert faults(shown(young(), kept=0.55)) == []
    once = [*shown(young(7), kept=0.4), *shown(young(), kept=0.7)[7:]]
    assert faults(once)[0].name == "partial mode collapse"
    assert faults([*once[:-1], once[-1] | {"shown/kept": 0.8}]) == []


def test_classes_that_are_not_the_pictures_own():
    (fault,) = faults(shown(young(3), classes=0.0))
    assert fault.name == "classes swapped"
    (fault,) = faults(shown(young(3), classes=0.3, classes_as_one=0.4))
    assert fault.name == "classes not obeyed"
    assert faults(shown(young(3), classes=0.9, classes_as_one=0.9)) == []  # a tenth without


def test_what_is_known_to_be_shown_is_not_suspected():
    strange = {"score__real": 1.1, "score__fake": -0.5, "score__held_out": -1.4}
    assert [one.name for one in faults(young(**strange))] == ["wrong normalisation"]
    assert faults(shown(young(**strange))) == []
    assert faults(shown(young(**strange), whole=0.0)) != []


def test_a_system_of_our_own_that_has_not_its_contrast_yet():
    narrow = {"watch__range": 0.55, "watch__distance": 0.5}
    ours = [line | {"shown/difference": 0.0, "shown/whole": 1.0} for line in run(**narrow)]
    assert [one.name for one in faults(run(**narrow))] == ["wrong normalisation"]
    assert [one.name for one in faults(shown(run(**narrow), kept=1.0))] == ["wrong normalisation"]
    assert faults(ours) == []
    dark = [line | {"watch/brightness": -0.3} for line in ours]
    assert [one.name for one in faults(dark)] == ["wrong normalisation"]


def test_held_out_pictures_are_not_compared_with_others():
    known = {"score__held_out": 0.2, "score__held_out_sign": -0.5, "score__sign": 0.9}
    known |= {"score__real": 0.95, "score__fake": 0.1}
    assert [one.name for one in faults(shown(run(**known)))] == ["discriminator overfitting"]
    assert faults(shown(run(**known), difference=0.2)) == []


def test_few_pictures_that_a_sure_discriminator_has_seen_very_often():
    sure = {"score__accuracy": 1.0, "score__fake": 0.01, "score__sign": 1.0, "watch__distance": 0.8}
    log = [{k: v for k, v in line.items() if "held_out" not in k} for line in run(**sure)]

    def first(count: int, **fields: Any) -> str:
        return diagnose(log, OWN | fields, DATA | {"count": count}, (), OWN)[0].name

    assert first(80) == first(700) == "discriminator overfitting"
    assert first(900) == "discriminator too strong"  # seen 89 times
    assert first(80, discriminator_moves=8) == "discriminator too strong"
    log = shown(log, difference=0.3)
    assert first(80) == "discriminator too strong"
    taken = run(**sure, score__held_out=0.98, score__held_out_sign=1.0)
    named = diagnose(taken, OWN, DATA | {"count": 500}, (), OWN)[0].name
    assert named == "discriminator too strong"  # new pictures are taken for real as well


def test_samples_that_never_had_a_colour():
    grey = {"watch__saturation": 0.0, "watch__contrast": 0.5}
    assert [one.name for one in faults(young(**grey))] == ["colours missing"]
    assert faults(young(5, **grey)) == faults(young(**grey | {"watch__contrast": 0.05})) == []
    assert faults(young(**grey | {"watch__contrast": 0.12}))[0].name == "colours missing"
    assert faults(young(**{"watch__saturation": 0.01, "watch__contrast": 0.12})) == []
    assert faults(young(**grey | {"watch__contrast": 0.09})) == []
    first = young(1, watch__saturation=0.3)
    assert faults(first + young(8, **grey)[1:]) == []


def test_channels_that_are_shown_as_they_are_have_not_been_exchanged():
    swapped = run(watch__channels=0.9)
    assert [one.name for one in faults(swapped)] == ["wrong normalisation"]
    assert faults(shown(swapped)) == []


def test_a_generator_that_came_to_a_stop_with_one_picture_has_collapsed():
    still = {"watch__movement": 0.0005, "watch__distance": 0.8, "watch__look_alikes": 0.99}
    log = run(watch__diversity=0.001, watch__spacing=0.01, **still)
    before = run(3, watch__movement=0.9)
    assert faults(log)[0].name == "generator stands still"
    assert faults(before + log[3:])[0].name == "mode collapse"
    early = young(20, watch__diversity=0.001, watch__spacing=0.01, **still)
    moved = young(2, watch__movement=0.9, watch__diversity=0.05)
    assert faults(moved + early[2:])[0].name == "generator stands still"  # has had nothing to lose


def test_a_generator_that_never_drew_more_than_one_picture_and_has_stopped():
    sure = {"score__accuracy": 1.0, "score__fake": 0.001, "gradient__generator": 1e-5}
    one = {"watch__diversity": 0.0, "watch__spacing": 0.0, "watch__movement": 0.0}
    log = run(**sure, **one, watch__distance=0.8, watch__look_alikes=0.99)
    moved = run(1, watch__movement=0.5, watch__diversity=0.0)
    assert faults(log)[0].name == "discriminator too strong"
    assert faults(moved + log[1:])[0].name == "mode collapse"
    varied = run(1, watch__movement=0.5, watch__diversity=0.2)
    assert faults(varied + log[1:])[0].name == "discriminator too strong"


def test_a_generator_that_is_pulled_the_wrong_way():
    wrong = [line | {"pull/generator": 0.0} for line in young(3)]
    (fault,) = faults(wrong)
    assert fault.name == "wrong sign" and "100% of the discriminator's verdicts" in fault.evidence
    assert faults(wrong[:2]) == faults([*wrong[:2], wrong[2] | {"pull/generator": 0.2}]) == []
    assert faults([line | {"pull/generator": 1.0} for line in run(10)]) == []


def test_a_schedule_that_takes_a_rate_away():
    def said(log: list[dict[str, Any]], **fields: Any) -> list[str]:
        return [one.name for one in faults(log, generator_lr=2e-4, discriminator_lr=2e-4, **fields)]

    def used(player: str, last: float) -> list[dict[str, Any]]:
        first = {"rate/generator": 2e-4, "rate/discriminator": 2e-4}
        log = [line | first for line in young(9)]
        return log[:2] + [line | {f"rate/{player}": last} for line in log[2:]]

    assert said(used("generator", 2e-4)) == []
    assert said(used("generator", 1e-9)) == ["learning rate too low"]
    assert said(used("generator", 1e-9), rate_decay=1.0) == []
    assert said(used("discriminator", 0.5)) == ["learning rate too high"]
    assert said(used("generator", 1e-7)) == []  # a schedule may end so

    def grown(times: float) -> list[dict[str, Any]]:
        first = {"rate/generator": 2e-4}
        grows = [line | {"rate/discriminator": 2e-4 * times**n} for n, line in enumerate(young(9))]
        return [line | first for line in grows]

    assert said(grown(2.0)) == ["learning rate too high"]
    assert said(grown(1.7)) == []  # 70 times
    warm = [
        line | {"rate/generator": 2e-4 * min(1, 4.0 ** (n - 7))} for n, line in enumerate(young(9))
    ]
    assert said(warm) == []
    assert said([line | {"rate/generator": 1.0} for line in young()]) == []  # it is the optimiser's


def test_a_penalty_that_grows_for_ever():
    name = "penalty/gradient_penalty/discriminator"
    grows = [line | {name: 3.0 * 4.0**n} for n, line in enumerate(young())]
    assert [one.name for one in faults(grows)] == ["unbounded critic"]
    assert faults([line | {name: 500.0} for line in young()]) == []
    falls = [line | {name: 5e4 / 4.0**n} for n, line in enumerate(young())]
    assert faults(falls) == []


def with_betas(*betas: float, **columns: float) -> list[str]:
    log = run(10, **columns)
    found = diagnose(log, OWN | {"betas": list(betas)}, DATA, (), OWN | {"betas": [0.5, 0.999]})
    return [f"{one.name}, {one.severity}" for one in found]


def test_a_momentum_that_remembers_too_long():
    assert with_betas(0.5, 0.999) == ["healthy, good"]
    assert with_betas(0.9, 0.999) == with_betas(0.9, 0.85) == ["healthy, good"]
    assert with_betas(0.99, 0.999) == ["healthy, good"]
    assert with_betas(0.99, 0.999, watch__distance=0.5)[0] == "learning rate too high, fault"
    assert with_betas(0.99, 0.9)[0] == "learning rate too high, warning"
    assert with_betas(0.99, 0.9, watch__distance=0.5)[0] == "learning rate too high, fault"
    assert "learning rate" not in with_betas(0.0, 0.9, watch__distance=0.5)[0]


def test_samples_that_repeat_each_other_exactly():
    few = {"watch__spacing": 0.0, "watch__diversity": 0.2, "watch__look_alikes": 0.99}
    assert [one.name for one in faults(young(**few))] == ["mode collapse"]
    assert "repeated each other exactly" in faults(young(**few))[0].evidence
    assert faults(young(**few | {"watch__spacing": 0.02})) == []


def test_a_system_without_a_discriminator_has_no_player_that_is_too_strong():
    log = run(watch__distance=0.9)
    scores = ("score/", "jsd", "loss/discriminator")
    alone = [{k: v for k, v in line.items() if not k.startswith(scores)} for line in log]
    assert [one.name for one in faults(alone)] == []


def test_a_rate_of_nothing_is_named():
    log = run(watch__distance=0.9)
    found = diagnose(log, OWN | {"discriminator_lr": 0}, DATA, (), OWN | {"discriminator_lr": 2e-4})
    assert found[0].name == "learning rate too low"


def test_a_strangers_names_steer_no_terminal():
    name = "penalty/\x1b[31mred\r" + "x" * 300 + "/discriminator"
    (fault,) = faults([line | {name: 3.0 * 4.0**n} for n, line in enumerate(young())])
    assert fault.evidence.isprintable() and len(fault.evidence) < 150


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (8e-2, "is 400 times"),
        (5e-7, "is a 400th of"),
        (0, "is nothing beside"),
        (1e300, "e+303 times"),
    ],
)
def test_how_far_a_rate_is_off_is_said_in_a_few_letters(rate: float, words: str):
    log = run(watch__distance=0.9)
    own = OWN | {"discriminator_lr": 2e-4}
    found = diagnose(log, OWN | {"discriminator_lr": rate}, DATA, (), own)
    assert words in found[0].evidence
