"""The trainer: what a move may touch, the average, and how it stops."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from figment.data import Dataset, open_dataset
from figment.errors import UserError
from figment.launch import train
from figment.recipes import SYSTEMS, find
from figment.recipes.points import Points
from figment.rounds import ENOUGH_ROUNDS, Terms
from figment.training.average import decay, follow, keep_share, with_own_statistics
from figment.training.due import due, due_wider
from figment.training.feed import Feed
from figment.training.trainer import NotFinite, Trainer, build, learning

CPU = torch.device("cpu")
POINTS = Points(batch=8, hidden=(16,), latent=4, images=64, tick=16, metric_every=64)


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


def test_the_start_is_soon_forgotten_unless_the_recipe_has_a_ramp_of_its_own():
    assert keep_share(900, 1_000, 5_000, 0.05) == decay(100, 50) == 0.25
    assert keep_share(900, 1_000, 20, 0.05) == decay(100, 20)
    assert keep_share(900, 1_000, 5_000, math.inf) == decay(100, 5_000)
    warm = {name: system.recipe.ema_warm_up for name, system in SYSTEMS.items()}
    own = {name for name, share in warm.items() if share != 0.05}
    assert own == {"r3gan", "r3gan-cifar", "r3gan-ffhq-64", "r3gan-ffhq-256"}


def test_average_halves_after_its_half_life():
    net = torch.nn.Linear(3, 3)
    average = torch.nn.Linear(3, 3)
    with torch.no_grad():
        net.weight.fill_(1.0)
        average.weight.zero_()
    for _ in range(10):
        follow(average, net, keep=decay(50, 500))
    assert torch.allclose(average.weight, torch.full((3, 3), 0.5))


def test_the_samples_statistics_are_those_of_the_weights_and_leave_the_original_alone():
    recipe = find("dcgan")[1].tiny()
    generator = build(recipe, CPU)["generator"]
    before = {key: value.clone() for key, value in generator.state_dict().items()}
    net = with_own_statistics(recipe, generator)
    assert all(torch.equal(before[key], value) for key, value in generator.state_dict().items())
    norm = next(m for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d))
    assert norm.running_var is not None and not torch.allclose(norm.running_var, torch.ones(1))
    again = with_own_statistics(recipe, generator)
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


def test_batches_cover_every_example_once_an_epoch(ring):
    few = replace_rows(ring, 40)
    trainer = Trainer(POINTS, few, CPU)
    seen = torch.cat([trainer.next_batch().images for _ in range(5)])
    assert sorted(map(tuple, seen.tolist())) == sorted(map(tuple, few.rows.tolist()))


def test_mirror_flips_about_half_and_nothing_else(photos):
    dataset = open_dataset(str(photos), resolution=32, channels=3, progress=False)
    plain = Trainer(replace(find("dcgan")[1].tiny(), batch=24), dataset, CPU).next_batch().images
    other = replace(find("dcgan")[1].tiny(), batch=24, mirror=True)
    mirrored = Trainer(other, dataset, CPU).next_batch().images
    flipped = [torch.equal(m, p.flip(2)) for m, p in zip(mirrored, plain, strict=True)]
    same = [torch.equal(m, p) for m, p in zip(mirrored, plain, strict=True)]
    assert all(f or s for f, s in zip(flipped, same, strict=True))
    assert 4 <= sum(flipped) <= 20


def test_reals_are_in_minus_one_to_one(photos):
    dataset = open_dataset(str(photos), resolution=32, channels=3, progress=False)
    images = Trainer(find("dcgan")[1].tiny(), dataset, CPU).next_batch().images
    assert images.dtype == torch.float32
    assert images.min() >= -1 and images.max() <= 1
    assert images.min() < -0.9 and images.max() > 0.9


@dataclass(frozen=True, kw_only=True)
class Exploding(Points):
    """Its generator's loss is nan from the sixth round on, later than a plan looks."""

    def generator_terms(self, nets, batch, fakes, clock) -> Terms:
        terms = super().generator_terms(nets, batch, fakes, clock)
        if clock.images > 5 * self.batch:
            return Terms({"adversarial": terms.losses["adversarial"] * math.nan}, {}, {})
        return terms


EXPLODING = Exploding(batch=8, hidden=(16,), latent=4, images=64, tick=16, metric_every=64)


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


def test_bfloat16_plays_the_same_game(photos):
    """Products in bfloat16, weights, losses and penalties in float32: close to float32 throughout."""
    dataset = open_dataset(str(photos), resolution=32, channels=3, progress=False)
    recipe = replace(
        find("dcgan")[1], resolution=32, width=64, batch=8
    )  # wide enough to be lowered
    losses = {}
    for precision in ("float32", "bfloat16"):
        trainer = Trainer(replace(recipe, precision=precision), dataset, CPU)
        seen = trainer.round()
        losses[precision] = [seen["loss/discriminator"].item(), seen["loss/generator"].item()]
        assert all(w.dtype == torch.float32 for w in trainer.nets.parameters())
        assert all(value.dtype == torch.float32 for value in seen.values())
    assert losses["bfloat16"] == pytest.approx(losses["float32"], rel=0.05)
    assert losses["bfloat16"] != losses["float32"]


def test_the_plan_takes_the_dearest_form_that_gets_enough_rounds(ring, monkeypatch):
    from figment.training import cost

    forms = [replace(POINTS, batch=size) for size in (64, 32, 16, 8)]
    speeds = {64: 100.0, 32: 400.0, 16: 900.0, 8: 1000.0}  # images/s
    tried = []

    clock, pause = [0.0], [0.0]

    def measure(recipe, dataset, device, most):
        tried.append(recipe.batch)
        clock[0] += pause[0]
        return cost.Cost(recipe, speeds[recipe.batch], 0.1, images_per_round=recipe.batch)

    monkeypatch.setattr(cost, "measure", measure)
    monkeypatch.setattr(cost.time, "perf_counter", lambda: clock[0])
    chosen = cost.affordable(forms, ring, CPU, deadline=ENOUGH_ROUNDS * 32 / 400.0)
    assert chosen.recipe.batch == 32
    assert tried == [8, 16, 32, 64, 64, 64]
    del tried[:]
    pause[0] = 20.0  # on a busy machine no more than a tenth of the time is spent on trying
    busy = cost.affordable(forms, ring, CPU, deadline=ENOUGH_ROUNDS * 32 / 400.0)
    assert busy.recipe.batch == 16 and tried == [8, 16] and clock[0] == 40
    clock[0] = pause[0] = 0.0
    assert cost.affordable(forms, ring, CPU, deadline=0.1).recipe.batch == 8
    monkeypatch.setattr(  # a form may want more rounds before it is better than a cheaper one
        type(POINTS), "rounds_wanted", lambda self: (3 if self.batch > 16 else 1) * ENOUGH_ROUNDS
    )
    kept = cost.affordable(forms, ring, CPU, deadline=2 * ENOUGH_ROUNDS * 32 / 400.0)
    assert kept.recipe.batch == 16
    sentence = cost.sentence("points", chosen, ring, end=64_000, seconds=None)
    assert sentence == (
        "points on ring (100,000 points): batch 32, auto; 64,000 images (2,000 rounds), about 3 min "
        "at 400 images/s; 0.1 GiB of memory"
    )


def test_a_moment_in_which_something_else_had_the_processor_decides_no_form(ring, monkeypatch):
    from figment.training import cost

    forms = [replace(POINTS, batch=size) for size in (16, 8)]
    speeds = iter([20.0, 1000.0, 20.0, 20.0, 900.0])

    def measure(recipe, dataset, device, most):
        return cost.Cost(recipe, next(speeds), 0.1, images_per_round=recipe.batch)

    monkeypatch.setattr(cost, "measure", measure)
    found = cost.affordable(forms, ring, CPU, deadline=cost.time.perf_counter() + 200)
    assert found.recipe.batch == 16 and found.images_per_second == 900


def test_the_plan_says_what_is_done_with_the_pictures():
    from figment.training import cost

    dataset = open_dataset("flowers:24", resolution=32, channels=3, progress=False)
    recipe = replace(find("dcgan")[1], resolution=32, conditioning="concat", classes=2, mirror=True)
    recipe = replace(recipe, augment="diffaugment", discriminator_moves=5)
    measured = cost.Cost(recipe, 100.0, 0.1, images_per_round=5 * recipe.batch)
    said = cost.sentence("dcgan", measured, dataset, end=None, seconds=60.0)
    form = "32×32 colour, random mirroring, DiffAugment, conditional on 2 classes"
    plan, short = said.splitlines()
    assert plan.startswith(f"dcgan on flowers (24 pictures, {form}): width")
    assert "about 6,000 images (10 rounds) in 60 s at 100 images/s" in plan
    assert short == (
        "too short to learn shapes: that takes about 5,000 rounds, 3,200,000 images, 8 h 53 min "
        "at 100 images/s"
    )
    long = measured._replace(images_per_round=1)
    assert "\n" not in cost.sentence("dcgan", long, dataset, end=8_000, seconds=None)
    assert measured.rounds(recipe.batch) == 20
    aside = measured._replace(recipe=replace(find("dcgan")[1], resolution=32))
    said = cost.sentence("dcgan", aside, dataset, end=8_000, seconds=None)
    assert "32×32 colour, its 2 classes not learned): width" in said


def test_a_cost_is_measured_in_images_of_whole_rounds(ring):
    from figment.training import cost

    found = cost.measure(replace(POINTS, batch=8, discriminator_moves=3), ring, CPU)
    assert found.images_per_round == 24 and found.images_per_second > 0


def test_a_lazily_seen_scalar_is_averaged_over_the_rounds_it_was_seen_in():
    from figment.training.log import Tally

    tally = Tally()
    tally.add({"loss": 1.0, "penalty": 4.0})
    tally.add({"loss": 2.0})
    assert tally.means() == {"loss": 1.5, "penalty": 4.0}
    assert Tally.from_json(tally.to_json()) == tally


def test_held_out_pictures_come_mixed_as_those_of_a_batch_do(tmp_path: Path):
    for name, level in (("dark", 40), ("light", 200)):
        (tmp_path / name).mkdir()
        for number in range(100):
            pixels = np.full((32, 32, 3), level + number % 20, np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    dataset = open_dataset(str(tmp_path), resolution=32, progress=False)
    recipe = replace(find("dcgan")[1].tiny(), held_out=0.25)
    feed = Feed(recipe, dataset, torch.device("cpu"))
    found, again = feed.held_out_examples(40), feed.held_out_examples(40)
    assert found is not None and again is not None
    assert torch.equal(found[0], again[0])
    assert found[1] is not None and 5 <= int(found[1][:20].sum()) <= 15
