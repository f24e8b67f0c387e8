"""Fields that do nothing with what else is set: refused where they are set, and put back by ``fit_to``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from figment.data import Look
from figment.errors import UserError
from figment.fields import neutral
from figment.gan import GAN
from figment.recipe import Recipe
from figment.recipes import find
from figment.techniques import TECHNIQUES
from figment.techniques.slopes import WEIGHTS

DCGAN = find("dcgan")[1]
CLASSED = {"conditioning": "concat", "classes": 2}
PENALTIES = "--r1, --r2, --gradient-penalty, --zero-centred, --dragan"
IDLE: dict[str, tuple[Any, str, list[dict[str, Any]], list[dict[str, Any]]]] = {
    "augment_p": (
        0.5,
        "without --augment ada or ada-fixed",
        [{"augment": "ada"}, {"augment": "ada-fixed"}],
        [{}, {"augment": "diffaugment"}, {"augment": "study"}],
    ),
    "ada_transforms": (
        "bg",
        "without --augment ada or ada-fixed",
        [{"augment": "ada"}, {"augment": "ada-fixed", "augment_p": 0.3}],
        [{}, {"augment": "diffaugment"}],
    ),
    **{
        field: (
            value,
            "without --augment ada",
            [{"augment": "ada"}],
            [{}, {"augment": "diffaugment"}, {"augment": "ada-fixed", "augment_p": 0.3}],
        )
        for field, value in (("ada_target", 0.5), ("ada_images", 1_000))
    },
    **{
        field: (
            value,
            "without --vision-aided",
            [{"vision_aided": 1.0}],
            [{}, {"augment": "diffaugment"}],
        )
        for field, value in (("vision_every", 2), ("vision_side", 64), ("vision_augment", "none"))
    },
    "unroll": (9, "without --play unrolled", [{"play": "unrolled"}], [{}, {"play": "svre"}]),
    "gradient_penalty_sides": (
        1,
        "without --gradient-penalty",
        [{"gradient_penalty": 10.0}],
        [{}, {"r1": 1.0}, {"dragan": 1.0}],
    ),
    "penalty_every": (
        4,
        f"without a penalty on gradients ({PENALTIES})",
        [{name: 1.0} for name in WEIGHTS],
        [{}, {"drift": 1.0}],
    ),
    "reference": (
        32,
        "without --generator-norm reference or virtual",
        [{"generator_norm": "reference"}, {"generator_norm": "virtual"}],
        [{}, {"discriminator_norm": "layer"}],
    ),
    "instance_noise_images": (
        100,
        "without --instance-noise",
        [{"instance_noise": 0.1}],
        [{}],
    ),
    "minibatch_dimensions": (
        4,
        "without --minibatch-discrimination",
        [{"minibatch_discrimination": 8}],
        [{}, {"minibatch_stddev": True}],
    ),
    "orthogonal_players": (
        "generator",
        "without --orthogonal or --off-diagonal",
        [{"orthogonal": 1e-4}, {"off_diagonal": 1e-4}],
        [{}],
    ),
    **{
        field: (
            0.5,
            "without --conditioning classifier",
            [{"conditioning": "classifier", "classes": 2}],
            [{}, CLASSED],
        )
        for field in ("class_loss", "class_loss_generator")
    },
    **{
        field: (
            value,
            "without --conditioning",
            [CLASSED, {"conditioning": "projection", "classes": 2}],
            [{}, {"guidance": 1.0, "classes": 2}],
        )
        for field, value in (("class_norm", True), ("class_shares", (0.5, 0.5)))
    },
    "classes": (
        2,
        "without --conditioning, --guidance or --guidance-balance",
        [{"conditioning": "concat"}, {"guidance": 1.0}, {"guidance_balance": 1.0}],
        [{}],
    ),
    "guide_images": (
        100,
        "without --guidance or --guidance-balance",
        [{"guidance": 1.0, "classes": 2}, {"guidance_balance": 1.0, "classes": 2}],
        [{}, CLASSED],
    ),
    **{
        field: (
            value,
            "without a score: name one with --metrics",
            [{}],
            [{"metrics": ()}],
        )
        for field, value in (("metric_count", 128), ("patience", 2))
    },
    "top_k": (
        0.5,
        "with --adversarial 0, which leaves out the loss that it acts on",
        [{}],
        [{"adversarial": 0.0, "feature_matching": 1.0}],
    ),
}
"""field -> another value, why it does nothing, choices with which it has an effect, and ones without."""


def cases(place: int) -> list[tuple[str, dict[str, Any]]]:
    return [(field, choice) for field, case in IDLE.items() for choice in case[place]]


def test_every_field_that_can_do_nothing_alone_is_listed():
    idle = {field for technique in TECHNIQUES for field in technique.idle(GAN())}
    assert idle == {field for field, (_, _, _, without) in IDLE.items() if {} in without}


@pytest.mark.parametrize(("field", "choice"), cases(3))
def test_refused_where_it_does_nothing(field: str, choice: dict[str, Any]):
    value, reason, *_ = IDLE[field]
    recipe = replace(DCGAN, **choice)
    recipe.check()
    with pytest.raises(UserError) as caught:
        replace(recipe, **{field: value}).check()
    assert str(caught.value) == f"--{field.replace('_', '-')} has no effect {reason}"


@pytest.mark.parametrize(("field", "choice"), cases(2))
def test_let_through_where_it_has_an_effect(field: str, choice: dict[str, Any]):
    recipe = replace(DCGAN, **{**choice, field: IDLE[field][0]})
    recipe.check()
    assert recipe.without_idle() == recipe


@pytest.mark.parametrize(
    ("name", "field", "choice", "value", "reason"),
    [
        (
            "goodfellow",
            "momentum_images",
            {"final_momentum": 0.5},
            8,
            "where --final-momentum is the first of --betas: set another",
        ),
        ("L4c", "epsilon", {"optimizer": "sgd"}, 1e-8, "with --optimizer sgd"),
        (
            "L4c",
            "matching",
            {"feature_matching": 0.0, "adversarial": 1.0},
            "absolute",
            "without --feature-matching",
        ),
    ],
)
def test_fields_of_families(name: str, field: str, choice: dict, value: object, reason: str):
    with_effect = replace(find(name)[1], **{field: value})
    with_effect.check()
    assert field not in with_effect.idle()
    recipe = replace(find(name)[1], **choice).without_idle()
    recipe.check()
    assert value != neutral(type(recipe), field)
    with pytest.raises(UserError) as caught:
        replace(recipe, **{field: value}).check()
    assert str(caught.value) == f"--{field.replace('_', '-')} has no effect {reason}"


@pytest.mark.parametrize("field", [field for field, case in IDLE.items() if {} in case[3]])
def test_put_back_unless_pinned(field: str):
    """Nobody has asked for what a system sets and a choice makes idle; a pinned field is asked for."""
    look, changed = pictures(), replace(DCGAN, **{field: IDLE[field][0]})
    assert changed.fit_to(look) == DCGAN.fit_to(look)
    pinned = changed.fit_to(look, frozenset({field}))
    assert getattr(pinned, field) == IDLE[field][0]
    with pytest.raises(UserError, match=f"^--{field.replace('_', '-')} has no effect "):
        pinned.check()


def test_putting_back_is_to_the_first_declaration_not_to_the_systems_value():
    recipe = replace(find("points")[1], metrics=(), metric_count=500, batch=32)
    again = recipe.without_idle()
    assert again.metric_count == neutral(Recipe, "metric_count")
    assert again.batch == 32  # it has an effect


def test_the_second_of_betas_goes_with_sgd():
    recipe = replace(DCGAN, betas=(0.5, 0.9))
    recipe.check()
    plain = replace(recipe, optimizer="sgd")
    assert plain.without_idle().betas == (0.5, 0.999)
    plain.without_idle().check()
    kept = plain.without_idle(frozenset({"betas"}))
    assert kept.betas == (0.5, 0.9)
    with pytest.raises(UserError, match="the second of --betas has no effect with --optimizer sgd"):
        kept.check()


def pictures() -> Look:
    form = {"count": 100, "classes": (), "side": 64, "grey": False, "square": True}
    return Look(name="photos", source="photos", kind="images", **form)
