"""All turns: exact resume, and two processes that play as one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.multiprocessing
from games import CPU, TinyPoints

from figment.data import open_dataset
from figment.training.log import Tally
from figment.training.state import load_state, save_state
from figment.training.trainer import Trainer
from figment.turns.alternating import alternating
from figment.turns.extragradient import Extragradient
from figment.turns.optimistic import Optimistic
from figment.turns.simultaneous import simultaneous
from figment.turns.svre import SVRE
from figment.turns.unrolled import Unrolled
from two_processes import as_two

PLAYS = {
    "alternating": alternating,
    "simultaneous": simultaneous,
    "extragradient": Extragradient(),
    "same batch": Extragradient(fresh=False),
    "optimistic": Optimistic(),
    "svre": SVRE(),
    "unrolled": Unrolled(steps=2),
    "fresh Adam": Unrolled(steps=2, inner="fresh-adam", checkpoint=False),
    "SGD": Unrolled(steps=2, inner="sgd"),
}


def trainer_for(name: str, examples: int = 24) -> Trainer:
    data = open_dataset(f"ring:{examples}", resolution=64, channels=1, progress=False)
    recipe = TinyPoints(play=PLAYS[name], generator_lr=1e-3, discriminator_lr=1e-3)
    return Trainer(recipe, data, CPU)


@pytest.mark.parametrize("stop", [2, 4])
@pytest.mark.parametrize("name", PLAYS)
def test_resumes_to_the_bit(name: str, stop: int, tmp_path: Path):
    """Stopped while the mean gradient is gathered (2 of 3) and within an epoch (4), as far as SVRE goes."""
    whole = trainer_for(name)
    for _ in range(9):
        whole.round()
    half = trainer_for(name)
    for _ in range(stop):
        half.round()
    save_state(tmp_path, half, Tally())
    again = trainer_for(name)
    load_state(tmp_path, again)
    for _ in range(9 - stop):
        again.round()
    assert again.clock == whole.clock
    one, other = whole.nets.state_dict(), again.nets.state_dict()
    assert list(one) == list(other)
    assert all(torch.equal(one[key], other[key]) for key in one)
    assert not torch.equal(one["generator.layers.0.weight"], trainer_for(name).weights()[0])


def test_a_player_that_has_always_waited_is_resumed(tmp_path: Path):
    """Its optimiser has no moments yet, neither in the file nor in the trainer that takes it back."""
    waiting = trainer_for("alternating")
    for _ in range(2):
        waiting.round()
    waiting.optimizers["discriminator"].state.clear()
    save_state(tmp_path, waiting, Tally())
    ends = []
    for other in (trainer_for("alternating"), waiting):
        other.round()
        load_state(tmp_path, other)
        assert not other.optimizers["discriminator"].state
        other.round()
        ends.append(other.weights())
    assert all(map(torch.equal, *ends))


def all_played() -> dict[str, list[torch.Tensor]]:
    return {name: played(name) for name in PLAYS}


def played(name: str) -> list[torch.Tensor]:
    trainer = trainer_for(name, examples=8)  # one batch: SVRE moves in its second round
    for _ in range(2):
        trainer.round()
    return [weight.detach() for weight in trainer.weights()]


def test_two_processes_play_as_one(tmp_path: Path):
    """Also through the unrolled steps, whose gradients cross from one process to the other."""
    first, second = as_two(all_played, tmp_path)
    for name in PLAYS:
        for alone, one, other in zip(played(name), first[name], second[name], strict=True):
            assert torch.equal(one, other), name
            assert torch.allclose(alone, one, atol=1e-5), name
