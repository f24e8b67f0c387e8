"""R3GAN on the engine: five ramps, both penalties in every round, and exact resume."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from playing import assert_resumes, difference_in_quarters, flowers, trainer_for

from figment.data import look
from figment.data.symmetry import symmetric
from figment.errors import UserError
from figment.recipes.parameters import count
from figment.recipes.r3gan import (
    CIFAR,
    FFHQ_64,
    FFHQ_256,
    IMAGENET_32,
    IMAGENET_64,
    R3GAN,
    SMALL,
    STACKED_MNIST,
)
from figment.rounds import Clock
from figment.sampling.generator import Generator

TINY = replace(R3GAN(ema=100_000).tiny(), precision="float32")


@pytest.mark.parametrize(
    ("share", "rate", "gamma", "beta2", "p", "half_life"),
    [
        (0.0, 2e-4, 2.0, 0.9, 0.0, 0),
        (0.25, 1.780330e-4, 1.736396, 0.913180, 0.043934, 73_223),
        (0.5, 1.25e-4, 1.1, 0.945, 0.15, 250_000),
        (1.0, 5e-5, 0.2, 0.99, 0.3, 500_000),
        (4.0, 5e-5, 0.2, 0.99, 0.3, 500_000),
    ],
)
def test_five_ramps(share, rate, gamma, beta2, p, half_life):
    """v(t) = end + (start - end) (1 + cos(pi t / T)) / 2, then constant; the published presets' values."""
    now = FFHQ_64.at(Clock(images=round(share * FFHQ_64.ramp_images)))
    assert (now.generator_lr, now.discriminator_lr) == pytest.approx((rate, rate), rel=1e-6)
    assert (now.r1, now.r2) == pytest.approx((gamma, gamma), rel=1e-6)
    assert now.betas == pytest.approx((0.0, beta2), rel=1e-6)
    assert now.augment_p == pytest.approx(p, abs=1e-6)
    assert now.ema == half_life
    assert replace(now, images=1) != now and now.width == 768  # nothing else moves


def test_the_ramp_of_the_small_one_is_as_long_as_its_training():
    recipe = replace(SMALL, images=1000)
    assert recipe.at(Clock(images=500)).r1 == pytest.approx(SMALL.r1 * 0.55)
    assert recipe.at(Clock(images=1000)).r1 == pytest.approx(SMALL.r1 * 0.1)


def test_the_small_one_follows_its_pictures():
    """Its finest map has half of their side; it mirrors what has no left and right."""
    dataset = flowers(64)
    fitted = SMALL.fit_to(look("flowers:256")).settle(dataset)
    assert (fitted.resolution, fitted.finest, fitted.mirror) == (64, 32, symmetric(dataset))
    half = SMALL.fit_to(look("flowers:256"), frozenset({"resolution"}))
    small = replace(SMALL, resolution=32).fit_to(look("flowers:256"), frozenset({"resolution"}))
    assert (half.finest, small.finest) == (32, 16)


@pytest.mark.parametrize(
    ("recipe", "gamma", "half_life", "p"),
    [
        (CIFAR, 0.05, 5_000_000, 0.55),
        (STACKED_MNIST, 1.0, 500_000, 0.0),
        (IMAGENET_32, 0.5, 50_000_000, 0.5),
        (IMAGENET_64, 1.0, 50_000_000, 0.4),
    ],
)
def test_other_published_settings(recipe: R3GAN, gamma: float, half_life: int, p: float):
    recipe = replace(recipe, classes=10) if recipe.conditional else recipe
    recipe.check()
    start, end = recipe.at(Clock()), recipe.at(Clock(images=recipe.ramp_images))
    assert (start.r1, end.r1) == pytest.approx((gamma, gamma / 10))
    assert (end.ema, end.augment_p) == (half_life, p)


def test_imagenet_is_twice_as_wide():
    counts = count(replace(IMAGENET_64, classes=1000))
    assert counts == {"generator": 103_570_432, "discriminator": 107_205_120}


def test_the_rates_also_fall_as_in_all_games():
    recipe = R3GAN(images=1000, ramp_images=1000, rate_decay=1.0)
    now = recipe.at(Clock(images=500))
    assert now.generator_lr == pytest.approx(0.5 * 1.25e-4)


def test_a_penalty_that_was_left_out_stays_out():
    assert R3GAN(r2=0.0).at(Clock(images=500_000)).r2 == 0
    wide = FFHQ_256.at(Clock(images=FFHQ_256.ramp_images))
    assert (wide.r1, wide.r2) == pytest.approx((15, 15))


def test_the_optimisers_and_the_average_follow_the_ramps():
    """Rates and betas are those at the round's beginning; so short an average copies at first."""
    trainer = trainer_for(replace(TINY, ramp_images=16, ema=32))
    for played in range(5):
        now = trainer.recipe.at(Clock(images=4 * played))
        seen = trainer.round()
        for optimizer in trainer.optimizers.values():
            assert optimizer.param_groups[0]["lr"] == now.generator_lr
            assert optimizer.param_groups[0]["betas"] == now.betas
        assert {"penalty/r1/discriminator", "penalty/r2/discriminator"} <= seen.keys()
        assert "score/sign" not in seen  # only differences of its logits count
    assert now.augment_p == TINY.augment_p
    trainer.rate_scale = 0.5
    trainer.round()
    assert trainer.optimizers["generator"].param_groups[0]["lr"] == pytest.approx(2.5e-5)


def test_what_takes_the_place_of_adam_follows_the_ramp_or_says_that_it_cannot():
    trainer = trainer_for(replace(TINY, ramp_images=16, optimizer="rmsprop"))
    for played in range(3):
        now = trainer.recipe.at(Clock(images=4 * played))
        trainer.round()
        assert trainer.optimizers["generator"].param_groups[0]["alpha"] == now.betas[1]
    with pytest.raises(UserError, match="--final-beta2 has no effect with --optimizer sgd"):
        replace(TINY, optimizer="sgd", betas=(0.0, 0.999), final_beta2=0.95).check()


def test_the_augmentation_starts_as_none_and_ends_at_its_probability():
    recipe = replace(TINY, augment_p=1.0, ramp_images=64)
    images = torch.rand(16, 3, 32, 32) * 2 - 1
    nets = recipe.networks()
    assert torch.equal(recipe.at(Clock()).show(nets, images), images)
    assert not torch.equal(recipe.at(Clock(images=64)).show(nets, images), images)


def test_a_constant_in_all_logits_changes_nothing():
    trainer = trainer_for(TINY)
    batch = trainer.next_batch()
    fakes = trainer.generate(batch)
    judge = trainer.nets["discriminator"]
    found = []
    for constant in (0.0, 3.0):
        judge.head.register_forward_hook(lambda *given, c=constant: given[2] + c)
        torch.manual_seed(0)
        terms = TINY.discriminator_terms(trainer.nets, batch, fakes.detach(), trainer.clock)
        torch.manual_seed(0)
        more = TINY.generator_terms(trainer.nets, batch, fakes, trainer.clock)
        found.append([v.item() for v in (*terms.minimised.values(), *more.minimised.values())])
    assert found[0] == pytest.approx(found[1], rel=1e-5)


def test_it_resumes_to_the_bit(tmp_path: Path):
    assert_resumes(TINY, tmp_path)


@pytest.mark.parametrize("fields", [{"minibatch_stddev": True}, {"minibatch_discrimination": 3}])
def test_its_projection_takes_what_else_compares_a_batch(fields: dict):
    recipe = replace(TINY, conditioning="projection", classes=2, r1=0.0, r2=0.0, **fields)
    recipe.check()
    trainer = trainer_for(recipe)
    trainer.round()
    wide = trainer.nets["discriminator"].head
    (linear,) = (m for m in wide.modules() if isinstance(m, torch.nn.Linear))
    assert linear.in_features == 8 + (3 if "minibatch_discrimination" in fields else 1)


def test_micro_batches_are_the_whole():
    assert max(difference_in_quarters(replace(TINY, batch=8), rounds=3).values()) < 1e-6


@pytest.mark.parametrize("conditioning", ["concat", "projection", "classifier"])
def test_it_takes_classes(conditioning: str):
    recipe = replace(TINY, batch=4, conditioning=conditioning, classes=10)
    trainer = trainer_for(recipe)
    trainer.round()
    assert trainer.validate()["score/held_out"].isfinite()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"width": 8}, "width must be a multiple of 16 with maps up to 64 px, .* not 8: try 16"),
        ({"resolution": 256, "width": 96}, "try 64"),
        ({"resolution": 16}, "from 32 to 256, not 16: try 32"),
        ({"final_rate": 0.0}, "final_rate must be above 0"),
        ({"final_beta2": 1.0}, "final_beta2 must be at least 0 and below 1"),
        ({"ramp_images": -1}, "ramp_images must be 0 or more"),
        ({"finest": 64}, r"finest must be 0 or one of \[8, 16, 32\], not 64"),
        ({"widest": 12}, "widest must be 4, 8, 16, 32 or 64, not 12"),
        ({"group": 32, "width": 48}, "groups of 32 channels, not 48: try 32"),
        ({"spectral_norm": "discriminator"}, "--spectral-norm is not for R3GAN"),
        ({"augment": "ada"}, "no zero to tell overfitting by"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict, sentence: str):
    R3GAN().check()
    with pytest.raises(UserError, match=sentence):
        R3GAN(**fields).check()


def test_samples_are_functions_of_their_seeds():
    trainer = trainer_for(TINY)
    trainer.round()
    draw = Generator(TINY, trainer.averaged_generator()).sample
    six = draw(6, seed=3).array
    assert (draw(6, seed=3).array == six).all()
    assert (abs(draw(1, seed=5).array[0].astype(int) - six[2]) <= 1).all()
    assert len({picture.tobytes() for picture in six}) == 6
