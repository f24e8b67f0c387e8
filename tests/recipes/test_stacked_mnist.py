"""Stacked MNIST's family: its published sizes, any resolution, refusals."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from figment.errors import UserError
from figment.networks.stacked_mnist import Discriminator, Generator, sides_of
from figment.recipes.parameters import count
from figment.recipes.stacked_mnist import HALF, StackedMNIST
from figment.rounds import Batch, Clock
from figment.training.trainer import build

CPU = torch.device("cpu")


def test_published_counts():
    assert count(HALF) == {"generator": 287_875, "discriminator": 1_889}
    assert count(replace(HALF, discriminator_width=2))["discriminator"] == 585


def test_published_numbers():
    HALF.check()
    assert (HALF.resolution, HALF.latent, HALF.batch) == (28, 256, 128)
    assert (HALF.generator_lr, HALF.discriminator_lr, HALF.betas) == (1e-4, 2e-4, (0.5, 0.99))
    assert HALF.images == 500_000 * HALF.batch


def test_sides_are_halves_rounded_up():
    assert sides_of(28) == [28, 14, 7, 4]
    assert sides_of(9) == [9, 5, 3, 2]


@pytest.mark.parametrize("resolution", [8, 9, 28, 31, 64])
def test_any_resolution(resolution: int):
    up = Generator(latent=5, channels=1, width=2, resolution=resolution)
    down = Discriminator(width=3, channels=1, dropout=0.1, resolution=resolution)
    images = up(torch.randn(2, 5))
    assert images.shape == (2, 1, resolution, resolution)
    assert down(images).shape == (2,)


def test_refusals_name_the_cure():
    with pytest.raises(UserError, match="resolution must be 8 or more, not 7: try 28"):
        replace(HALF, resolution=7).check()
    with pytest.raises(UserError, match="discriminator_width must be 1 or more"):
        replace(HALF, discriminator_width=0).check()
    with pytest.raises(UserError, match="needs at least 2 images"):
        replace(HALF, batch=1).check()


@pytest.mark.parametrize(("side", "learned"), [(28, 28), (20, 20), (100, 28), (5, 8)])
def test_nearest_resolution(side: int, learned: int):
    assert HALF.nearest_resolution(side) == learned


def test_without_norm_and_packed():
    """The discriminator of the benchmark's relativistic game judges each image alone; a pack is wider."""
    recipe = replace(HALF.tiny(), discriminator_norm="none")
    nets = build(recipe, CPU)
    images = torch.randn(4, *recipe.shape)
    alone = torch.cat([recipe.logits(nets, image[None], None) for image in images])
    assert torch.allclose(recipe.logits(nets, images, None), alone, atol=1e-6)
    packed = replace(HALF.tiny(), packing=2)
    assert count(packed)["discriminator"] - count(HALF.tiny())["discriminator"] == 3 * 4 * 9


def test_penalties_reach_the_first_layer():
    fields = {"objective": "relativistic", "r1": 1.0, "r2": 1.0, "discriminator_norm": "none"}
    recipe: StackedMNIST = replace(HALF.tiny(), **fields)
    nets = build(recipe, CPU)
    images = torch.rand(4, *recipe.shape) * 2 - 1
    fakes = recipe.generate(nets["generator"], torch.randn(4, recipe.latent), None).detach()
    batch = Batch(images, torch.zeros(4, dtype=torch.int64), torch.randn(4, recipe.latent))
    terms = recipe.discriminator_terms(nets, batch, fakes, Clock()).minimised
    (terms["r1"] + terms["r2"]).backward()
    gradient = next(nets["discriminator"].parameters()).grad
    assert gradient is not None
    assert gradient.any()
