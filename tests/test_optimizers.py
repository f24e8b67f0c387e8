"""Optimisers: one and two steps by hand, and rates that change through the training."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from figment.data import open_dataset
from figment.optimizers import optimizer_for
from figment.recipes import find
from figment.recipes.dcgan import DCGAN
from figment.recipes.goodfellow import Goodfellow
from figment.rounds import Clock
from figment.training.trainer import Trainer

CPU = torch.device("cpu")


def walk(kind: str, gradients: list[float], betas: tuple[float, float]) -> list[float]:
    """Return where a weight that starts at 1 is after each step, at learning rate .1."""
    weight = nn.Parameter(torch.ones(1))
    optimizer = optimizer_for(kind, [weight], 0.1, betas)
    places = []
    for gradient in gradients:
        weight.grad = torch.full((1,), gradient)
        optimizer.step()
        places.append(weight.item())
    return places


def test_plain_steps_with_momentum():
    """v = .5 v + g: steps of .1·2, then .1·(1 + 1)."""
    assert walk("sgd", [2.0, 1.0], (0.5, 0.9)) == pytest.approx([0.8, 0.6])
    assert walk("sgd", [2.0, 1.0], (0.0, 0.9)) == pytest.approx([0.8, 0.7])


def test_rmsprop():
    """s = .75 s + .25 g²: s = 1, then 1; steps of .1·2/1 and .1·1/1. Momentum adds half the first."""
    assert walk("rmsprop", [2.0, 1.0], (0.0, 0.75)) == pytest.approx([0.8, 0.7], abs=1e-6)
    assert walk("rmsprop", [2.0, 1.0], (0.5, 0.75)) == pytest.approx([0.8, 0.6], abs=1e-6)


def test_adam():
    """The first step is the rate, whatever the gradient; the second m/√v with both corrected."""
    mean, square = (0.5 * 0.5 * 2 + 0.5 * 1) / 0.75, (0.9 * 0.1 * 4 + 0.1 * 1) / 0.19
    second = 0.9 - 0.1 * mean / square**0.5
    assert walk("adam", [2.0, 1.0], (0.5, 0.9)) == pytest.approx([0.9, second], abs=1e-6)


def test_each_player_has_its_own_rate():
    recipe = replace(find("sagan")[1].tiny())
    optimizers = recipe.optimizers(recipe.build())
    rates = {player: o.param_groups[0]["lr"] for player, o in optimizers.items()}
    assert rates == {"generator": 1e-4, "discriminator": 4e-4}
    assert optimizers["generator"].param_groups[0]["betas"] == (0.0, 0.9)


def test_radfords_weights_decay():
    recipe = find("dcgan-radford")[1].tiny()
    nets = recipe.build()
    for player, optimizer in recipe.optimizers(nets).items():
        weights = list(nets[player].parameters())
        expected = []
        for weight in weights:
            weight.grad = torch.zeros_like(weight)
            # Adam's first step is g / (|g| + eps), with g the decayed weight itself.
            slope = 1e-5 * weight.detach()
            expected.append(weight.detach() - 2e-4 * slope / (slope.abs() + 1e-8))
        optimizer.step()
        for weight, place in zip(weights, expected, strict=True):
            torch.testing.assert_close(weight.detach(), place, rtol=0, atol=1e-7)


def rates_of(trainer: Trainer) -> list[float]:
    return [optimizer.param_groups[0]["lr"] for optimizer in trainer.optimizers.values()]


def trainer_of(recipe) -> Trainer:
    size = {"resolution": recipe.resolution, "channels": recipe.channels}
    return Trainer(recipe, open_dataset("flowers:24", progress=False, **size), CPU)


def test_goodfellows_rate_falls_and_momentum_rises():
    recipe = replace(Goodfellow().tiny(), momentum_images=16, rate_divisor=2.0)
    trainer = trainer_of(recipe)
    seen = []
    for _ in range(6):
        trainer.round()
        group = trainer.optimizers["generator"].param_groups[0]
        seen.append((group["lr"], group["momentum"]))
    rates, momenta = zip(*seen, strict=True)
    assert rates == pytest.approx([0.1 / 2**n for n in range(6)])
    assert momenta == pytest.approx([0.5, 0.55, 0.6, 0.65, 0.7, 0.7])
    published = Goodfellow()
    assert published.rate(Clock(0, 500 * 500)) == pytest.approx(0.367880, abs=1e-6)  # 1/e, nearly
    assert published.at(Clock(125 * 50_000, 0)).betas == pytest.approx((0.6, 0.999))


def test_rates_fall_to_nothing_and_keep_their_ratio():
    recipe = replace(find("sagan")[1].tiny(), images=32, rate_decay=1.0)
    trainer = trainer_of(recipe)
    for left in (1, 7 / 8, 6 / 8):
        trainer.round()
        assert rates_of(trainer) == pytest.approx([1e-4 * left, 4e-4 * left])
    eight = replace(recipe, images=8)
    assert [eight.rate(Clock(images)) for images in (0, 2, 8, 9)] == [1, 0.75, 0, 0]
    half = replace(eight, rate_decay=0.5)
    assert [half.rate(Clock(images)) for images in (0, 4, 5, 8)] == [1, 1, 0.75, 0]


def test_a_rollbacks_pace_and_a_resumed_clock_are_kept():
    recipe = replace(find("sngan")[1].tiny(), images=320, rate_decay=1.0, discriminator_moves=5)
    trainer = trainer_of(recipe)
    trainer.clock = Clock(160, 8)
    trainer.rate_scale = 0.5
    trainer.round()
    assert rates_of(trainer) == pytest.approx([2e-4 / 2 / 2] * 2)
    trainer.rate_scale = 0.25
    trainer.round()  # 5 moves of 4 images on
    assert rates_of(trainer) == pytest.approx([2e-4 / 4 * 140 / 320] * 2)


def test_momentum_of_adam_is_its_first_decay_rate():
    trainer = trainer_of(replace(Goodfellow().tiny(), optimizer="adam", momentum_images=4))
    trainer.round()
    trainer.round()
    assert trainer.optimizers["generator"].param_groups[0]["betas"] == (0.7, 0.999)


def test_a_play_with_a_memory_keeps_it():
    recipe = replace(find("sngan")[1].tiny(), play="optimistic", discriminator_moves=1)
    trainer = trainer_of(recipe)
    assert len(list(trainer.nets["turns"].buffers())) == len(trainer.weights())
    assert "turns" not in trainer_of(find("sngan")[1].tiny()).nets


def test_an_own_optimiser_keeps_its_rate():
    class Own(DCGAN):
        def optimizers(self, nets):
            return {
                player: torch.optim.SGD(nets[player].parameters(), lr=0.25)
                for player in ("generator", "discriminator")
            }

    trainer = trainer_of(replace(Own().tiny(), rate_decay=0.5, images=8))
    trainer.rate_scale = 0.5
    for _ in range(2):
        trainer.round()
        assert rates_of(trainer) == [0.125, 0.125]
