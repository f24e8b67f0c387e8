"""The guided latent space: modes a class, a frozen classifier, and what its two terms do."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from figment.data import open_dataset
from figment.errors import UserError
from figment.networks import guide
from figment.networks.guide import RADIUS, Guide, at_modes, imbalance
from figment.recipe import Recipe
from figment.recipes import find
from figment.sampling.generator import Generator
from figment.techniques import guidance
from figment.training.log import Tally
from figment.training.state import load_state, save_state
from figment.training.trainer import Trainer, build
from two_processes import as_two

CPU = torch.device("cpu")
BASE = replace(find("cats-mlp")[1].tiny(), resolution=16, precision="float32", batch=8)
GUIDED = replace(BASE, guidance=0.5, guidance_balance=0.5, classes=2, guide_images=320)


def trainer_for(recipe: Recipe, count: int = 64) -> Trainer:
    data = open_dataset(f"flowers:{count}", resolution=16, channels=3, progress=False)
    return Trainer(recipe, data, CPU)


def test_modes_are_as_far_apart_as_their_radius_says():
    latents = torch.randn(3000, 12, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(3000) % 3
    moved = at_modes(latents, labels)
    assert torch.allclose((moved - latents)[:3], RADIUS * torch.eye(3, 12), atol=1e-6)
    halves = torch.full((3, 2), 0.5)
    between = at_modes(latents[:3], halves) - latents[:3]
    assert torch.allclose(between, F.pad(halves * RADIUS, (0, 10)), atol=1e-6)
    middles = torch.stack([moved[labels == k].mean(0) for k in range(3)])
    assert torch.pdist(middles).numpy() == pytest.approx(RADIUS * math.sqrt(2), abs=0.3)
    overlap = torch.special.ndtr(torch.tensor(-RADIUS / math.sqrt(2)))
    assert overlap.item() == pytest.approx(0.0023, abs=5e-5)


def test_imbalance_is_nothing_for_all_classes_alike_and_log_k_for_one():
    each = 100 * torch.eye(4)
    assert imbalance(each).item() == pytest.approx(0, abs=1e-6)
    assert imbalance(torch.zeros(7, 4)).item() == pytest.approx(0, abs=1e-6)
    assert imbalance(each[:1].expand(5, 4)).item() == pytest.approx(math.log(4))
    # shares 3/4 and 1/4: log 2 - H
    verdicts = torch.tensor([[100.0, 0], [100, 0], [100, 0], [0, 100]])
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert imbalance(verdicts).item() == pytest.approx(math.log(2) - entropy, abs=1e-6)


def test_terms_are_the_formula():
    recipe = replace(GUIDED, guidance=0.25, guidance_balance=0.5)
    verdicts, labels = torch.tensor([[2.0, 0.0], [0.0, 0.0]]), torch.tensor([0, 1])
    _, minimise, observe = guidance.terms(recipe, verdicts, labels)
    sure = 1 / (1 + math.exp(-2))
    assert minimise["guidance"].item() == pytest.approx(0.25 * (-math.log(sure) + math.log(2)) / 2)
    share = (sure + 0.5) / 2
    distance = share * math.log(2 * share) + (1 - share) * math.log(2 * (1 - share))
    assert minimise["guidance_balance"].item() == pytest.approx(0.5 * distance)
    assert observe["score/guided"].item() == 0.5
    only = guidance.terms(replace(recipe, guidance=0.0), verdicts, labels).penalties
    assert only.keys() == {"guidance_balance"}


def test_without_weights_it_is_the_base_gan_to_the_bit():
    base = trainer_for(BASE)
    off = trainer_for(replace(GUIDED, guidance=0.0, guidance_balance=0.0))
    on = trainer_for(GUIDED)
    for trainer in (base, off, on):
        for _ in range(3):
            trainer.round()
    same, other = base.nets.state_dict(), off.nets.state_dict()
    assert list(same) == list(other)
    assert all(torch.equal(same[key], other[key]) for key in same)
    guided = on.nets.state_dict()
    assert guided.keys() > same.keys()
    assert not torch.equal(guided["generator.layers.0.weight"], same["generator.layers.0.weight"])


def test_a_collapsed_generator_spreads_over_the_classes_as_the_weight_rises():
    """A generator of grey tones that an adversary holds at black, one of four classes of tone."""

    class Tones(nn.Module):
        """Verdicts [N, 4] on tones [N]: the nearer the tone to -.75, -.25, .25, .75, the surer."""

        def forward(self, tones: Tensor) -> Tensor:
            return -20 * (tones[:, None] - torch.linspace(-0.75, 0.75, 4)) ** 2

    latents, labels = (
        torch.randn(512, generator=torch.Generator().manual_seed(0)),
        torch.zeros(512).long(),
    )
    entropies = []
    for weight in (0.0, 0.1, 1.0):
        recipe = replace(GUIDED, guidance=0.0, guidance_balance=weight)
        slope, shift = torch.tensor(0.05), torch.tensor(-0.9)
        optimizer = torch.optim.Adam([slope.requires_grad_(), shift.requires_grad_()], lr=0.02)
        for _ in range(400):
            tones = torch.tanh(slope * latents + shift)
            loss = 0.1 * (tones + 0.75).square().mean()
            loss = loss + sum(guidance.terms(recipe, Tones()(tones), labels).penalties.values())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        shares = torch.bincount(Tones()(tones).argmax(1), minlength=4) / len(tones)
        entropies.append(-torch.special.xlogy(shares, shares).sum().item())
    assert entropies[0] == 0  # all black
    assert entropies[0] + 0.3 < entropies[1] < entropies[2]
    assert entropies[2] > 0.9 * math.log(4)


def test_the_guide_learns_the_classes_and_is_moved_by_nothing(capsys):
    recipe = replace(GUIDED, guide_images=6_000, resolution=32)
    data = open_dataset("flowers:300", resolution=32, channels=3, progress=False)
    trainer = Trainer(recipe, data, CPU)
    trainer.round()
    assert "guide: a classifier tells the class of" in capsys.readouterr().err
    guide = trainer.nets["guide"]
    assert isinstance(guide, Guide)
    assert guide.accuracy > 0.8
    before = {key: value.clone() for key, value in guide.state_dict().items()}
    for _ in range(2):
        seen = trainer.round()
    assert all(torch.equal(value, before[key]) for key, value in guide.state_dict().items())
    assert all(not w.requires_grad and w.grad is None for w in guide.parameters())
    assert {"penalty/guidance/generator", "score/guided"} <= seen.keys()
    again = Trainer(recipe, data, CPU)
    again.round()  # the lesson is not given twice
    assert capsys.readouterr().err == ""
    guidance._taught.clear()
    afresh = Trainer(recipe, data, CPU)
    afresh.round()
    for other in (again, afresh):
        state = other.nets["guide"].state_dict()
        assert all(torch.equal(value, before[key]) for key, value in state.items())


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("dcgan", {"play": "unrolled", "unroll": 1}),
        ("dcgan", {"conditioning": "projection", "class_norm": True, "packing": 1}),
        ("dcgan", {"packing": 2, "generator_moves": 2, "mirror": True}),
        ("fccgan", {"play": "extragradient", "channels": 1}),
        ("faces", {"generator_norm": "virtual", "reference": 4}),
        ("cats-mlp-minibatch", {"play": "svre"}),
    ],
)
def test_plays_with_other_techniques(name: str, fields: dict):
    recipe = replace(find(name)[1].tiny(), guidance=1.0, guidance_balance=1.0, classes=2)
    recipe = replace(recipe, guide_images=64, **fields)
    recipe.check()
    data = open_dataset(
        "flowers:24", resolution=recipe.resolution, channels=recipe.channels, progress=False
    )
    trainer = Trainer(recipe, data, CPU)
    for _ in range(2):
        seen = trainer.round()
    assert all(torch.isfinite(value) for value in seen.values())
    assert "penalty/guidance_balance/generator" in seen


def test_samples_come_from_the_modes_of_their_classes():
    class Seen(nn.Module):
        """Gives back its latents, as pictures of one row."""

        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(()))

        def forward(self, z: Tensor) -> Tensor:
            return (z / 8)[:, None, None, :] + self.weight

    generator = Generator(GUIDED, Seen())
    assert generator.classes == ("0", "1")
    turns, second = (generator.sample(4, label=label).array for label in (None, "1"))
    assert np.array_equal(turns[1::2], second[1::2])
    moved = second[0].astype(float) - turns[0]
    assert moved[0, 0, :2] == pytest.approx(np.array([-1, 1]) * RADIUS / 8 * 127.5, abs=1.5)
    narrow = generator.sample(4, label="1", truncation=0.01).array.astype(float)
    assert np.ptp(narrow, 0).max() <= 1


def test_resumes_to_the_bit_without_another_lesson(tmp_path: Path, monkeypatch):
    whole, half = trainer_for(GUIDED), trainer_for(GUIDED)
    for _ in range(5):
        whole.round()
    for _ in range(2):
        half.round()
    save_state(tmp_path, half, Tally())
    monkeypatch.setattr(guide, "learn", None)
    guidance._taught.clear()
    again = trainer_for(GUIDED)
    load_state(tmp_path, again)
    for _ in range(3):
        again.round()
    one, other = whole.nets.state_dict(), again.nets.state_dict()
    assert all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        ("points", {"guidance": 1.0}, "points have no classes: leave guidance out"),
        ("dcgan", {"guidance": -1.0}, "guidance must be 0 or more"),
        ("dcgan", {"guidance": 1.0, "classes": 101}, "set --latent to 101 or more"),
        ("dcgan", {"guide_images": 0}, "guide_images must be above 0"),
    ],
)
def test_refusals(name: str, fields: dict, message: str):
    with pytest.raises(UserError, match=message):
        replace(find(name)[1], **fields).check()


def played() -> dict[str, Tensor]:
    trainer = trainer_for(replace(GUIDED, play="simultaneous", generator_lr=1e-3))
    for _ in range(2):
        trainer.round()
    return {name: weight.detach() for name, weight in trainer.nets.named_parameters()}


def test_two_processes_play_as_one(tmp_path: Path):
    first, second = as_two(played, tmp_path)
    for name, alone in played().items():
        assert torch.equal(first[name], second[name]), name
        exact = name.startswith("guide")
        assert torch.allclose(alone, first[name], rtol=0, atol=0 if exact else 1e-5), name


def test_its_place_in_the_networks():
    nets = build(GUIDED, CPU)
    assert "guide" in nets
    assert "guide" not in build(BASE, CPU)
    groups = (g for optimizer in GUIDED.optimizers(nets).values() for g in optimizer.param_groups)
    learning = {id(weight) for group in groups for weight in group["params"]}
    assert not learning & {id(weight) for weight in nets["guide"].parameters()}
