"""Heads on a frozen network: what they see, what they add to both losses, what a checkpoint holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from figment.data import open_dataset
from figment.errors import UserError
from figment.metrics.features import efficientnet
from figment.networks import vision
from figment.networks.vision import STAGES, Heads, frozen
from figment.recipe import Recipe
from figment.recipes import find
from figment.techniques import vision_aided
from figment.training.log import Tally
from figment.training.state import load_state, save_state
from figment.training.trainer import Trainer, build
from two_processes import as_two

CPU = torch.device("cpu")
BASE = replace(find("cats-mlp")[1].tiny(), resolution=16, precision="float32", batch=8)
AIDED = replace(BASE, vision_aided=1.0, vision_side=32)


def trainer_for(recipe: Recipe, count: int = 64) -> Trainer:
    size = {"resolution": recipe.resolution, "channels": recipe.channels}
    return Trainer(recipe, open_dataset(f"flowers:{count}", progress=False, **size), CPU)


def heads_of(trainer: Trainer) -> Heads:
    heads = trainer.nets["discriminator"].get_submodule("vision")
    assert isinstance(heads, Heads)
    return heads


def test_the_frozen_network_sees_what_a_picture_is():
    """In 0..255, three channels, enlarged without a shift: as ``efficientnet`` is shown pictures."""
    images = torch.linspace(-1, 1, 256).view(1, 1, 16, 16)
    seen = Heads(32, 0).seen(images)
    assert seen.shape == (1, 3, 32, 32)
    assert torch.equal(seen[:, 0], seen[:, 2])
    assert seen.mean().item() == pytest.approx(127.5, abs=1e-3)
    assert torch.allclose(Heads(32, 0).seen(seen / 127.5 - 1), seen, atol=1e-4)


@pytest.mark.parametrize("side", [32, 50, 64])
def test_every_head_judges_its_map_place_by_place(side: int):
    heads = Heads(side, 0)
    logits = heads(torch.rand(2, 3, side, side) * 2 - 1)
    maps = frozen(CPU).stages(torch.rand(2, 3, side, side), max(STAGES))
    sizes = [maps[stage - 1][0, 0].numel() for stage in STAGES]
    assert [part.shape for part in heads.split(logits)] == [(2, size) for size in sizes]
    assert logits.dtype == torch.float32


def test_fewer_stages_are_the_first_of_all():
    images = torch.rand(1, 3, 32, 32) * 255
    every, some = frozen(CPU).stages(images), frozen(CPU).stages(images, 5)
    assert len(every) == 7 and len(some) == 5
    assert all(torch.equal(one, other) for one, other in zip(some, every, strict=False))


def test_heads_begin_with_more_mirrored_reals_than_a_batch_has(monkeypatch: pytest.MonkeyPatch):
    """They are standardised by the first 256 reals, of which half are mirrored as well."""
    looked_at: list[Tensor] = []
    monkeypatch.setattr(
        "figment.networks.layers.calibration.calibrate", lambda _, images: looked_at.append(images)
    )
    trainer = trainer_for(replace(AIDED, mirror=True), 400)
    trainer.round()
    (images,) = looked_at
    plain = trainer.feed.first(256)[0]
    turned = (images == plain.flip(3)).flatten(1).all(1)
    assert torch.equal(images[~turned], plain[~turned])
    assert 90 < turned.sum() < 166


def test_mixing_is_a_function_of_the_seed_and_keeps_the_size():
    one, again, other = (Heads(32, seed).heads[2] for seed in (0, 0, 1))
    assert torch.equal(one.mixing, again.mixing)
    assert not torch.equal(one.mixing, other.mixing)
    assert one.mixing.square().sum((1, 2, 3)).mean().item() == pytest.approx(1, abs=0.1)


def test_maps_are_standardised_by_the_first_reals():
    trainer = trainer_for(AIDED)
    trainer.round()
    heads, (reals, _) = heads_of(trainer), trainer.feed.first(64)
    maps = frozen(CPU).stages(heads.seen(reals), max(STAGES))
    for stage, head in zip(STAGES, heads.heads, strict=True):
        rows = head.standard(maps[stage - 1]).movedim(1, 0).flatten(1)
        assert rows.mean(1).abs().max() < 1e-4
        assert (rows.std(1, correction=0) - 1).abs().max() < 1e-3


def terms_with_logits(recipe: Recipe, logit: float, monkeypatch: pytest.MonkeyPatch):
    """Return both players' terms where every head says ``logit`` of every place."""
    trainer = trainer_for(recipe)
    forward = Heads.forward
    monkeypatch.setattr(Heads, "forward", lambda self, images: 0 * forward(self, images) + logit)
    batch = trainer.next_batch()
    fakes = recipe.generate(trainer.nets["generator"], batch.latents, batch.labels)
    own = recipe.discriminator_terms(trainer.nets, batch, fakes.detach(), trainer.clock)
    return own, recipe.generator_terms(trainer.nets, batch, fakes, trainer.clock)


@pytest.mark.parametrize(
    ("logit", "discriminator", "generator"), [(0.0, 2.0, 0.0), (0.5, 2.0, -0.5), (-3.0, 4.0, 3.0)]
)
def test_terms_are_the_formula(logit: float, discriminator: float, generator: float, monkeypatch):
    recipe = replace(AIDED, vision_aided=0.25)
    own, others = terms_with_logits(recipe, logit, monkeypatch)
    assert own.penalties["vision_aided"].item() == pytest.approx(discriminator)
    assert others.penalties["vision_aided"].item() == pytest.approx(0.25 * generator)
    assert own.observations["score/vision_aided"].item() == (0.5 if logit else 0.0)


def test_the_generator_learns_through_the_frozen_network():
    trainer = trainer_for(replace(AIDED, adversarial=0.0))
    batch = trainer.next_batch()
    before = {k: v.clone() for k, v in frozen(CPU).state_dict().items()}
    fakes = trainer.generate(batch)
    trainer.differentiate("generator", trainer.recipe.generator_terms, batch, fakes)
    slopes = [weight.grad for weight in trainer.weights("generator")]
    assert all(slope is not None and slope.abs().sum() > 0 for slope in slopes)
    for _ in range(2):
        trainer.round()
    assert all(weight.grad is None for weight in frozen(CPU).parameters())
    assert all(torch.equal(value, before[k]) for k, value in frozen(CPU).state_dict().items())


def test_heads_are_the_discriminators_and_the_frozen_network_is_nobodys():
    nets, plain = build(AIDED, CPU), build(BASE, CPU)
    more = nets.state_dict().keys() - plain.state_dict().keys()
    assert more and all(name.startswith("discriminator.vision.heads.") for name in more)
    assert sum(nets.state_dict()[name].numel() for name in more) < 120_000
    learning = {id(weight) for weight in nets["discriminator"].parameters()}
    optimizer = AIDED.optimizers(nets)["discriminator"]
    assert learning == {id(w) for group in optimizer.param_groups for w in group["params"]}
    assert not any(weight.requires_grad for weight in frozen(CPU).parameters())


def test_heads_play_every_third_round_and_count_threefold():
    trainer, seen = trainer_for(replace(AIDED, vision_every=3)), []
    whole = trainer_for(AIDED).round()
    for _ in range(4):
        seen.append(trainer.round())
    name = "penalty/vision_aided/discriminator"
    assert [name in scalars for scalars in seen] == [True, False, False, True]
    assert seen[0][name].item() == pytest.approx(3 * whole[name].item(), rel=1e-4)


def test_a_run_is_not_judged_by_what_it_learned_from():
    assert AIDED.learned_from == {"efficientnet"}
    assert BASE.learned_from == frozenset()


def test_what_the_heads_see_is_augmented_by_their_own_choice():
    images = torch.rand(6, 3, 16, 16) * 2 - 1
    none, every = (replace(AIDED, vision_augment=way) for way in ("none", "diffaugment"))
    assert vision_aided._shown(none, images) is images
    grey = torch.zeros_like(images) + images.mean((1, 2, 3), keepdim=True)
    seen = [vision_aided._shown(recipe, grey) for recipe in (AIDED, every)]
    same = [torch.isin(shown, grey).float().mean().item() for shown in seen]
    assert same[0] > 0.4 and same[1] == 0  # the rest is what was cut out or came in over the border


def test_heads_learn_to_tell_pictures_from_grey():
    trainer = trainer_for(replace(AIDED, vision_augment="none", discriminator_lr=1e-2))
    batch = trainer.next_batch()
    grey = torch.zeros_like(batch.images)
    rule = trainer.recipe.discriminator_terms
    seen = [trainer.move("discriminator", rule, batch, grey) for _ in range(12)]
    assert seen[-1]["score/vision_aided"] > 0.9
    name = "penalty/vision_aided/discriminator"
    assert seen[-1][name] < 0.5 * seen[0][name]


def test_resumes_to_the_bit(tmp_path: Path):
    whole, half = trainer_for(AIDED), trainer_for(AIDED)
    for _ in range(4):
        whole.round()
    for _ in range(2):
        half.round()
    save_state(tmp_path, half, Tally())
    frozen.cache_clear()
    again = trainer_for(AIDED)
    load_state(tmp_path, again)
    for _ in range(2):
        again.round()
    one, other = whole.nets.state_dict(), again.nets.state_dict()
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_a_missing_package_is_one_line_and_leaves_the_generator_usable(monkeypatch, tmp_path):
    monkeypatch.setenv("FIGMENT_CACHE", str(tmp_path))
    monkeypatch.delenv("FIGMENT_WEIGHTS", raising=False)
    monkeypatch.setattr(efficientnet, "FILE", replace(efficientnet.FILE, package="not_installed"))
    frozen.cache_clear()
    trainer = trainer_for(AIDED)  # a run that is opened needs no package
    assert np.isfinite(trainer.generate(trainer.next_batch()).detach().numpy()).all()
    with pytest.raises(UserError, match=r"pip install 'figment-gan\[features\]'"):
        trainer.round()


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        ("points", {"vision_aided": 1.0}, "works on pictures only"),
        ("dcgan", {"vision_aided": -1.0}, "vision_aided must be 0 or more"),
        ("dcgan", {"vision_aided": 1.0, "vision_side": 16}, "must be from 32 to 512 px, not 16"),
        ("dcgan", {"vision_aided": 1.0, "vision_every": 0}, "vision_every must be above 0"),
        ("dcgan", {"vision_side": 64}, "--vision-side has no effect without --vision-aided"),
        ("dcgan", {"vision_augment": "none"}, "no effect without --vision-aided"),
    ],
)
def test_refusals(name: str, fields: dict, message: str):
    with pytest.raises(UserError, match=message):
        replace(find(name)[1], **fields).check()


def played() -> dict[str, Tensor]:
    trainer = trainer_for(replace(AIDED, optimizer="sgd", betas=(0.5, 0.999), generator_lr=1e-2))
    for _ in range(2):
        trainer.round()
    return {name: value.detach().clone() for name, value in trainer.nets.state_dict().items()}


def test_two_processes_play_as_one(tmp_path: Path):
    first, second = as_two(played, tmp_path)
    for name, alone in played().items():
        assert torch.equal(first[name], second[name]), name
        assert torch.allclose(alone.float(), first[name].float(), rtol=1e-5, atol=1e-5), name


def test_places_are_those_of_the_table():
    assert [vision.places(64, stage) for stage in range(1, 8)] == [32, 16, 8, 4, 4, 2, 2]
    assert [vision.places(50, stage) for stage in STAGES] == [13, 7, 4]
