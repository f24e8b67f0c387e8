"""Causes in the recipe's fields are named before what they do to the samples."""

from __future__ import annotations

from typing import Any

import pytest
from test_diagnosis import DATA, FIELDS, ONE_PICTURE, names, run, with_all

from figment.doctor.diagnosis import diagnose
from figment.doctor.finding import Finding
from figment.fields import fields_of
from figment.recipes import SYSTEMS

OWN = FIELDS | {"optimizer": "adam", "batch": 64}


def said(log: list[dict[str, Any]], data: dict[str, Any] = DATA, **fields: Any) -> list[Finding]:
    return diagnose(log, OWN | fields, data, (), OWN)


@pytest.mark.parametrize("lines", [1, 10])
def test_a_critic_that_nothing_bounds(lines: int):
    log = run(lines, loss__discriminator=-300.0, watch__distance=0.8)
    assert names(log, objective="wasserstein")[0] == "unbounded critic"
    bounds = ({"clip": 0.01}, {"gradient_penalty": 10.0}, {"r1": 1.0}, {"dragan": 10.0})
    for bound in (*bounds, {"spectral_norm": "discriminator"}):
        assert "unbounded critic" not in names(log, objective="wasserstein", **bound)
    assert "unbounded critic" not in names(log, objective="hinge")


def test_a_clip_that_no_weight_comes_near_bounds_nothing():
    assert names(run(), objective="wasserstein", clip=10.0)[0] == "unbounded critic"


def test_no_gradient_to_the_generator_comes_before_the_sure_discriminator():
    sure = {
        "score/accuracy": 1.0,
        "score/fake": 0.001,
        "watch/distance": 0.8,
        "watch/movement": 0.0,
    }
    log = with_all(run(), sure)
    assert names(with_all(log, {"gradient/generator": 0.0}))[0] == "generator stands still"
    starved = with_all(log[:3], {"gradient/generator": 9.0}) + with_all(
        log[3:], {"gradient/generator": 0.0}
    )  # by a discriminator that is sure
    assert names(starved)[0] == "discriminator too strong"


def test_no_system_is_unbounded_or_drops_too_much():
    for name, system in SYSTEMS.items():
        fields = fields_of(system.recipe)
        found = diagnose(run(1), fields, DATA, (), fields)
        assert {one.severity for one in found} == {"note"}, name


def test_a_class_that_nothing_asks_the_generator_for():
    classed = {"conditioning": "classifier", "classes": 10}
    first = said(run(), **classed, class_loss_generator=0.0)[0]
    assert (first.name, first.severity) == ("classes not obeyed", "fault")
    assert "--class-loss-generator 1" in first.flags
    for heard in (classed, {"conditioning": "concat"}, {"conditioning": "projection"}):
        assert said(run(), **heard)[0].name == "healthy"


def test_extreme_dropout_comes_before_what_it_does():
    log = run(score__accuracy=0.5, jsd=0.0, watch__distance=0.8)
    found = [one.name for one in said(log, dropout=0.95)]
    assert found[:2] == ["extreme dropout", "generator too strong"]
    assert said(run(), dropout=0.5)[0].name == "healthy"


@pytest.mark.parametrize("player", ["generator", "discriminator"])
@pytest.mark.parametrize(("times", "name"), [(200, "too high"), (1 / 200, "too low")])
def test_a_rate_far_from_the_systems_own(player: str, times: float, name: str):
    rate = {f"{player}_lr": OWN[f"{player}_lr"] * times}
    first = said(run(watch__distance=0.7, loss__generator=40.0), **rate)[0]
    assert (first.name, first.severity) == (f"learning rate {name}", "fault")
    assert first.flags == (f"--{player}-lr 0.0002",)
    early = said(run(1), **rate)
    assert [one.severity for one in early] == ["warning", "note"]
    assert early[1].advice == ""  # nothing says "keep going" under a warning
    works = said(run(), **rate)  # it is said all the same, and nothing is praised
    assert [one.severity for one in works] == ["warning", "note"]


def test_the_systems_own_rate_is_the_measure():
    own = OWN | {"generator_lr": 2e-5, "discriminator_lr": 2e-5}
    log = with_all(run(), ONE_PICTURE | {"watch/diversity": 1.4, "watch/look_alikes": 0.0})
    high = OWN | {"generator_lr": 4e-3, "discriminator_lr": 4e-3}
    first = diagnose(log, high, DATA, (), own)[0]
    assert first.name == "learning rate too high" and "200 times" in first.evidence
    assert first.flags == ("--generator-lr 2e-05", "--discriminator-lr 2e-05")


def test_rates_of_another_optimiser_are_no_measure():
    own = OWN | {"optimizer": "sgd", "generator_lr": 0.1, "discriminator_lr": 0.05}
    assert diagnose(run(watch__distance=0.7), own, DATA, (), own)[0].severity == "note"
    log = run(watch__distance=0.7)
    assert diagnose(log, own | {"optimizer": "rmsprop"}, DATA, (), own)[0].severity == "note"


def test_a_batch_of_two():
    log = run(watch__distance=0.5)
    first = said(log, batch=2)[0]
    assert (first.name, first.flags) == ("tiny batch", ("--batch 64",))
    assert diagnose(run(), OWN | {"batch": 2}, DATA, (), OWN | {"batch": 4})[0].name == "healthy"


def test_a_generator_that_does_not_learn():
    log = run(watch__movement=0.0, watch__distance=0.8, score__accuracy=0.999, score__fake=0.001)
    assert said(log)[0].name == "generator stands still"
    vanished = with_all(
        log, {"gradient/generator": 1e-6}
    )  # nothing reaches it: that has another name
    assert said(vanished)[0].name == "discriminator too strong"


def test_what_is_wrong_with_the_data_is_carried_on():
    noise = Finding("noise for data", "fault", 0.95, "It is noise.", "Give others.")
    repeats = Finding("near repeats", "warning", 0.85, "5% are.", "Remove them.")
    data = DATA | {"findings": [noise._asdict()]}
    assert [one.name for one in said(run(), data)] == ["noise for data"]
    (warning, rest) = said(run(), DATA | {"findings": [repeats._asdict()]})
    assert warning == repeats
    assert (rest.name, rest.severity) == ("nothing else found", "note")
    broken = DATA | {"findings": [{"name": "x"}, 3]}
    assert said(run(), broken)[0].name == "healthy"
    assert said(run(), DATA | {"count": 12})[0].name == "near-empty data"
