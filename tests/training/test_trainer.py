"""The trainer: what a move may touch, the average, and how it stops."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from figment.data import Dataset, open_dataset
from figment.errors import UserError
from figment.launch import train
from figment.recipe import Terms
from figment.recipes import find
from figment.recipes.points import Points
from figment.training.average import decay, follow, settled
from figment.training.schedule import due, due_wider
from figment.training.trainer import NotFinite, Trainer, build, learning

CPU = torch.device("cpu")
POINTS = Points(batch=8, hidden=(16,), latent=4, images=64, tick=16)


@pytest.fixture
def ring() -> Dataset:
    return open_dataset("ring", resolution=64, channels=1, progress=False)


@pytest.mark.parametrize(
    ("images", "half_life", "keep"),
    [(64, 500_000, 0.999911281), (512, 5_000_000, 0.999929024), (32, 10_000, 0.997784387)],
)
def test_average_decay_constants(images, half_life, keep):
    assert decay(images, half_life) == pytest.approx(keep, abs=1e-9)
    assert decay(images, 0) == 0


def test_average_halves_after_its_half_life():
    net = torch.nn.Linear(3, 3)
    average = torch.nn.Linear(3, 3)
    with torch.no_grad():
        net.weight.fill_(1.0)
        average.weight.zero_()
    for _ in range(10):
        follow(average, net, keep=decay(50, 500))
    assert torch.allclose(average.weight, torch.full((3, 3), 0.5))


def test_settled_statistics_are_those_of_the_weights_and_leave_the_original_alone():
    recipe = find("dcgan")[1].tiny()
    generator = build(recipe, CPU)["generator"]
    before = {key: value.clone() for key, value in generator.state_dict().items()}
    net = settled(recipe, generator)
    assert all(torch.equal(before[key], value) for key, value in generator.state_dict().items())
    norm = next(m for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d))
    assert norm.running_var is not None and not torch.allclose(norm.running_var, torch.ones(1))
    again = settled(recipe, generator)
    for key, value in net.state_dict().items():
        assert torch.equal(value, again.state_dict()[key])


def test_learning_freezes_the_others_and_gives_back():
    nets = torch.nn.ModuleDict({"a": torch.nn.Linear(2, 2), "b": torch.nn.Linear(2, 2)})
    with learning(list(nets["a"].parameters()), among=nets):
        assert all(w.requires_grad for w in nets["a"].parameters())
        assert not any(w.requires_grad for w in nets["b"].parameters())
    assert all(w.requires_grad for w in nets.parameters())


def test_more_discriminator_moves_see_fresh_reals(ring):
    trainer = Trainer(replace(POINTS, discriminator_moves=3), ring, CPU)
    trainer.round()
    assert trainer.clock.images == 24
    assert trainer.clock.rounds == 1


def test_deal_covers_every_example_once_an_epoch(ring):
    few = replace_rows(ring, 40)
    trainer = Trainer(POINTS, few, CPU)
    seen = torch.cat([trainer.deal().images for _ in range(5)])
    assert sorted(map(tuple, seen.tolist())) == sorted(map(tuple, few.rows.tolist()))


def test_mirror_flips_about_half_and_nothing_else(photos):
    dataset = open_dataset(str(photos), resolution=32, channels=3, progress=False)
    plain = Trainer(replace(find("dcgan")[1].tiny(), batch=24), dataset, CPU).deal().images
    other = replace(find("dcgan")[1].tiny(), batch=24, mirror=True)
    mirrored = Trainer(other, dataset, CPU).deal().images
    flipped = [torch.equal(m, p.flip(2)) for m, p in zip(mirrored, plain, strict=True)]
    same = [torch.equal(m, p) for m, p in zip(mirrored, plain, strict=True)]
    assert all(f or s for f, s in zip(flipped, same, strict=True))
    assert 4 <= sum(flipped) <= 20


def test_reals_are_in_minus_one_to_one(photos):
    dataset = open_dataset(str(photos), resolution=32, channels=3, progress=False)
    images = Trainer(find("dcgan")[1].tiny(), dataset, CPU).deal().images
    assert images.dtype == torch.float32
    assert images.min() >= -1 and images.max() <= 1
    assert images.min() < -0.9 and images.max() > 0.9


@dataclass(frozen=True, kw_only=True)
class Exploding(Points):
    """Its generator's loss is nan from the sixth round on, later than a plan looks."""

    def generator_terms(self, nets, batch, fakes, clock) -> Terms:
        terms = super().generator_terms(nets, batch, fakes, clock)
        if clock.images > 5 * self.batch:
            return Terms({"adversarial": terms.minimise["adversarial"] * math.nan}, {})
        return terms


EXPLODING = Exploding(batch=8, hidden=(16,), latent=4, images=64, tick=16)


def test_a_loss_that_is_not_finite_changes_nothing(ring):
    trainer = Trainer(EXPLODING, ring, CPU)
    for _ in range(5):
        trainer.round()
    before = [w.clone() for w in trainer.nets["generator"].parameters()]
    with pytest.raises(NotFinite, match="the generator's adversarial loss is nan"):
        trainer.round()
    after = trainer.nets["generator"].parameters()
    assert all(torch.equal(b, a) for b, a in zip(before, after, strict=True))


def test_a_run_that_explodes_keeps_its_last_good_state(tmp_path):
    from figment.training.state import saved_clock

    with pytest.raises(UserError, match=r"stopped at 48 images: .* is nan; the last good state"):
        train("ring", EXPLODING, run=tmp_path / "run", save_every=8, progress=False)
    assert saved_clock(tmp_path / "run" / "state").images == 40


def test_schedule():
    assert due(0, 10, 10) and not due(0, 9, 10) and due(9, 31, 10)
    marks = [now for now in range(1, 1000) if due_wider(now - 1, now, 100, 2.0)]
    assert marks == [100, 200, 400, 800]
    assert not due_wider(0, 99, 100, 1.25)


def replace_rows(dataset: Dataset, count: int) -> Dataset:
    return replace(dataset, rows=np.array(dataset.rows[:count]), labels=dataset.labels[:count])
