"""BigGAN on the engine: with classes and without, orthogonal filters, truncation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from playing import assert_resumes, trainer_for
from torch.nn.utils import parametrize

from figment.data import look
from figment.errors import UserError
from figment.recipes.biggan import CIFAR, SMALL
from figment.recipes.parameters import count
from figment.sampling.generator import Generator

TINY = replace(CIFAR.tiny(), precision="float32")


def test_published_settings():
    assert (CIFAR.generator_lr, CIFAR.discriminator_lr, CIFAR.betas) == (2e-4, 2e-4, (0.0, 0.999))
    assert (CIFAR.batch, CIFAR.discriminator_moves, CIFAR.images) == (50, 4, 500 * 50_000)
    assert 0.5 ** (50 * 4 / CIFAR.ema) == pytest.approx(0.9999, abs=1e-6)
    assert (CIFAR.off_diagonal, CIFAR.orthogonal_players) == (1e-4, "generator")


def test_classes_cost_a_row_of_the_embedding_and_one_of_the_projection():
    ten, two = (count(replace(CIFAR, classes=classes)) for classes in (10, 2))
    assert ten["generator"] - two["generator"] == 8 * 128
    assert ten["discriminator"] - two["discriminator"] == 8 * 256


def test_data_without_classes_are_learned_without(photos: Path):
    fitted = SMALL.fit_to(look(str(photos)))
    fitted.check()
    assert (fitted.conditioning, fitted.classes, fitted.class_count()) == ("none", 0, 0)
    assert fitted.latent == 80 and fitted.resolution == 32
    with pytest.raises(UserError, match="has no classes: give each a folder"):
        SMALL.fit_to(look(str(photos)), frozenset({"conditioning"}))


def test_a_latent_is_what_its_chunks_share_out():
    classed = look("flowers:24")
    fitted = replace(SMALL, latent=82).fit_to(classed)
    assert (fitted.resolution, fitted.latent, fitted.classes) == (64, 80, 2)
    pinned = replace(SMALL, latent=82).fit_to(classed, frozenset({"latent"}))
    with pytest.raises(UserError, match=r"multiple of 5 at 64 px, .* not 82: try 80"):
        pinned.check()


def test_a_round_without_classes():
    recipe = replace(CIFAR, conditioning="none").tiny()
    seen = trainer_for(recipe).round()
    assert all(value.isfinite() for value in seen.values())
    assert {"penalty/off_diagonal/generator"} <= seen.keys()
    assert "penalty/off_diagonal/discriminator" not in seen


def test_both_players_have_spectral_norm():
    nets = replace(TINY, classes=2).networks()
    for player in ("generator", "discriminator"):
        assert any(parametrize.is_parametrized(m) for m in nets[player].modules())
    plain = replace(TINY, classes=2, spectral_norm="none").networks()
    assert not any(parametrize.is_parametrized(m) for m in plain.modules())


def test_it_resumes_to_the_bit(tmp_path: Path):
    assert_resumes(replace(TINY, classes=2), tmp_path)


def test_truncation_cuts_latents_off():
    recipe = replace(TINY, classes=2)
    assert recipe.latents(range(64), 0.5).abs().max() <= 0.5
    draw = Generator(recipe, trainer_for(recipe).averaged_generator()).sample
    whole, cut = (draw(16, truncation=value).array.astype(float) for value in (None, 0.1))
    assert cut.std(axis=0).mean() < whole.std(axis=0).mean()


def test_a_class_changes_the_picture():
    recipe = replace(TINY, classes=2)
    net = Generator(recipe, trainer_for(recipe).averaged_generator())
    torch.nn.init.normal_(net.net.embed.weight, std=5.0)
    pictures = net.draw(recipe.latents([0, 0]), torch.tensor([0, 1]))
    assert (pictures[0] != pictures[1]).any()


def test_norms_that_are_by_class_already_take_no_other():
    with pytest.raises(UserError, match="by class already: leave class_norm out"):
        replace(CIFAR, classes=2, class_norm=True).check()
