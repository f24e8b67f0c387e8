"""Autoencoders: their terms and columns, the way there and back, what they refuse, and that they learn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from playing import assert_resumes, difference_in_quarters, state_of, trainer_for

from figment.errors import UserError
from figment.fields import fields_of
from figment.objectives.variational import divergence, squared_error
from figment.recipe import with_fields
from figment.recipes.vae import VAE, Autoencoder, ConnectedVAE, spread_of
from figment.rounds import Clock
from figment.sampling.generator import Generator

TINY = replace(VAE().tiny(), batch=8, precision="float32")
PLAIN = replace(Autoencoder().tiny(), batch=16, precision="float32")


def test_the_divergence_of_codes_is_that_of_normal_distributions():
    zero, one = torch.zeros(1, 1), torch.ones(1, 1)
    assert divergence(one, zero).item() == pytest.approx(0.5)
    assert divergence(zero, one).item() == pytest.approx(0.359141, abs=1e-6)
    assert divergence(zero, zero).item() == 0
    assert divergence(torch.ones(2, 3), torch.zeros(2, 3)).tolist() == [1.5, 1.5]


def test_the_divergence_comes_in_over_its_images():
    recipe = VAE(beta=2.0, beta_images=1_000)
    betas = [recipe.at(Clock(images)).beta for images in (0, 250, 1_000, 5_000)]
    assert betas == [0.0, 0.5, 2.0, 2.0]
    assert VAE(beta=2.0).at(Clock()) == VAE(beta=2.0)
    whole, tenth = (trainer_for(replace(TINY, beta_images=n)).round() for n in (0, 80))
    name = "loss/divergence/autoencoder"
    assert tenth[name].item() == pytest.approx(0.1 * whole[name].item())  # 8 of 80 images


def test_codes_lead_back_to_what_is_rebuilt():
    """encode is the inverse of what sampling does before the decoder, for codes of either kind."""
    images = 2 * torch.rand(5, 3, 16, 16) - 1
    for recipe in (TINY, PLAIN, replace(ConnectedVAE().tiny(), precision="float32")):
        trainer = trainer_for(recipe)
        for _ in range(5):
            trainer.round()
        net = trainer.nets["generator"]
        with torch.no_grad():
            code = recipe.encoded(net, images)[:, : recipe.latent]
            again = recipe.generate(net, recipe.encode(net, images), None)
            assert torch.allclose(again, net.decoder(code), atol=1e-4)
            assert torch.equal(recipe.rebuild(net, images), again)


def test_an_autoencoders_samples_lie_where_its_codes_do():
    trainer = trainer_for(replace(PLAIN, lr=1e-9, batch=64))
    for _ in range(9):
        trainer.round()
    spread = spread_of(trainer.nets["generator"])
    assert spread.gathered == 3  # rounds 0, 4 and 8
    reals = trainer.feed.first(200)[0]
    codes = PLAIN.encoded(trainer.nets["generator"], reals).detach()
    drawn = spread(torch.randn(4_000, PLAIN.latent))
    apart = (drawn.mean(0) - codes.mean(0)).abs() / codes.std(0)
    assert apart.max() < 0.3
    assert ((drawn.std(0) / codes.std(0)).log().abs() < 0.2).all()


def test_the_error_is_summed_over_a_pictures_values():
    x, y = torch.zeros(2, 3, 4, 4), torch.full((2, 3, 4, 4), 0.5)
    assert squared_error(x, y).tolist() == [12.0, 12.0]


def test_it_logs_two_losses_and_no_penalty():
    seen = trainer_for(TINY).round()
    terms = ["loss/reconstruction/autoencoder", "loss/divergence/autoencoder"]
    assert list(seen) == ["loss/autoencoder", *terms, "gradient/autoencoder"]
    assert seen["loss/autoencoder"] == seen[terms[0]] + seen[terms[1]]


def test_beta_weighs_the_divergence():
    once, thrice = (trainer_for(replace(TINY, beta=beta)).round() for beta in (1.0, 3.0))
    name = "loss/divergence/autoencoder"
    assert thrice[name].item() == pytest.approx(3 * once[name].item())
    assert not trainer_for(replace(TINY, beta=0.0)).round()[name]


def test_the_held_out_bound_is_unweighted_and_the_same_when_asked_again():
    trainer = trainer_for(replace(TINY, beta=3.0))
    trainer.round()
    before = {name: value.clone() for name, value in state_of(trainer).items()}
    found, again = trainer.validate(), trainer.validate()
    assert list(found) == ["held_out/reconstruction", "held_out/divergence"]
    assert found == again
    plain = trainer_for(TINY)
    plain.nets.load_state_dict(trainer.nets.state_dict())
    assert plain.validate() == found
    assert all(torch.equal(value, before[name]) for name, value in state_of(trainer).items())


@pytest.mark.parametrize("recipe", [TINY, PLAIN], ids=["vae", "ae"])
def test_it_resumes_to_the_bit_and_in_parts(recipe: VAE | Autoencoder, tmp_path: Path):
    assert_resumes(recipe, tmp_path)
    assert max(difference_in_quarters(recipe, rounds=5).values()) < 1e-6


def test_it_has_fields_of_its_own_only():
    with pytest.raises(UserError, match=r"^VAE has no field r1\.$"):  # and none that is like it
        with_fields(VAE(), {"r1": 10.0})
    with pytest.raises(UserError, match=r"^VAE has no field betas\. Did you mean beta\?$"):
        with_fields(VAE(), {"betas": [0.5, 0.9]})
    assert not {"r1", "objective", "generator_lr", "augment"} & fields_of(VAE()).keys()
    assert with_fields(VAE(), {"lr": 1e-4, "beta": 4}) == VAE(lr=1e-4, beta=4.0)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"resolution": 48}, "resolution must be a power of two from 16 to 128, not 48: try 32"),
        ({"resolution": 256}, "try 128"),
        ({"width": 0}, "width must be 1 or more"),
        ({"lr": 0.0}, "lr must be above 0"),
        ({"beta": -1.0}, "beta must be 0 or more"),
        ({"beta_images": -1}, "beta_images must be 0 or more"),
        ({"beta": 0.0, "beta_images": 5}, "--beta-images has no effect where --beta is 0"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict, sentence: str):
    with pytest.raises(UserError, match=sentence):
        VAE(**fields).check()


def test_it_overfits_sixteen_pictures():
    """In 150 rounds from over 150 nats to about 28, of which the codes take some 20."""
    recipe = VAE(resolution=16, width=16, latent=32, batch=16, lr=4e-3, precision="float32")
    trainer = trainer_for(recipe, 16)
    first = trainer.round()["loss/autoencoder"]
    for _ in range(150):
        last = trainer.round()["loss/autoencoder"]
    assert first > 150
    assert last < 35


def test_samples_are_functions_of_their_seeds():
    trainer = trainer_for(TINY)
    trainer.round()
    draw = Generator(TINY, trainer.averaged_generator()).sample
    six = draw(6, seed=3).array
    assert (draw(6, seed=3).array == six).all()
    assert (draw(1, seed=5).array[0] == six[2]).all()
    assert len({picture.tobytes() for picture in six}) == 6
