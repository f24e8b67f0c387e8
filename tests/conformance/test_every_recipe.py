"""What every recipe must do, in its tiny form. There is no list of exceptions."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from figment.data import Dataset, open_dataset
from figment.errors import UserError
from figment.gan import GAN
from figment.launch import resume, train
from figment.objectives.adversarial import OBJECTIVES
from figment.recipe import Recipe, fields_of
from figment.recipes import SYSTEMS
from figment.run import Run
from figment.sampling.generator import Generator
from figment.sampling.latents import latents_of
from figment.training.log import MEASURED
from figment.training.state import saved_clock
from figment.training.trainer import Trainer, build

CPU = torch.device("cpu")
LOG2 = math.log(2)
AT_ZERO = {
    "nonsaturating": (2 * LOG2, LOG2),
    "minimax": (2 * LOG2, -LOG2),
    "least_squares": (0.5, 0.5),
    "hinge": (2, 0),
    "wasserstein": (0, 0),
    "relativistic": (LOG2, LOG2),
    "relativistic_average": (LOG2, LOG2),
}
"""Losses of discriminator and generator where all logits are 0."""
LENGTHS = {"ema", "images", "stage_images", "ramp_images", "beta_images"}
"""Fields that only count images."""


def form(recipe: Recipe) -> tuple[object, ...]:
    """Return what a recipe's course depends on: its fields, of weights and rates whether they are 0."""
    fields = {name: v for name, v in fields_of(recipe).items() if name not in LENGTHS}
    return type(recipe), *((n, v > 0 if isinstance(v, float) else v) for n, v in fields.items())


def small() -> dict[str, Recipe]:
    """Return small forms of all systems; one of those that differ in weights and rates alone."""
    tiny = {n: replace(s.recipe.tiny(), precision="float32") for n, s in SYSTEMS.items()}
    if os.environ.get("FIGMENT_EVERY_SYSTEM"):
        return tiny
    one = {form(recipe): name for name, recipe in reversed(tiny.items())}
    return {name: recipe for name, recipe in tiny.items() if name in one.values()}


TINY = small()
GAMES = {name: recipe for name, recipe in TINY.items() if isinstance(recipe, GAN)}
"""Those of two players."""
every_recipe = pytest.mark.parametrize("name", TINY, scope="module")  # what is trained is shared
every_game = pytest.mark.parametrize("name", GAMES)


def one_of_each_pair(recipes: dict[str, Recipe]) -> list[str]:
    """Return one recipe for each pair of networks: what a technique or a way to play depends on."""
    found: dict[tuple[type, ...], str] = {}
    for name, recipe in recipes.items():
        nets = recipe.build()
        found.setdefault((type(recipe), *(type(net) for net in nets.values())), name)
    return list(found.values())


every_family = pytest.mark.parametrize("name", one_of_each_pair(TINY), scope="module")
every_pair = pytest.mark.parametrize("name", one_of_each_pair(GAMES))


def data_for(recipe: Recipe) -> str:
    return "ring" if recipe.kind == "points" else "flowers:24"


def dataset_for(recipe: Recipe) -> Dataset:
    return opened(data_for(recipe), recipe.resolution, recipe.channels)


@cache
def opened(data: str, resolution: int, channels: int) -> Dataset:
    return open_dataset(data, resolution=resolution, channels=channels, progress=False)


def fields_for(name: str) -> dict[str, object]:
    fields = {key: value for key, value in fields_of(TINY[name]).items() if key != "images"}
    return {**fields, "save_every": 8, "tick": 16}


@pytest.fixture(scope="module")
def whole(name: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of 32 images that nothing has disturbed."""
    run = tmp_path_factory.mktemp("runs") / "whole"
    return train(data_for(TINY[name]), name, run=run, images=32, progress=False, **fields_for(name))


@every_recipe
def test_checks_and_builds_its_shapes(name: str):
    recipe = TINY[name]
    recipe.check()
    nets = build(recipe, CPU)
    latents, labels = latents_of(range(3), recipe.latent), recipe.labels_for(range(3), CPU)
    fakes = recipe.generate(nets["generator"], latents, labels)
    assert fakes.shape == (3, *recipe.shape)
    assert fakes.isfinite().all()
    if any(isinstance(layer, torch.nn.Tanh) for layer in nets["generator"].modules()):
        assert fakes.abs().max() <= 1
    if not isinstance(recipe, GAN):
        assert recipe.encode(nets["generator"], fakes).shape == latents.shape
        return
    logits = recipe.logits(nets, fakes, labels)
    assert logits.shape == (3,)
    assert logits.dtype == torch.float32


@every_recipe
def test_works_at_twice_the_resolution(name: str):
    recipe = at_resolution(TINY[name], 2 * TINY[name].resolution)
    if recipe.kind == "points":
        with pytest.raises(UserError, match="--resolution has no effect on points"):
            recipe.check()
        return
    recipe.check()
    nets = build(recipe, CPU)
    latents, labels = latents_of([0, 1], recipe.latent), recipe.labels_for([0, 1], CPU)
    fakes = recipe.generate(nets["generator"], latents, labels)
    assert fakes.shape == (2, *recipe.shape)
    if isinstance(recipe, GAN):
        assert recipe.logits(nets, fakes, labels).shape == (2,)


def at_resolution(recipe: Recipe, side: int) -> Recipe:
    """Return the recipe for pictures of another size, with the latent that it has for them."""
    latent = recipe.latent * 4 if "latent" in recipe.BY_DATA else recipe.latent
    return replace(recipe, resolution=side, latent=latent)


@every_game
def test_a_move_changes_only_its_player(name: str):
    recipe = TINY[name]
    trainer = Trainer(recipe, dataset_for(recipe), CPU)
    batch = trainer.next_batch()
    fakes = recipe.generate(trainer.nets["generator"], batch.latents, batch.labels)
    before = {key: value.clone() for key, value in trainer.nets.named_parameters()}
    trainer.move("discriminator", recipe.discriminator_terms, batch, fakes.detach())
    after = dict(trainer.nets.named_parameters())
    changed = {key.split(".")[0] for key in before if not torch.equal(before[key], after[key])}
    assert changed == {"discriminator"}
    before = {key: value.clone() for key, value in trainer.nets.named_parameters()}
    trainer.move("generator", recipe.generator_terms, batch, fakes)
    changed = {key.split(".")[0] for key in before if not torch.equal(before[key], after[key])}
    assert changed == {"generator"}
    assert all(weight.grad is None for weight in trainer.nets.parameters())


@every_pair
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_losses_of_an_undecided_discriminator(name: str, objective: str):
    """With logits of 0, as the theory's start has them, the losses are their analytic values."""
    recipe = replace(TINY[name], objective=objective, real_target=1.0, adversarial=1.0)
    if hasattr(recipe, "unsupervised"):
        recipe = replace(recipe, unsupervised=2.0)  # their loss, as they write it, is halved
    trainer = Trainer(recipe, dataset_for(recipe), CPU)
    judge = trainer.nets["discriminator"]
    verdict = judge.verdict
    judge.verdict = lambda *given: 0 * verdict(*given)
    batch = trainer.next_batch()
    fakes = recipe.generate(trainer.nets["generator"], batch.latents, batch.labels)
    terms = recipe.generator_terms(trainer.nets, batch, fakes, trainer.clock)
    discriminator, generator = AT_ZERO[objective]
    assert terms.losses["adversarial"].item() == pytest.approx(generator, abs=1e-6)
    terms = recipe.discriminator_terms(trainer.nets, batch, fakes, trainer.clock)
    assert terms.losses["adversarial"].item() == pytest.approx(discriminator, abs=1e-6)
    if OBJECTIVES[objective].probabilities:
        assert (
            terms.observations["score/real"].item()
            == terms.observations["score/fake"].item()
            == 0.5
        )
        assert terms.observations["jsd"].item() == pytest.approx(0, abs=1e-6)
        assert terms.observations["value/game"].item() == pytest.approx(-1.386294, abs=1e-6)
        assert terms.observations["value/above_minimum"].item() == pytest.approx(0, abs=1e-6)
    else:
        assert (
            terms.observations["score/real"].item() == terms.observations["score/fake"].item() == 0
        )


PENALTIES = {"r1": 10, "r2": 10, "gradient_penalty": 10, "zero_centred": 10, "dragan": 10}
PENALTIES |= {"consistency_fake": 10, "drift": 1e-3, "off_diagonal": 1e-4}
PENALTIES |= {"consistency": 10, "orthogonal": 1e-4, "historical_averaging": 0.1, "lecam": 0.1}
TECHNIQUES = [
    *({name: weight} for name, weight in PENALTIES.items()),
    {"packing": 2},
    {"instance_noise": 0.1},
    {"replay": 8},
    {"clip": 0.01, "objective": "wasserstein"},
    {"gradient_penalty": 10, "penalty_every": 2, "gradient_penalty_sides": 1, "packing": 2},
]


@every_pair
@pytest.mark.parametrize("fields", TECHNIQUES, ids=lambda fields: " ".join(fields))
def test_every_technique_plays_with_every_recipe(name: str, fields: dict):
    recipe = replace(TINY[name], real_target=1.0, orthogonal_players="both", **fields)
    if recipe.kind == "points" and recipe.consistency + recipe.consistency_fake:
        with pytest.raises(UserError, match="works on pictures only"):
            recipe.check()
        return
    if recipe.play == "unrolled" and recipe.replay:
        with pytest.raises(UserError, match="an unrolled generator must reach all fakes"):
            recipe.check()
        return
    if fields.keys() & getattr(recipe, "REFUSED", {}).keys():
        with pytest.raises(UserError, match="is not for"):
            recipe.check()
        return
    if recipe.classes and recipe.packing > 1:
        with pytest.raises(UserError, match="a pack has no single class"):
            recipe.check()
        return
    recipe.check()
    trainer = Trainer(recipe, dataset_for(recipe), CPU)
    before = {key: value.clone() for key, value in trainer.nets.named_parameters()}
    for _ in range(2):
        seen = trainer.round()
    assert all(torch.isfinite(value) for value in seen.values())
    after = trainer.nets.state_dict()
    changed = {key.split(".")[0] for key in before if not torch.equal(before[key], after[key])}
    assert changed >= {"generator", "discriminator"}
    for penalty in PENALTIES.keys() & fields.keys() - {"lecam", "historical_averaging"}:
        if recipe.penalty_every == 1:
            assert f"penalty/{penalty}/discriminator" in seen
    if recipe.clip:
        assert max(w.abs().max() for w in trainer.nets["discriminator"].parameters()) <= recipe.clip


@every_pair
@pytest.mark.parametrize(
    "play", ["simultaneous", "unrolled", "extragradient", "optimistic", "svre"]
)
def test_every_way_to_play_plays_every_recipe(name: str, play: str):
    recipe = replace(TINY[name], play=play, discriminator_moves=1, replay=0)
    recipe = replace(recipe, unroll=2) if play == "unrolled" else recipe
    if recipe.optimizer == "rmsprop":
        recipe = replace(recipe, optimizer="adam")
    recipe.check()
    few = replace(dataset_for(recipe), rows=dataset_for(recipe).rows[:12])  # SVRE passes over all
    trainer = Trainer(recipe, few, CPU)
    before = {key: value.clone() for key, value in trainer.nets.named_parameters()}
    for _ in range(3 if play != "svre" else 5):
        seen = trainer.round()
    assert all(torch.isfinite(value) for value in seen.values())
    after = trainer.nets.state_dict()
    changed = {key.split(".")[0] for key in before if not torch.equal(before[key], after[key])}
    assert changed >= {"generator", "discriminator"}


@every_recipe
def test_trains_samples_and_resumes_bit_for_bit(name: str, whole: Run, tmp_path: Path):
    recipe = TINY[name]
    options = {"recipe": name, "progress": False, **fields_for(name)}
    half = train(data_for(recipe), run=tmp_path / "half", images=12, **options)  # mid-tick
    reached = saved_clock(half.path / "state").images  # 12, or more where a round has several moves
    resume(half.path, images=32 - reached, progress=False)
    assert_same_run(whole.path, half.path)
    once, twice = (Run(run).generator.sample(5, seed=3) for run in (whole.path, half.path))
    assert once.array.shape == (5, *recipe.shape)
    assert np.array_equal(once.array, twice.array)
    alone = Run(whole.path).generator.sample(1, seed=6).array[0]
    assert np.allclose(alone.astype(float), once.array[3].astype(float), atol=1)
    once.save(tmp_path / "grid.png")
    assert (tmp_path / "grid.png").stat().st_size > 0
    assert (whole.path / "report.html").exists()
    assert (whole.path / "README.md").exists()


@every_family
def test_training_from_its_recipe_again_reproduces_a_run(name: str, whole: Run, tmp_path: Path):
    written = str(whole.path / "recipe.json")
    again = train(data_for(TINY[name]), written, run=tmp_path / "again", progress=False)
    assert_same_run(whole.path, again.path)


@every_game
def test_overfits_toward_its_data(name: str):
    """The networks can learn at all: the discriminator tells fixed fakes from reals."""
    free = {"dropout": 0.0, "clip": 0.0, "optimizer": "adam", "discriminator_lr": 1e-2}
    free |= {"r1": 0.0, "r2": 0.0}  # heavy ones rule learning by heart out
    recipe = replace(TINY[name], **free)
    trainer = Trainer(recipe, dataset_for(recipe), CPU)
    batch = trainer.next_batch()
    fakes = recipe.generate(trainer.nets["generator"], batch.latents, batch.labels).detach()
    losses: list[torch.Tensor] = []
    while len(losses) < 150 and not told_apart(losses):  # most need a quarter of it
        seen = trainer.move("discriminator", recipe.discriminator_terms, batch, fakes)
        losses.append(seen["loss/discriminator"])
    assert told_apart(losses)


def told_apart(losses: list[torch.Tensor]) -> bool:
    """Return whether the last 15 losses are clearly below the first; one may meet a rare augmentation."""
    return len(losses) > 15 and bool(torch.stack(losses[-15:]).median() < 0.7 * losses[0])


@every_recipe
def test_generator_draws_the_same_picture_in_any_batch(name: str):
    recipe = TINY[name]
    generator = Generator(recipe, build(recipe, CPU)["generator"])
    whole = generator.sample(9, seed=4, batch=9).array.astype(float)
    parts = generator.sample(9, seed=4, batch=2).array.astype(float)
    assert np.allclose(whole, parts, atol=1 if recipe.kind == "images" else 1e-5)


def assert_same_run(one: Path, other: Path) -> None:
    """Same state to the byte, same last snapshot, same log but for the machine's columns."""
    assert (one / "state/latest.safetensors").read_bytes() == (
        other / "state/latest.safetensors"
    ).read_bytes()
    last = sorted((one / "snapshots").iterdir())[-1].name
    assert (one / "snapshots" / last).read_bytes() == (other / "snapshots" / last).read_bytes()
    assert _log(one) == _log(other)


def _log(run: Path) -> list[dict]:
    return [
        {key: value for key, value in line.items() if key not in MEASURED}
        for line in Run(run).log()
    ]
