"""ProGAN and StyleGAN on the engine: stages and fade-in by the clock, exact resume, small slopes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from playing import CPU, assert_resumes, difference_in_quarters, trainer_for

from figment.errors import UserError
from figment.networks.growing import enlarged, seen_at
from figment.networks.layers.resample import enlarge, shrink
from figment.opened import load_generator
from figment.recipes.growing import Growing
from figment.recipes.parameters import count
from figment.recipes.progan import LIGHT_64, PAPER, PROGAN_64, ProGAN
from figment.recipes.stylegan import PAPER_1024, STYLEGAN_64, StyleGAN
from figment.rounds import Clock
from figment.sampling.generator import Generator
from figment.training import folder
from figment.training.trainer import build

TINY = {
    "progan": replace(PROGAN_64.tiny(), precision="float32"),
    "stylegan": replace(STYLEGAN_64.tiny(), precision="float32"),
}
both = pytest.mark.parametrize("recipe", TINY.values(), ids=TINY)


@pytest.mark.parametrize(
    ("recipe", "generator", "discriminator"),
    [
        (replace(PAPER, resolution=32), 20_719_628, 20_726_785),
        (PAPER, 22_490_383, 22_498_049),
        (replace(PAPER, resolution=128), 22_933_394, 22_941_313),
        (replace(PAPER, resolution=1024), 23_079_115, 23_087_249),
        (LIGHT_64, 5_625_487, 5_629_313),
        (PAPER_1024, 26_219_627, 23_087_249),
    ],
    ids=["32", "64", "128", "1024", "light", "stylegan"],
)
def test_counts_are_the_published_ones(recipe: Growing, generator: int, discriminator: int):
    recipe.check()
    assert count(recipe) == {"generator": generator, "discriminator": discriminator}


def test_the_named_ones_have_the_papers_numbers():
    for recipe in (PAPER, PAPER_1024):
        assert (recipe.generator_lr, recipe.betas) == (1e-3, (0, 0.99))
    assert (PAPER.objective, PAPER.gradient_penalty, PAPER.drift) == ("wasserstein", 10, 1e-3)
    assert (PAPER_1024.r1, PAPER_1024.mixing, PAPER_1024.mapping_layers) == (10, 0.9, 8)


# -- the schedule ---------------------------------------------------------------------------------


def test_levels_stand_then_fade_with_the_images():
    """From 4 to 64 px: 100 images as it is, 100 while the next layers fade in, four times."""
    recipe = replace(PROGAN_64, stage_images=200)
    levels = {0: 0, 99: 0, 100: 0, 150: 0.5, 200: 1, 300: 1, 399: 1.99, 750: 3.5, 800: 4, 10**6: 4}
    for images, level in levels.items():
        assert recipe.at(Clock(images)).level == pytest.approx(level)
    assert replace(recipe, level=1.0).at(Clock(150)).level == pytest.approx(1.5)
    whole = replace(PROGAN_64, images=1_000)  # 125 images a doubling, half of the training for four
    assert [whole.at(Clock(n)).level for n in (62, 125, 499, 500)] == pytest.approx(
        [0, 1, 3.984, 4]
    )


def test_a_resume_for_longer_never_shrinks_networks_that_were_full_grown():
    before, after = (replace(PROGAN_64, images=images) for images in (1_000, 2_000))
    assert before.at(Clock(1_000)).level == after.at(Clock(1_000)).level == 4


@both
def test_reals_are_averaged_and_faded(recipe: Growing):
    reals = torch.randn(4, 3, 16, 16)
    small = shrink(reals)
    at_8 = replace(recipe, level=1.0).reals(reals, Clock())
    assert torch.allclose(at_8, enlarge(small))
    quarter = replace(recipe, level=0.25).reals(reals, Clock())
    assert torch.allclose(quarter, enlarge(0.75 * enlarge(shrink(small)) + 0.25 * small), atol=1e-6)
    assert torch.equal(replace(recipe, level=2.0).reals(reals, Clock()), reals)


# -- the networks ---------------------------------------------------------------------------------


def drawn(recipe: Growing, net: torch.nn.Module, level: float) -> torch.Tensor:
    net.grow(level)
    with torch.no_grad():
        return recipe.draw(net.eval(), recipe.latents(range(3)), None)


@both
def test_a_level_fades_in_from_the_one_before(recipe: Growing):
    """Nearly nothing of the newest layers is the level before, doubled; half is half of both."""
    net = build(recipe, CPU)["generator"]
    before, first, half, whole = (drawn(recipe, net, x) for x in (1.0, 1 + 1e-6, 1.5, 2.0))
    assert torch.allclose(first, before, atol=1e-4)
    assert torch.allclose(half, (before + whole) / 2, atol=1e-4)
    assert torch.equal(before, enlarged(before[..., ::2, ::2], 16))
    assert not torch.allclose(whole, enlarged(whole[..., ::2, ::2], 16), atol=1e-2)


@both
def test_the_discriminator_fades_its_layers_in(recipe: Growing):
    judge, x = build(recipe, CPU)["discriminator"], torch.randn(4, 3, 16, 16)
    x = enlarge(shrink(x))  # what both levels can see
    found = []
    for level in (1.0, 1 + 1e-6, 2.0):
        judge.grow(level)
        found.append(judge(x))
    assert torch.allclose(found[0], found[1], atol=1e-4)
    assert not torch.allclose(found[0], found[2], atol=1e-3)


@both
def test_a_slope_is_that_of_the_small_picture(recipe: Growing):
    """What R1 and WGAN-GP take the length of: by pictures of 4 px, not by the 16 squares of each pixel."""
    judge = build(recipe, CPU)["discriminator"]
    judge.grow(0.0)
    small = torch.randn(4, 3, 4, 4, requires_grad=True)
    large = enlarged(small.detach(), 16).requires_grad_()
    of_small, of_large = (
        torch.autograd.grad(judge(x).sum(), x)[0].flatten(1).norm(dim=1) for x in (small, large)
    )
    assert torch.allclose(of_small, of_large, rtol=1e-5)


@both
def test_layers_to_come_stay_as_they_are(recipe: Growing):
    trainer = trainer_for(replace(recipe, level=1.0, stage_images=10_000))
    before = {name: value.clone() for name, value in trainer.nets["generator"].named_parameters()}
    for _ in range(2):
        trainer.round()
    still = {
        name
        for name, value in trainer.nets["generator"].named_parameters()
        if torch.equal(value, before[name])
    }
    last = {"progan": ("blocks.1", "pictures.0", "pictures.2")}
    last["stylegan"] = ("ups.1", "sames.2", "finishes.4", "finishes.5", "pictures.0", "pictures.2")
    coming = last["stylegan" if recipe.styled else "progan"]
    assert still == {name for name in before if name.startswith(coming)}
    assert {
        float(trainer.nets[name].level) for name in ("generator", "discriminator", "average")
    } == {1}


# -- a run ----------------------------------------------------------------------------------------


@both
def test_it_resumes_to_the_bit_while_layers_fade_in(recipe: Growing, tmp_path: Path):
    growing = replace(recipe, level=1.0, stage_images=32)
    assert growing.at(Clock(20)).level == 1.25  # fading is under way at the end of the five rounds
    assert_resumes(growing, tmp_path)


@both
def test_micro_batches_are_the_whole(recipe: Growing):
    """All layers at once: Adam turns the rounding of a new one's first gradients into signs."""
    found = difference_in_quarters(replace(recipe, batch=16, level=2.0, stage_images=0), rounds=2)
    assert max(found.values()) < 1e-5


@both
def test_a_snapshot_keeps_its_level(recipe: Growing, tmp_path: Path):
    trainer = trainer_for(replace(recipe, level=1.0, stage_images=32))
    for _ in range(6):
        trainer.round()
    net = trainer.averaged_generator()
    data = {
        "name": "flowers",
        "path": "flowers:256",
        "classes": [],
        "fingerprint": "0" * 64,
        "count": 256,
        "shape": [3, 16, 16],
        "held_out": [],
    }
    name = "stylegan" if recipe.styled else "progan"
    folder.begin(
        tmp_path, name, trainer.recipe, {"data": data, "parameters": {}, "budget": {"images": 24}}
    )
    folder.write_snapshot(tmp_path, trainer.recipe, net, 24)
    opened = load_generator(folder.snapshot_path(tmp_path, 24), CPU)
    assert (
        float(opened.net.level) == float(net.level) == 1.5
    )  # that of the last round, at 12 images
    assert (opened.sample(3).array == Generator(trainer.recipe, net).sample(3).array).all()


def test_held_out_pictures_are_seen_as_reals_are():
    trainer = trainer_for(replace(TINY["progan"], held_out=0.2))
    trainer.round()
    found = trainer.validate(4)
    assert found["level"] == trainer.now.level
    unseen, _ = trainer.feed.held_out_examples(4)
    small = seen_at(unseen, trainer.now.level)
    score = trainer.now.logits(trainer.nets, small, None).mean()
    assert found["score/held_out"].item() == pytest.approx(score.item(), abs=1e-5)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"resolution": 48}, "from 8 to 1024, not 48: try 32"),
        ({"level": 0.5}, "level must be a whole number from 0 to 4 at 64 px, not 0.5"),
        ({"level": 5.0}, "level must be a whole number from 0 to 4"),
        ({"level": 4.0, "stage_images": 5}, "--stage-images has no effect where --level begins"),
        ({"width": 1}, "width must be 2 or more"),
        ({"micro_batch": 2}, "micro_batch must be a multiple of 4"),
        ({"spectral_norm": "both"}, "--spectral-norm is not for ProGAN"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict, sentence: str):
    ProGAN().check()
    with pytest.raises(UserError, match=sentence):
        ProGAN(**fields).check()


def test_fakes_with_noise_have_no_neighbours_in_latents():
    with pytest.raises(UserError, match="--latent-consistency is not for StyleGAN"):
        StyleGAN(latent_consistency=1.0).check()
