"""Turns on games whose course is known: each through the real trainer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from games import CPU, AdamGame, Game, TinyPoints, points

from figment.data import open_dataset
from figment.training.trainer import Trainer
from figment.turns.alternating import alternating
from figment.turns.extragradient import Extragradient
from figment.turns.optimistic import Optimistic
from figment.turns.simultaneous import differentiate_both, elsewhere, simultaneous, step_both

NOTHING = points(np.zeros((4, 1)))


def place(trainer: Trainer) -> tuple[float, float]:
    nets = trainer.nets
    return nets["discriminator"].value.item(), nets["generator"].value.item()


def played(recipe: Game, rounds: int) -> Trainer:
    trainer = Trainer(recipe, NOTHING, CPU)
    for _ in range(rounds):
        trainer.round()
    return trainer


@pytest.mark.parametrize(
    ("play", "ratio"),
    [
        (simultaneous, 2.704814),
        (alternating, 0.971450),
        (Extragradient(), 0.369748),
        (Extragradient(fresh=False), 0.369748),
    ],
)
def test_bilinear_game(play, ratio: float):
    """min_x max_y xy from (1, 1): the squared norm after 100 rounds of η = .1, of that at the start."""
    x, y = place(played(Game(play=play), 100))
    assert (x * x + y * y) / 2 == pytest.approx(ratio, abs=5e-7)


def test_optimistic_play_looks_from_where_extrapolation_from_the_past_looks():
    x, y, gx, gy = 1.0, 1.0, 0.0, 0.0
    for _ in range(101):
        from_x, from_y = x - 0.1 * gx, y - 0.1 * gy
        gx, gy = from_y, -from_x
        x, y = x - 0.1 * gx, y - 0.1 * gy
    assert place(played(Game(play=Optimistic()), 100)) == pytest.approx((from_x, from_y), abs=1e-12)
    assert from_x**2 + from_y**2 < 0.8


def test_optimistic_adam():
    """Daskalakis et al. 2018, algorithm 1, written out."""
    w, m, v, past = np.ones(2), np.zeros(2), np.zeros(2), np.zeros(2)
    for t in range(1, 8):
        g = np.array([w[1], -w[0]])
        m, v = 0.5 * m + 0.5 * g, 0.9 * v + 0.1 * g**2
        step = -0.1 * (m / (1 - 0.5**t)) / (np.sqrt(v / (1 - 0.9**t)) + 1e-8)
        w, past = w + 2 * step - past, step
    assert place(played(AdamGame(play=Optimistic()), 7)) == pytest.approx(tuple(w), abs=1e-12)


def test_extra_adam():
    """Gidel et al. 2019, algorithm 4, written out: two moment updates a round, both applied to w."""
    w, m, v = np.ones(2), np.zeros(2), np.zeros(2)
    t = 0
    for _ in range(5):
        start = w
        for _ in range(2):
            t += 1
            g = np.array([w[1], -w[0]])
            m, v = 0.5 * m + 0.5 * g, 0.9 * v + 0.1 * g**2
            w = start - 0.1 * (m / (1 - 0.5**t)) / (np.sqrt(v / (1 - 0.9**t)) + 1e-8)
    trainer = played(AdamGame(play=Extragradient()), 5)
    assert place(trainer) == pytest.approx(tuple(w), abs=1e-12)
    state = trainer.optimizers["generator"].state[trainer.nets["generator"].value]
    assert state["step"].item() == 10


@pytest.mark.parametrize(("fresh", "images"), [(True, 2), (False, 1)])
def test_extragradient_counts_the_images_it_shows(fresh: bool, images: int):
    assert played(Game(play=Extragradient(fresh=fresh)), 1).clock.images == images


class Clipped(Game):
    def after(self, player, nets) -> None:
        nets[player].value.data.clamp_(-1, 1)


@pytest.mark.parametrize("play", [simultaneous, Extragradient(), Optimistic()])
def test_what_follows_a_move_follows_these_moves(play):
    trainer = Trainer(Clipped(play=play, lr=0.9), NOTHING, CPU)
    for _ in range(20):
        trainer.round()
        assert max(map(abs, place(trainer))) <= 1


def test_elsewhere_leaves_no_trace_but_gradients_and_moments(photos):
    from figment.recipes import find

    dataset = open_dataset(str(photos), resolution=32, channels=3, progress=False)
    trainer = Trainer(replace(find("dcgan")[1].tiny(), precision="float32"), dataset, CPU)
    before = {name: value.clone() for name, value in trainer.nets.state_dict().items()}
    differentiate_both(trainer, trainer.next_batch())
    seen = {name: value.clone() for name, value in trainer.nets.state_dict().items()}
    norms = [name for name in before if not torch.equal(before[name], seen[name])]
    assert norms and all("running" in name or "num_batches" in name for name in norms)
    with elsewhere(trainer):
        step_both(trainer)
        assert not torch.equal(trainer.weights()[0], before["generator.layers.0.weight"])
        differentiate_both(trainer, trainer.next_batch())
    after = trainer.nets.state_dict()
    assert all(torch.equal(seen[name], after[name]) for name in seen)
    assert all(weight.grad is not None for weight in trainer.weights())
    assert trainer.optimizers["generator"].state[trainer.weights("generator")[0]]["step"] == 1


def test_a_gradient_that_is_not_finite_leaves_none_behind():
    from figment.training.trainer import NotFinite

    trainer = Trainer(Game(play=simultaneous, y=(float("inf"),)), NOTHING, CPU)
    with pytest.raises(NotFinite):
        trainer.round()
    assert all(weight.grad is None for weight in trainer.weights())


def test_simultaneous_gradients_are_those_of_the_same_weights():
    """The generator answers the discriminator as it was: its first move is as if nothing had moved."""
    ring = open_dataset("ring", resolution=64, channels=1, progress=False)
    still = TinyPoints(play=alternating, discriminator_lr=1e-30, dropout=0.0)
    moving = replace(still, play=simultaneous, discriminator_lr=1e-2)
    trainers = [Trainer(recipe, ring, CPU) for recipe in (still, moving)]
    for trainer in trainers:
        trainer.round()
    one, other = (trainer.weights("generator") for trainer in trainers)
    assert all(torch.allclose(a, b, atol=1e-7) for a, b in zip(one, other, strict=True))
