"""Unrolled play: its gradient on paper and by differences, what it leaves alone, its memory's twin."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from games import CPU, AdamGame, Game, TinyPoints, points
from torch import Tensor

from figment.data import Dataset, open_dataset
from figment.errors import UserError
from figment.gan import GAN
from figment.recipes import find
from figment.rounds import Terms
from figment.training.trainer import Trainer
from figment.turns.alternating import alternating
from figment.turns.unrolled import Unrolled, with_values


@dataclass(frozen=True, kw_only=True)
class Quadratic(Game):
    """f = θ_D θ_G - θ_D²/2, which the discriminator maximises from 0 and the generator minimises from 1."""

    lr: float = 0.5
    x: tuple[float, ...] = (0.0,)

    def loss(self, x: Tensor, y: Tensor, rows: Tensor) -> Tensor:
        return -(x * y - x * x / 2).sum()


@dataclass(frozen=True, kw_only=True)
class AdamQuadratic(AdamGame, Quadratic):
    """The same with Adam."""


def generator_gradient(recipe: GAN, data: Dataset, before: int = 0) -> tuple[Trainer, float]:
    """Differentiate the generator's unrolled loss after so many ordinary rounds; return that loss."""
    trainer = Trainer(recipe, data, CPU)
    for _ in range(before):
        torch.manual_seed(trainer.clock.images)
        alternating(trainer)
    torch.manual_seed(0)
    batch = trainer.next_batch()
    fakes = recipe.generate(trainer.nets["generator"], batch.latents, batch.labels)
    seen = trainer.differentiate("generator", recipe.turns().rule(trainer), batch, fakes)
    return trainer, seen["loss/generator"].item()


@pytest.mark.parametrize(
    ("steps", "value", "slope"), [(0, 0, 0), (1, 0.375, 0.75), (2, 0.46875, 0.9375), (60, 0.5, 1)]
)
@pytest.mark.parametrize("checkpoint", [True, False])
def test_analytic_gradient(steps: int, value: float, slope: float, checkpoint: bool):
    """θ_K = θ_G + (1-η)^K (θ_D - θ_G); .75 for K = 2 would be the gradient without second order."""
    play = Unrolled(steps=steps, inner="sgd", checkpoint=checkpoint)
    trainer, loss = generator_gradient(Quadratic(play=play), points(np.zeros((2, 1))))
    assert loss == pytest.approx(value, abs=1e-12)
    assert trainer.nets["generator"].value.grad.item() == pytest.approx(slope, abs=1e-12)
    assert trainer.nets["discriminator"].value.item() == 0


def test_its_own_learning_rate():
    play = Unrolled(steps=2, inner="sgd", lr=0.5)
    trainer, _ = generator_gradient(Quadratic(play=play, lr=1e-3), points(np.zeros((2, 1))))
    assert trainer.nets["generator"].value.grad.item() == pytest.approx(0.9375, abs=1e-12)


@pytest.mark.parametrize("inner", ["adam", "fresh-adam"])
def test_gradient_through_adam_is_the_slope(inner: str):
    """Against central differences in float64."""
    nothing = points(np.zeros((2, 1)))
    recipe = AdamQuadratic(play=Unrolled(steps=4, inner=inner), lr=0.05, x=(0.3,))
    trainer, _ = generator_gradient(recipe, nothing, before=2)
    y = trainer.nets["generator"].value
    slope, sides = y.grad.item(), []
    y.grad = None
    for step in (1e-5, -2e-5):
        y.data += step
        batch = trainer.next_batch()
        fakes = recipe.generate(trainer.nets["generator"], batch.latents, batch.labels)
        rule = recipe.turns().rule(trainer)
        terms = rule(trainer.nets, batch, fakes, trainer.clock)
        sides.append(terms.losses["adversarial"].item())
    assert slope == pytest.approx((sides[0] - sides[1]) / 2e-5, rel=1e-6)


def test_a_gradient_of_nothing_passes_through_adam():
    """Where g and v are 0, sqrt(v) would have an infinite slope and the product would be no number."""
    recipe = AdamQuadratic(play=Unrolled(steps=3, inner="fresh-adam"), x=(0.0, 1.0), y=(0.0, 1.0))
    trainer, _ = generator_gradient(recipe, points(np.zeros((2, 1))))
    assert torch.isfinite(trainer.nets["generator"].value.grad).all()


@pytest.fixture
def ring() -> Dataset:
    return open_dataset("ring", resolution=64, channels=1, progress=False)


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.AdamW])
def test_inner_adam_steps_as_torch_does(ring: Dataset, kind, weight_decay: float):
    recipe = TinyPoints(play=Unrolled(steps=3), dropout=0.0)
    trainer = Trainer(recipe, ring, CPU)
    nets = trainer.nets
    trainer.optimizers["discriminator"] = optimizer = kind(
        nets["discriminator"].parameters(), lr=0.01, weight_decay=weight_decay
    )
    for _ in range(3):
        alternating(trainer)
    batch = trainer.next_batch()
    fakes = recipe.generate(nets["generator"], batch.latents, batch.labels).detach()
    ahead = Unrolled(steps=3).unroll(trainer, batch, fakes)
    for _ in range(3):
        trainer.move("discriminator", recipe.discriminator_terms, batch, fakes)
    assert optimizer.state[trainer.weights("discriminator")[0]]["step"] == 6
    for name, weight in nets["discriminator"].named_parameters():
        unrolled = ahead[f"discriminator.{name}"]
        assert torch.allclose(unrolled, weight, atol=2e-6), name


def assert_close(some: list[Tensor], others: list[Tensor]) -> None:
    """Equal to the rounding of sums taken in another order, and not for being 0."""
    for one, other in zip(some, others, strict=True):
        assert one.abs().max() > 0
        assert (one - other).abs().max() < 2e-5 * other.abs().max()


@pytest.mark.parametrize("inner", ["adam", "fresh-adam", "sgd"])
def test_the_same_with_and_without_checkpoints(ring: Dataset, inner: str):
    """Dropout is on: the masks of a step that is computed again are those of the first time."""
    both = []
    for checkpoint in (True, False):
        play = Unrolled(steps=3, inner=inner, checkpoint=checkpoint)
        trainer, loss = generator_gradient(TinyPoints(play=play, dropout=0.5), ring, before=2)
        both.append((loss, [weight.grad for weight in trainer.weights("generator")]))
    assert both[0][0] == both[1][0]
    assert_close(both[0][1], both[1][1])


class Sloped(TinyPoints):
    """With a penalty that is itself a gradient, and a memory that each play of the rule changes."""

    def build(self):
        nets = super().build()
        nets["memory"] = torch.nn.BatchNorm1d(2, affine=False)
        return nets

    def discriminator_terms(self, nets, batch, fakes, clock) -> Terms:
        terms = super().discriminator_terms(nets, batch, fakes, clock)
        images = nets["memory"](batch.images).requires_grad_()
        logits = self.logits(nets, images, None)
        (slopes,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
        terms.penalties["slope"] = slopes.square().sum(1).mean()
        return terms


def test_rules_may_take_gradients_and_remember(ring: Dataset):
    gradients = []
    for checkpoint in (True, False):
        play = Unrolled(steps=3, checkpoint=checkpoint)
        trainer, _ = generator_gradient(Sloped(play=play), ring, before=2)
        assert trainer.nets["memory"].num_batches_tracked == 2  # the two ordinary moves
        gradients.append([weight.grad for weight in trainer.weights("generator")])
    assert_close(*gradients)


SEEN: list[float] = []


class Watched(TinyPoints):
    """Notes what the discriminator's loss is each time."""

    def discriminator_terms(self, nets, batch, fakes, clock) -> Terms:
        terms = super().discriminator_terms(nets, batch, fakes, clock)
        SEEN.append(terms.losses["adversarial"].item())
        return terms


def test_masks_are_fixed_within_a_round_and_differ_between_rounds(ring: Dataset):
    SEEN.clear()
    play = Unrolled(steps=3, inner="sgd", lr=0.0, checkpoint=False)
    trainer = Trainer(Watched(play=play, dropout=0.5), ring, CPU)
    for _ in range(2):
        trainer.round()
    first, second = SEEN[1:4], SEEN[5:8]
    assert len(SEEN) == 8 and len(set(first)) == len(set(second)) == 1
    assert first[0] != SEEN[0] and first[0] != second[0]


def state(trainer: Trainer) -> dict[str, Tensor]:
    optimizer = trainer.optimizers["discriminator"]
    moments = {
        f"{number}.{key}": value
        for number, weight in enumerate(trainer.weights("discriminator"))
        for key, value in optimizer.state[weight].items()
    }
    return {**trainer.nets.state_dict(), **moments}


def unrolled_dcgan(dataset: Dataset, precision: str, *, checkpoint: bool) -> list[Tensor]:
    """Return the generator's unrolled gradient after a round in float32; nothing else has changed."""
    recipe = replace(find("dcgan")[1].tiny(), precision="float32", dropout=0.2)
    trainer = Trainer(recipe, dataset, CPU)
    trainer.round()
    trainer.recipe = recipe = replace(recipe, precision=precision)
    torch.manual_seed(0)
    batch = trainer.next_batch()
    with trainer.autocast():
        fakes = recipe.generate(trainer.nets["generator"], batch.latents, batch.labels)
    before = copy.deepcopy(state(trainer))
    rule = Unrolled(steps=2, checkpoint=checkpoint).rule(trainer)
    trainer.differentiate("generator", rule, batch, fakes)
    after = state(trainer)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(weight.grad is None for weight in trainer.weights("discriminator"))
    assert all(weight.requires_grad for weight in trainer.weights())
    return [weight.grad for weight in trainer.weights("generator")]


def test_a_discriminator_with_batch_norm_is_left_alone(photos):
    """In bfloat16 the two ways differ by less than the number format itself makes them err."""
    dataset = open_dataset(str(photos), resolution=32, channels=3, progress=False)
    retraced, kept = (
        {p: unrolled_dcgan(dataset, p, checkpoint=way) for p in ("float32", "bfloat16")}
        for way in (True, False)
    )
    assert_close(retraced["float32"], kept["float32"])
    exact, low, other = (
        torch.cat([gradient.flatten() for gradient in gradients])
        for gradients in (kept["float32"], kept["bfloat16"], retraced["bfloat16"])
    )
    assert (other - low).norm() < (low - exact).norm() < 0.3 * exact.norm()


@pytest.mark.parametrize("name", ["dcgan", "points", "cats-mlp"])
def test_no_steps_is_alternating_play(photos, ring: Dataset, name: str):
    recipe = replace(find(name)[1].tiny(), precision="float32", dropout=0.3)
    size = {"resolution": recipe.resolution, "channels": 3}
    data = ring if recipe.kind == "points" else open_dataset(str(photos), progress=False, **size)
    ends = []
    for play in (alternating, Unrolled(steps=0)):
        trainer = Trainer(recipe, data, CPU)
        trainer.take_turns = play
        for _ in range(2):
            trainer.round()
        ends.append(trainer.weights())
    assert all(torch.equal(a, b) for a, b in zip(*ends, strict=True))


@pytest.mark.parametrize(
    ("objective", "whole", "smoothed"),
    [
        ("minimax", True, 0.0),
        ("minimax", True, 0.1),
        ("wasserstein", True, 0.0),
        ("nonsaturating", False, 0.0),
    ],
)
def test_zero_sum_games_are_unrolled_whole(
    ring: Dataset, objective: str, whole: bool, smoothed: float
):
    """f_K = f(θ_G, θ_K(θ_G)) holds what θ_K says of reals too: eq. 8 of Metz et al. 2016.

    Labels of fakes that are smoothed are smoothed for the discriminator's steps alone.
    """
    tiny = replace(find("points")[1].tiny(), objective=objective, play="unrolled", unroll=3)
    tiny = replace(tiny, fake_target=smoothed)
    trainer = Trainer(tiny, ring, CPU)
    batch, play, nets = trainer.next_batch(), tiny.turns(), trainer.nets
    fakes = tiny.generate(nets["generator"], batch.latents, batch.labels)
    values = play.unroll(trainer, batch, fakes)
    rule = replace(tiny, fake_target=0.0).discriminator_terms
    game = -with_values(nets, values, rule, batch, fakes, trainer.clock).losses["adversarial"]
    terms = play.rule(trainer)(nets, batch, fakes, trainer.clock)
    weights = list(nets["generator"].parameters())
    ours = torch.autograd.grad(terms.losses["adversarial"], weights, retain_graph=True)
    theirs = torch.autograd.grad(game, weights)
    same = all(torch.allclose(a, b, rtol=1e-5) for a, b in zip(ours, theirs, strict=True))
    assert same == whole
    assert torch.isclose(terms.losses["adversarial"], game) == whole


def test_many_discriminator_moves_then_an_unrolled_one(ring: Dataset):
    trainer = Trainer(TinyPoints(play=Unrolled(steps=1), discriminator_moves=3), ring, CPU)
    seen = trainer.round()
    assert trainer.clock.images == 24
    assert {"loss/discriminator", "loss/generator", "gradient/generator"} <= set(seen)


def test_adam_needs_an_adam_to_take_after():
    recipe = Quadratic(play=Unrolled())
    with pytest.raises(UserError, match="learns by Adam: unroll with sgd"):
        Trainer(recipe, points(np.zeros((2, 1))), CPU).round()
