"""StyleGAN2 on the engine: lazy penalties, path length, mixed styles, truncation, and exact resume."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from playing import CPU, assert_resumes, difference_in_quarters, state_of, trainer_for

from figment import mesh
from figment.errors import UserError
from figment.penalties.path_length import MeanLength, path_lengths
from figment.plan import choose
from figment.randomness_per_image import normal
from figment.recipes.parameters import count
from figment.recipes.stylegan2 import ADA_64, AUTO_64, CIFAR, PAPER_256, PAPER_1024, StyleGAN2
from figment.sampling.generator import Generator
from figment.training.trainer import build

TINY = replace(StyleGAN2().tiny(), batch=16, precision="float32")


def drawn(recipe: StyleGAN2, net: torch.nn.Module, seeds: range, truncation: float | None = None):
    latents = recipe.latents(seeds, truncation)
    with torch.no_grad():
        return recipe.draw(net, latents, None, truncation)


@pytest.fixture
def trained() -> torch.nn.Module:
    """A generator in evaluation whose mean style has moved, and whose noise counts."""
    trainer = trainer_for(TINY)
    trainer.round()
    for layer in (*trainer.nets["average"].ups, *trainer.nets["average"].sames):
        layer.strength.fill_(0.5)
    return trainer.averaged_generator()


# -- sizes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recipe", "generator", "discriminator"),
    [
        (CIFAR, 19_947_539, 20_720_641),
        (replace(CIFAR, conditioning="projection", classes=10), 20_215_315, 23_089_664),
        (AUTO_64, 22_243_608, 23_407_361),
        (replace(AUTO_64, resolution=128), 22_949_277, 23_882_369),
        (PAPER_256, 24_767_458, 24_001_089),
        (PAPER_1024, 30_370_060, 29_012_513),
    ],
    ids=["cifar", "cifar by class", "64", "128", "256", "1024"],
)
def test_counts_are_the_published_ones(recipe: StyleGAN2, generator: int, discriminator: int):
    recipe.check()
    assert count(recipe) == {"generator": generator, "discriminator": discriminator}


def test_the_named_ones_have_the_papers_numbers():
    """R1's gamma by the authors' rule, .0002 px² / batch; Adam's rates; ADA's target and length."""
    for recipe in (AUTO_64, ADA_64):
        assert recipe.r1 == pytest.approx(2e-4 * 64**2 / recipe.batch)
    for recipe in (StyleGAN2(), AUTO_64, CIFAR, PAPER_256):
        assert (recipe.generator_lr, recipe.betas, recipe.penalty_every) == (2.5e-3, (0, 0.99), 16)
    assert (ADA_64.augment, ADA_64.ada_target, ADA_64.ada_images) == ("ada", 0.6, 500_000)
    assert ADA_64.ada_transforms == "bgc"


# -- path length ----------------------------------------------------------------------------------


def test_the_path_length_of_a_linear_generator_is_known():
    """A picture of 3 w, pixel by pixel: J = 3 I, and ||J^T y|| = 3 ||y||."""
    styles = torch.randn(4, 1, 64 * 64)
    torch.manual_seed(7)
    found = path_lengths(lambda w: 3 * w.view(4, 1, 64, 64), styles)
    torch.manual_seed(7)
    noise = normal(4, 1, 64, 64, like=styles) / 64
    assert torch.allclose(found, 3 * noise.flatten(1).norm(dim=1), rtol=1e-5)
    assert torch.allclose(found, torch.full((4,), 3.0), rtol=0.05)  # ||y|| is 1 but for chance


def test_the_square_of_a_path_length_is_a_mean_over_layers():
    """Both layers add to the same picture, by matrices A and B: (||A^T y||² + ||B^T y||²) / 2."""
    a, b, styles = torch.randn(16, 8), torch.randn(16, 8), torch.randn(5, 2, 8)
    torch.manual_seed(7)
    found = path_lengths(lambda w: (w[:, 0] @ a.T + w[:, 1] @ b.T).view(5, 1, 4, 4), styles)
    torch.manual_seed(7)
    y = normal(5, 1, 4, 4, like=styles).flatten(1) / 4
    square = ((y @ a).square().sum(1) + (y @ b).square().sum(1)) / 2
    assert torch.allclose(found, square.sqrt(), rtol=1e-5)


def test_the_mean_length_takes_a_hundredth_of_a_step_and_is_no_part_of_the_slope():
    mean, lengths = MeanLength(), torch.tensor([1.0, 3.0], requires_grad=True)
    values = mean.deviations(lengths)
    assert mean.mean.item() == pytest.approx(0.02)
    assert values.tolist() == pytest.approx([0.98**2, 2.98**2])
    values.sum().backward()
    assert lengths.grad.tolist() == pytest.approx([2 * 0.98, 2 * 2.98])


# -- rounds ---------------------------------------------------------------------------------------


def test_lazy_penalties_come_in_their_rounds():
    trainer = trainer_for(replace(TINY, batch=4, penalty_every=3, path_length_every=2))
    seen = [trainer.round() for _ in range(7)]
    lazy = {"penalty/r1/discriminator": 3, "penalty/path_length/generator": 2}
    for name, every in lazy.items():
        assert [number for number in range(7) if name in seen[number]] == list(range(0, 7, every))
    means = trainer.nets["path_length"].mean
    assert means > 0


def test_a_lazy_penalty_is_multiplied_by_its_rounds():
    trainer, often = (trainer_for(replace(TINY, path_length_every=n)) for n in (2, 1))
    name = "penalty/path_length/generator"
    assert trainer.round()[name].item() == pytest.approx(2 * often.round()[name].item(), rel=1e-4)


def test_without_its_weight_there_is_no_path_length():
    trainer = trainer_for(replace(TINY, path_length=0.0, path_length_every=4))
    with pytest.raises(UserError, match="--path-length-every has no effect without --path-length"):
        replace(TINY, path_length=0.0, path_length_every=2).check()
    assert "path_length" not in trainer.nets
    assert not any("path_length" in name for name in trainer.round())


def test_adam_is_told_of_the_lazy_penalties():
    recipe = StyleGAN2(resolution=32, width=4)
    optimizers = recipe.optimizers(recipe.networks())
    recipe.adjust(optimizers, 1.0)
    recipe.adjust(optimizers, 1.0)  # it does not add up
    groups = [optimizers[name].param_groups[0] for name in ("discriminator", "generator")]
    assert [g["lr"] for g in groups] == pytest.approx([0.00235294, 0.002], abs=1e-8)
    assert [g["betas"][1] for g in groups] == pytest.approx([0.99058546, 0.99199197], abs=1e-8)
    recipe.adjust(optimizers, 0.5)
    assert groups[1]["lr"] == pytest.approx(0.001)
    plain = replace(recipe, r1=0.0, path_length=0.0)
    plain.adjust(optimizers, 1.0)
    assert [(g["lr"], g["betas"]) for g in groups] == [(0.0025, (0.0, 0.99))] * 2


def test_it_resumes_to_the_bit(tmp_path: Path):
    assert_resumes(TINY, tmp_path)


def test_held_out_pictures_are_judged_in_whole_groups():
    """A group of one has no spread, which would look like a collapsed batch to the discriminator."""
    trainer = trainer_for(TINY)
    trainer.round()
    pictures = trainer.feed.first(23)[0]
    seen = [TINY.validate(trainer.nets, pictures[:count], None) for count in (12, 13, 20, 23)]
    assert seen[0] == seen[1] and seen[2] == seen[3] != seen[0]
    assert TINY.validate(trainer.nets, pictures[:3], None) == {}


def test_processes_do_not_part_groups(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("figment.mesh.size", lambda: 2)
    mesh.check_batch(16, TINY.together)
    packed = replace(TINY, batch=16, packing=4)
    assert (packed.neighbours, packed.together) == (4, 16)
    with pytest.raises(UserError, match="judge 16 pictures together"):
        mesh.check_batch(16, packed.together)
    with pytest.raises(UserError, match="judge 8 pictures together: try --batch 16"):
        choose("flowers:32", "dcgan", {"batch": 24, "packing": 8})
    parted = replace(TINY, batch=12)
    parted.check()  # it is sound, and may be sampled from on any number of processes
    with pytest.raises(UserError, match="judge 4 pictures together: try --batch 8"):
        mesh.check_batch(12, parted.together)
    with pytest.raises(UserError, match="judge 4 pictures together"):
        choose("flowers:32", "stylegan2", {"batch": 12})
    of_half = replace(TINY, spread_group=3, batch=6)  # every second one, in each share of three
    with pytest.raises(UserError, match="judge 6 pictures together: try --batch 12"):
        mesh.check_batch(6, of_half.together)
    assert replace(of_half, path_length=0).together == 3


def test_micro_batches_are_the_whole_path_length_and_spread_and_all():
    assert max(difference_in_quarters(TINY, rounds=3).values()) < 1e-6


def test_all_learns_within_sixteen_rounds():
    trainer = trainer_for(replace(TINY, batch=4))
    before = {name: value.clone() for name, value in state_of(trainer).items()}
    for _ in range(3):
        trainer.round()
    after = state_of(trainer)
    still = [name for name in before if torch.equal(before[name], after[name])]
    noise = [f"{net}.{key}" for net in ("generator", "average") for key in NOISE]
    taps = [name for name in still if name.startswith("album")]
    assert sorted(still) == sorted([*noise, *taps])


NOISE = [f"ups.{n}.noise" for n in range(3)] + [f"sames.{n}.noise" for n in range(4)]


# -- styles ---------------------------------------------------------------------------------------


def test_mixed_images_have_two_styles_from_a_layer_on():
    net = build(TINY, CPU)["generator"]
    latents, style = torch.randn(256, 8), torch.randn(256, 8)
    mixed = TINY.mixed(net, style, latents, None)
    own = (mixed == style[:, None]).all(2)  # [N, layers]
    assert own[:, 0].all()
    assert (own[:, 1:] <= own[:, :-1]).all()  # never back to the first
    assert 0.8 < (~own.all(1)).float().mean() < 0.97
    assert set((~own).sum(1).tolist()) == set(range(8))
    alone = replace(TINY, mixing=0.0).mixed(net, style, latents, None)
    assert (alone == style[:, None]).all()
    assert (TINY.mixed(net.eval(), style, latents, None) == style[:, None]).all()


def test_the_mean_style_follows_and_the_average_has_it():
    trainer = trainer_for(TINY)
    batch = trainer.next_batch()
    style = TINY.style(trainer.nets["generator"], batch.latents, None)
    trainer.generate(batch)
    assert torch.allclose(trainer.nets["generator"].mean_style, 0.005 * style.mean(0))
    trainer.round()
    means = [trainer.nets[name].mean_style for name in ("generator", "average")]
    assert torch.equal(*means) and means[0].any()


def test_truncation_pulls_styles_to_their_mean(trained):
    """0 is the mean picture, whatever the seed; 1 is no truncation, to the bit."""
    none = drawn(TINY, trained, range(4))
    at = {psi: drawn(TINY, trained, range(4), psi) for psi in (0.0, 0.5, 1.0)}
    mean = trained(trained.mean_style.expand(1, trained.layers, -1))
    for picture in at[0.0]:
        assert torch.allclose(picture, mean[0], atol=1e-5)
    assert torch.equal(at[1.0], none)
    spread = [pictures.var(dim=0).mean() for pictures in (at[0.0], at[0.5], none)]
    assert spread[0] < spread[1] < spread[2]
    assert torch.equal(TINY.latents(range(4), 0.5), TINY.latents(range(4)))


def test_truncation_reaches_samples_and_walks(trained):
    generator = Generator(TINY, trained)
    spreads = [
        generator.sample(8, truncation=psi).array.astype(float).std(0).mean()
        for psi in (0.01, 0.5, None)
    ]
    assert spreads[0] < 1 and spreads[0] < spreads[1] < spreads[2]
    latents = TINY.latents(range(8), 0.01)
    assert torch.equal(latents, TINY.latents(range(8)))  # it is styles that are truncated
    narrow = generator.draw(latents, truncation=0.01).float()
    assert narrow.std(0).mean() < 1 < generator.draw(latents).float().std(0).mean()


def test_samples_are_functions_of_their_seeds_noise_and_all(trained):
    draw = Generator(TINY, trained).sample
    six = draw(6, seed=3).array
    torch.manual_seed(1)
    assert (draw(6, seed=3).array == six).all()
    assert (abs(draw(1, seed=5).array[0].astype(int) - six[2]) <= 1).all()
    assert len({picture.tobytes() for picture in six}) == 6


def test_noise_is_the_images_own_while_training(trained):
    style = torch.randn(1, 1, 8).expand(2, trained.layers, -1)
    assert torch.allclose(*trained(style), atol=1e-5)
    assert not torch.allclose(*trained.train()(style), atol=1e-2)


# -- limits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("conditioning", ["concat", "projection", "classifier"])
def test_it_takes_classes(conditioning: str):
    recipe = replace(TINY, batch=4, conditioning=conditioning, classes=10)
    trainer = trainer_for(recipe)
    trainer.round()
    assert len(Generator(recipe, trainer.averaged_generator()).sample(3, label="7").array) == 3


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"resolution": 48}, "from 32 to 1024, not 48: try 32"),
        ({"width": 1}, "width must be 2 or more"),
        ({"wide_until": 48}, "wide_until must be a power of two from 4 to 64, not 48"),
        ({"spread_group": 0}, "spread_group must be 1 or more"),
        ({"mixing": 1.5}, "mixing must be a share from 0 to 1"),
        ({"path_length": -1.0}, "path_length must be 0 or more"),
        ({"path_length_every": 0}, "path_length_every must be 1 or more"),
        ({"mapping_layers": 0}, "mapping_layers must be 1 or more"),
        ({"micro_batch": 2}, "micro_batch must be a multiple of 4"),
        ({"spectral_norm": "both"}, "--spectral-norm is not for StyleGAN2"),
        ({"minibatch_stddev": True}, "--minibatch-stddev is not for StyleGAN2"),
        ({"orthogonal": 1e-4}, "--orthogonal is not for StyleGAN2"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict, sentence: str):
    StyleGAN2().check()
    with pytest.raises(UserError, match=sentence):
        StyleGAN2(**fields).check()
