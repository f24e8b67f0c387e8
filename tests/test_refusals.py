"""What a recipe refuses: one line each, which names the cure, before anything is built."""

from __future__ import annotations

from dataclasses import replace

import pytest

from figment.errors import UserError
from figment.networks.layers.reference_norm import Referenced
from figment.recipe import Recipe
from figment.recipes import find

ABOVE_0 = [
    "resolution", "images", "batch", "latent", "tick", "generator_lr", "discriminator_lr",
    "reference", "minibatch_dimensions", "discriminator_moves", "generator_moves", "unroll",
    "penalty_every", "packing",
]  # fmt: skip
ZERO_OR_MORE = [
    "seed", "ema", "sample_every", "snapshot_every", "save_every", "metric_every", "patience",
    "minibatch_discrimination", "classes", "instance_noise", "instance_noise_images", "replay",
    "clip", "r1", "r2", "gradient_penalty", "zero_centred", "dragan", "lecam", "consistency",
    "consistency_fake", "drift", "orthogonal", "off_diagonal", "historical_averaging",
    "latent_consistency", "latent_diversity", "adversarial", "feature_matching", "class_loss",
    "class_loss_generator",
]  # fmt: skip


@pytest.mark.parametrize("field", ABOVE_0)
def test_numbers_above_0(field: str):
    for value in (0, -1):
        with pytest.raises(UserError, match=f"^{field} must be above 0, not {value}$"):
            replace(Recipe(), **{field: value}).check()


@pytest.mark.parametrize("field", ZERO_OR_MORE)
def test_numbers_from_0(field: str):
    with pytest.raises(UserError, match=f"^{field} must be 0 or more, not -1$"):
        replace(Recipe(), **{field: -1}).check()


CONTRADICTIONS = [
    ({"metric_count": 63}, "metric_count must be 64 or more, not 63"),
    ({"held_out": 1.0}, "held_out must be at least 0 and below 1, not 1.0"),
    ({"patience": 2, "metrics": ()}, "patience needs a score to wait for: name one with --metrics"),
    ({"channels": 2}, "channels must be 1 (grey) or 3 (colour), not 2"),
    ({"dropout": 1.0}, "dropout must be at least 0 and below 1, not 1.0"),
    ({"betas": (0.5, 1.0)}, "betas must be at least 0 and below 1, not (0.5, 1.0)"),
    *(
        (
            {"play": play, **moves},
            f"in {play} play both move at once: leave discriminator_moves and generator_moves at 1",
        )
        for play in ("simultaneous", "extragradient", "optimistic", "svre")
        for moves in ({"discriminator_moves": 2}, {"generator_moves": 2})
    ),
    (
        {"play": "extragradient", "balance": 0.8},
        "in extragradient play nobody waits: leave balance out",
    ),
    ({"balance": 0.5}, "balance must lie between .5 and 1, or be 0, not 0.5"),
    ({"balance": 1.0}, "balance must lie between .5 and 1, or be 0, not 1.0"),
    (
        {"play": "unrolled", "replay": 64},
        "an unrolled generator must reach all fakes: leave replay out",
    ),
    (
        {"play": "unrolled", "optimizer": "rmsprop"},
        "steps of RMSprop cannot be unrolled: set --optimizer adam or sgd",
    ),
    (
        {"play": "unrolled", "generator_moves": 2},
        "an unrolled round has one generator move: leave generator_moves at 1",
    ),
    (
        {"adversarial": 0.0},
        "the generator has nothing to learn: set adversarial or feature_matching",
    ),
    ({"top_k": 0.0}, "top_k must be above 0 and at most 1, not 0.0"),
    ({"top_k": 1.5}, "top_k must be above 0 and at most 1, not 1.5"),
    ({"top_k": 0.5, "packing": 2}, "packs are judged whole, top_k picks single fakes: choose one"),
    (
        {"top_k": 0.5, "adversarial": 0.0, "feature_matching": 1.0},
        "top_k picks by the objective, which has no weight: leave top_k out",
    ),
    (
        {"top_k": 0.5, "objective": "relativistic_average"},
        "all fakes are in the mean that reals are held against: leave top_k out",
    ),
    *(
        (
            {"top_k": 0.5, "play": "unrolled", "objective": objective},
            f"{objective} is unrolled whole, reals included, with no fakes left out: leave top_k "
            "out, or set --objective nonsaturating",
        )
        for objective in ("minimax", "wasserstein")
    ),
    *(
        (
            {"replay": 64, "conditioning": "projection", penalty: 1.0},
            "earlier fakes are of other classes than the reals beside them, and the penalty lies "
            "between the two: leave replay, conditioning or the penalty out",
        )
        for penalty in ("gradient_penalty", "zero_centred")
    ),
    (
        {"latent_consistency": 5.0, "replay": 64},
        "earlier fakes have no latents any more: leave replay out",
    ),
    (
        {"latent_diversity": 0.5},
        "latent_diversity alone lets the generator run away: add latent_consistency",
    ),
    ({"replay": 31}, "replay must be half a batch or more, not 31"),
    (
        {"real_target": 0.5, "fake_target": 0.5},
        "label targets need 0 <= fake_target < real_target <= 1, not fake_target 0.5 and "
        "real_target 0.5",
    ),
    (
        {"objective": "hinge", "real_target": 0.9},
        "objective hinge has no labels to smooth: leave real_target at 1 and fake_target at 0, or "
        "choose nonsaturating, minimax or least_squares",
    ),
    ({"batch": 65, "packing": 2}, "batch 65 is no whole number of packs of 2"),
    (
        {"class_shares": (0.7, 0.3)},
        "class_shares needs classes: set --conditioning, or leave it out",
    ),
    *(
        (
            {"class_shares": shares, "conditioning": "concat", "classes": 2},
            f"class_shares must be 2 shares, one a class, not {shares}: leave it out for those of the data",
        )
        for shares in ((1.0,), (1.5, -0.5), (0.0, 0.0))
    ),
    ({"class_norm": True}, "class_norm needs classes: set --conditioning"),
    *(
        (
            {"class_norm": True, "conditioning": "projection", "generator_norm": norm},
            f"class_norm and {norm} batch norm exclude each other",
        )
        for norm in ("reference", "virtual")
    ),
    (
        {"conditioning": "concat", "packing": 2},
        "a pack has no single class: leave packing or conditioning out",
    ),
]


@pytest.mark.parametrize(("fields", "sentence"), CONTRADICTIONS, ids=lambda part: str(part)[:60])
def test_contradictions(fields: dict, sentence: str):
    Recipe().check()
    with pytest.raises(UserError) as caught:
        replace(Recipe(), **fields).check()
    assert str(caught.value) == sentence


def test_what_makes_sense_is_let_through():
    for fields in (
        {"replay": 32},
        {"balance": 0.8},
        {"top_k": 0.5},
        {"adversarial": 0.0, "feature_matching": 1.0},
        {"latent_consistency": 5.0, "latent_diversity": 0.5},
        {"class_norm": True, "conditioning": "classifier"},
        {"play": "unrolled", "optimizer": "sgd", "discriminator_moves": 3},
        {"objective": "least_squares", "real_target": 0.9},
    ):
        replace(Recipe(), **fields).check()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"conditioning": "concat"}, "points have no classes: leave conditioning out"),
        ({"consistency": 1.0}, "points have nothing to flip: leave consistency out"),
        ({"consistency_fake": 1.0}, "points have nothing to flip: leave consistency out"),
    ],
)
def test_points(fields: dict, sentence: str):
    with pytest.raises(UserError, match=sentence):
        replace(find("points")[1], **fields).check()


@pytest.mark.parametrize(
    ("name", "fields", "sentence"),
    [
        ("sngan", {"discriminator_norm": "layer"}, "discriminator has no batch norm"),
        ("goodfellow", {"generator_norm": "virtual"}, "generator has no batch norm"),
        (
            "goodfellow",
            {"conditioning": "projection", "class_norm": True, "classes": 2},
            "generator has no batch norm to replace: leave class_norm out",
        ),
    ],
)
def test_norms_that_are_not_there(name: str, fields: dict, sentence: str):
    with pytest.raises(UserError, match=sentence):
        players(replace(find(name)[1].tiny(), **fields))


@pytest.mark.parametrize(
    ("name", "fields", "sentence"),
    [
        ("goodfellow", {"hidden": ()}, "hidden needs one or more layers of 1 or more units"),
        ("goodfellow", {"judge_hidden": (4, 0)}, "judge_hidden needs one or more layers"),
        ("goodfellow", {"pieces": 0}, "pieces and momentum_images must be above 0"),
        ("goodfellow", {"input_dropout": 1.0}, "input_dropout must be at least 0 and below 1"),
        ("goodfellow", {"final_momentum": 1.0}, "final_momentum must be at least 0 and below 1"),
        ("goodfellow", {"rate_divisor": 0.9}, "rate_divisor must be 1 or more"),
        ("goodfellow", {"betas": (0.0, 0.9)}, "momentum cannot rise from nothing"),
        ("sngan", {"resolution": 48}, "power of two from 16 to 1024, not 48: try 32"),
        ("sngan", {"width": 0}, "width and discriminator_width must be above 0"),
        ("sngan", {"attend": 4}, r"attend must be 0 or one of \[8, 16\], not 4"),
        ("sngan", {"batch": 1}, "batch norm needs company"),
        ("sngan", {"rate_decay": -0.1}, "rate_decay must be a share from 0 to 1, not -0.1"),
        ("dcgan", {"rate_decay": 1.5}, "rate_decay must be a share from 0 to 1, not 1.5"),
        ("fccgan", {"attend": 4}, r"attend must be 0 or one of \[8, 16\], not 4"),
        ("dcgan", {"attend": 32, "resolution": 32}, r"attend must be 0 or one of \[8, 16\]"),
        ("dcgan-radford", {"attend": 8}, "no self-attention: leave attend out, or take dcgan"),
        ("dcgan-radford", {"up": "nearest"}, "the authors' own: leave up out, or take dcgan"),
        ("dcgan-radford", {"weight_decay": -1.0}, "weight_decay must be 0 or more"),
    ],
)
def test_families(name: str, fields: dict, sentence: str):
    with pytest.raises(UserError, match=sentence):
        replace(find(name)[1], **fields).check()


def test_a_reference_larger_than_the_batch_is_no_mistake():
    """It is made of latents, not of the batch."""
    recipe = replace(find("dcgan-virtual")[1].tiny(), reference=9)
    recipe.check()
    generator = recipe.networks()["generator"]
    assert isinstance(generator, Referenced)
    assert [len(kept) for kept in generator.reference] == [9]
