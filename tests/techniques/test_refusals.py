"""What a recipe refuses: one line each, which names the cure, before anything is built."""

from __future__ import annotations

from dataclasses import replace

import pytest

from figment.errors import UserError
from figment.fields import fields_of, neutral
from figment.gan import GAN
from figment.networks.layers.reference_norm import Referenced
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
            replace(GAN(), **{field: value}).check()


@pytest.mark.parametrize("field", ZERO_OR_MORE)
def test_numbers_from_0(field: str):
    with pytest.raises(UserError, match=f"^{field} must be 0 or more, not -1$"):
        replace(GAN(), **{field: -1}).check()


CONTRADICTIONS = [
    ({"lecam": float("nan")}, "lecam must be a finite number, not nan"),
    ({"betas": (0.5, float("inf"))}, "betas must be a finite number, not (0.5, inf)"),
    ({"metric_count": 63}, "metric_count must be 64 or more, not 63"),
    ({"held_out": 1.0}, "held_out must be at least 0 and below 1, not 1.0"),
    (
        {"patience": 2, "metrics": ()},
        "--patience has no effect without a score: name one with --metrics",
    ),
    ({"channels": 2}, "channels must be 1 (grey) or 3 (colour), not 2"),
    (
        {"micro_batch": 24},
        "batch 64 is no whole number of micro-batches of 24: set --micro-batch to one of its divisors",
    ),
    ({"dropout": 1.0}, "dropout must be at least 0 and below 1, not 1.0"),
    ({"betas": (0.5, 1.0)}, "betas must be at least 0 and below 1, not (0.5, 1.0)"),
    (
        {"optimizer": "sgd", "betas": (0.5, 0.9)},
        "the second of --betas has no effect with --optimizer sgd, whose momentum is the first: "
        "set --betas 0.5 0.999",
    ),
    ({"balance": 0.5}, "balance must lie between .5 and 1, or be 0, not 0.5"),
    ({"balance": 1.0}, "balance must lie between .5 and 1, or be 0, not 1.0"),
    (
        {"adversarial": 0.0},
        "the generator has nothing to learn: set adversarial or feature_matching",
    ),
    ({"top_k": 0.0}, "top_k must be above 0 and at most 1, not 0.0"),
    ({"top_k": 1.5}, "top_k must be above 0 and at most 1, not 1.5"),
    (
        {"top_k": 0.5, "adversarial": 0.0, "feature_matching": 1.0},
        "--top-k has no effect with --adversarial 0, which leaves out the loss that it acts on",
    ),
    *(
        (
            {"top_k": 0.5, "play": "unrolled", "objective": objective},
            f"--top-k cannot be used with --play unrolled and --objective {objective}, a zero-sum game "
            "that is unrolled whole: leave top_k out, or set --objective nonsaturating",
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
        "--real-target has no effect with --objective hinge, which has no labels to smooth: "
        "nonsaturating, minimax and least_squares have",
    ),
    (
        {"batch": 65, "packing": 2},
        "batch 65 is no whole number of packs of 2: set --batch to a multiple",
    ),
    *(
        (
            {"class_shares": shares, "conditioning": "concat", "classes": 2},
            f"class_shares must be 2 shares, one a class, not {shares}: leave it out for those of the data",
        )
        for shares in ((1.0,), (1.5, -0.5), (0.0, 0.0))
    ),
    *(
        (
            {"micro_batch": 16, "r1": 1.0, field: value},
            f"--micro-batch cannot be used with --{field.replace('_', '-')} and a penalty on gradients, "
            "which needs the whole batch at once: leave one of the three out",
        )
        for field, value in (("minibatch_discrimination", 8), ("minibatch_stddev", True))
    ),
]


@pytest.mark.parametrize(("fields", "sentence"), CONTRADICTIONS, ids=lambda part: str(part)[:60])
def test_contradictions(fields: dict, sentence: str):
    GAN().check()
    with pytest.raises(UserError) as caught:
        replace(GAN(), **fields).check()
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
        replace(GAN(), **fields).check()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"conditioning": "concat"}, "points have no classes: leave conditioning out"),
        ({"guidance": 1.0}, "points have no classes: leave guidance out"),
        ({"consistency": 1.0}, "--consistency works on pictures only: leave it out for points"),
        ({"consistency_fake": 1.0}, "--consistency-fake works on pictures only"),
        ({"augment": "diffaugment"}, "--augment works on pictures only"),
        ({"mirror": True}, "--mirror works on pictures only"),
        *(
            ({field: value}, f"--{field} has no effect on points")
            for field, value in (
                *(("resolution", 32), ("channels", 1), ("fit", "pad"), ("features", "small")),
            )
        ),
    ],
)
def test_points(fields: dict, sentence: str):
    with pytest.raises(UserError, match=sentence):
        replace(find("points")[1], **fields).check()


@pytest.mark.parametrize(
    ("name", "fields", "sentence"),
    [
        *(
            ("sngan", {"discriminator_norm": norm}, "discriminator has no batch norm to replace")
            for norm in ("none", "layer", "instance")
        ),
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
        replace(find(name)[1].tiny(), **fields).networks()


@pytest.mark.parametrize(
    ("name", "fields", "sentence"),
    [
        ("goodfellow", {"hidden": ()}, "hidden needs one or more layers of 1 or more units"),
        ("goodfellow", {"judge_hidden": (4, 0)}, "judge_hidden needs one or more layers"),
        ("goodfellow", {"pieces": 0}, "pieces must be 1 or more, not 0"),
        ("goodfellow", {"input_dropout": 1.0}, "input_dropout must be at least 0 and below 1"),
        ("goodfellow", {"final_momentum": 1.0}, "final_momentum must be at least 0 and below 1"),
        ("goodfellow", {"rate_divisor": 0.9}, "rate_divisor must be 1 or more"),
        ("goodfellow", {"betas": (0.0, 0.999)}, "momentum cannot rise from 0"),
        ("sngan", {"resolution": 48}, "power of two from 16 to 1024, not 48: try 32"),
        ("sngan", {"width": 0}, "width must be 1 or more"),
        ("sngan", {"attend": 4}, r"attend must be 0 or one of \[8, 16\], not 4"),
        (
            "sngan",
            {"batch": 1},
            "batch must be 2 or more: batch normalisation needs at least 2 images",
        ),
        ("sngan", {"micro_batch": 1}, "micro_batch must be 2 or more"),
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


def test_a_neutral_value_is_that_of_the_first_class_with_the_field():
    recipe = find("few-shot")[1]
    assert (recipe.augment, recipe.width) == ("diffaugment", 32)
    assert neutral(type(recipe), "augment") == "none"
    assert neutral(type(recipe), "width") == 64  # DCGAN's
    assert {field: neutral(GAN, field) for field in fields_of(GAN())} == fields_of(GAN())


def test_a_reference_larger_than_the_batch_is_no_mistake():
    """It is made of latents, not of the batch."""
    recipe = replace(find("dcgan-virtual")[1].tiny(), reference=9)
    recipe.check()
    generator = recipe.networks()["generator"]
    assert isinstance(generator, Referenced)
    assert [len(kept) for kept in generator.reference] == [9]
