"""SVRE: no variance at the snapshot, no bias elsewhere, and convergence where noise stops the others."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from games import CPU, Game, TinyPoints, points
from torch import Tensor

from figment.data import open_dataset
from figment.randomness import stream
from figment.rounds import Batch
from figment.training.trainer import Trainer
from figment.turns.extragradient import Extragradient
from figment.turns.svre import SVRE, _reduced

N, DIM = 5, 3


@dataclass(frozen=True, kw_only=True)
class Noisy(Game):
    """min_x max_y of the mean over rows of xᵀAy + bᵀx + cᵀy; a row is A, b, c."""

    lr: float = 0.5
    x: tuple[float, ...] = (1.0,) * DIM
    y: tuple[float, ...] = (1.0,) * DIM

    def loss(self, x: Tensor, y: Tensor, rows: Tensor) -> Tensor:
        a, b, c = rows.mean(0).split([DIM * DIM, DIM, DIM])
        return x @ a.view(DIM, DIM) @ y + b @ x + c @ y


def rows() -> np.ndarray:
    rng = np.random.default_rng(0)
    a = np.eye(DIM) + 0.3 * rng.standard_normal((N, DIM, DIM)) / np.sqrt(DIM)
    ends = 0.5 * rng.standard_normal((N, 2 * DIM))
    return np.concatenate([a.reshape(N, -1), ends], axis=1)


def distance(trainer: Trainer) -> float:
    """From the solution, where both mean gradients are 0."""
    a, b, c = np.split(
        trainer.feed.dataset.rows.astype(np.float64).mean(0), [DIM * DIM, DIM * DIM + DIM]
    )
    a = a.reshape(DIM, DIM)
    x, y = (
        trainer.nets[player].value.detach().numpy() for player in ("discriminator", "generator")
    )
    off = np.concatenate([x + np.linalg.solve(a.T, c), y + np.linalg.solve(a, b)])
    return float(np.linalg.norm(off))


def test_stochastic_bilinear_game():
    """Extragradient stalls at the noise, at 1.2 from the solution; SVRE goes on, at 1e-5 and falling."""
    ends = {}
    for play in (Extragradient(), SVRE()):
        trainer = Trainer(Noisy(play=play), points(rows()), CPU)
        assert distance(trainer) > 2
        for _ in range(400):
            trainer.round()
        ends[type(play)] = distance(trainer)
    assert ends[Extragradient] > 0.5
    assert ends[SVRE] < 1e-4


def epoch_begun(recipe: TinyPoints, count: int) -> Trainer:
    """A trainer that has just taken a snapshot of ``count`` examples of the ring."""
    ring = open_dataset(f"ring:{count}", resolution=64, channels=1, progress=False)
    trainer = Trainer(recipe, ring, CPU)
    while trainer.nets["turns"].left == 0:
        trainer.round()
    return trainer


def reduced(trainer: Trainer, batch: Batch) -> None:
    for optimizer in trainer.optimizers.values():
        optimizer.zero_grad()
    _reduced(trainer, trainer.nets["turns"], batch)


def test_no_variance_at_the_snapshot():
    """At w = v the gradient is μ to the bit, on any batch, dropout and all."""
    trainer = epoch_begun(TinyPoints(play=SVRE()), 24)
    snapshot = trainer.nets["turns"]
    for _ in range(3):
        reduced(trainer, trainer.next_batch())
        for weight, mean in zip(trainer.weights(), snapshot.mean.tensors(), strict=True):
            assert torch.equal(weight.grad, mean)
    trainer.nets["generator"].layers[0].weight.data += 0.1
    reduced(trainer, trainer.next_batch())
    assert not torch.equal(trainer.weights()[0].grad, snapshot.mean.tensors()[0])


def test_no_bias_elsewhere():
    """The mean over all batches of d at w is the full gradient at w."""
    trainer = Trainer(Noisy(play=SVRE()), points(rows()), CPU)
    while trainer.nets["turns"].left == 0:
        trainer.round()
    weights = trainer.weights("discriminator", "generator")
    for weight in weights:
        weight.data += 1.5
    total = [torch.zeros_like(weight) for weight in weights]
    for part in range(N):
        reduced(trainer, trainer.next_batch(part))
        for mean, weight in zip(total, weights, strict=True):
            mean += weight.grad / N
    mean_rows = torch.from_numpy(trainer.feed.dataset.rows).double().mean(0, keepdim=True)
    x, y = (weight.detach().requires_grad_() for weight in weights)
    loss = trainer.recipe.loss(x, y, mean_rows)
    gx, gy = torch.autograd.grad(loss, (x, y))
    assert torch.allclose(total[0], gx, atol=1e-6)
    assert torch.allclose(total[1], -gy, atol=1e-6)


def test_an_epoch():
    """n rounds gather the mean of the snapshot's gradients over all data, nobody moving; then moves."""
    trainer = Trainer(Noisy(play=SVRE()), points(rows()), CPU)
    start = [weight.detach().clone() for weight in trainer.weights()]
    snapshot = trainer.nets["turns"]
    for _ in range(N):
        assert snapshot.left == 0
        trainer.round()
    assert trainer.clock.images == N
    assert all(torch.equal(a, b) for a, b in zip(start, trainer.weights(), strict=True))
    assert all(torch.equal(a, b) for a, b in zip(start, snapshot.weights.tensors(), strict=True))
    a, b, _ = np.split(rows().astype(np.float32).mean(0), [DIM * DIM, DIM * DIM + DIM])
    names = dict(zip(("generator", "discriminator"), snapshot.mean.tensors(), strict=True))
    expected = a.reshape(DIM, DIM).sum(1) + b
    assert names["discriminator"].numpy() == pytest.approx(expected, abs=1e-6)
    left = int(snapshot.left)
    assert left >= 1
    trainer.round()
    assert snapshot.left == left - 1
    assert trainer.clock.images == N + 2
    assert not torch.equal(start[0], trainer.weights()[0])


def test_the_length_of_an_epoch_belongs_to_seed_and_images():
    """Geometric, with the number of batches, 5, for its mean: Chavdarova et al. 2019, algorithm 1."""
    lengths = []
    for seed in range(4):
        trainer = epoch_begun(replace(TinyPoints(play=SVRE(), hidden=(2,)), seed=seed), 40)
        lengths.append(int(trainer.nets["turns"].left))
        assert lengths[-1] == stream("svre", seed, 40).geometric(1 / 5)
    assert len(set(lengths)) > 1


def test_fewer_examples_than_a_batch():
    trainer = epoch_begun(TinyPoints(play=SVRE()), 5)
    assert trainer.clock.rounds == 1
    trainer.round()
