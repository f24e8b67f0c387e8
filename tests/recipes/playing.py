"""What the tests of whole families share: trainers on built-in flowers, resumed, or played in parts."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import torch

from figment.data import Dataset, open_dataset
from figment.recipe import Recipe
from figment.training.log import Tally
from figment.training.state import load_state, save_state
from figment.training.trainer import Trainer

CPU = torch.device("cpu")


@cache
def flowers(resolution: int, count: int = 256) -> Dataset:
    return open_dataset(f"flowers:{count}", resolution=resolution, channels=3, progress=False)


def trainer_for(recipe: Recipe, count: int = 256) -> Trainer:
    recipe.check()
    return Trainer(recipe, flowers(recipe.resolution, count), CPU)


def state_of(trainer: Trainer) -> dict[str, torch.Tensor]:
    """All tensors that a training has: networks, buffers, memories and the optimisers' moments."""
    found = dict(trainer.nets.state_dict())
    for player, optimizer in trainer.optimizers.items():
        for number, moments in optimizer.state_dict()["state"].items():
            found |= {f"{player} {number} {name}": value for name, value in moments.items()}
    return found


def assert_resumes(recipe: Recipe, folder: Path) -> None:
    """Three rounds, saved, loaded into a new trainer, two more of both: equal to the bit."""
    whole, again = trainer_for(recipe), trainer_for(recipe)
    for _ in range(3):
        whole.round()
    save_state(folder, whole, Tally())
    load_state(folder, again)
    for _ in range(2):
        seen, seen_again = whole.round(), again.round()
    assert {k: v.item() for k, v in seen.items()} == {k: v.item() for k, v in seen_again.items()}
    one, other = state_of(whole), state_of(again)
    assert list(one) == list(other)
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert again.clock == whole.clock and whole.clock.rounds == 5


def difference_in_quarters(recipe: Recipe, rounds: int) -> dict[str, float]:
    """How far networks played in four micro-batches are from whole ones, as a share of their length."""
    whole = trainer_for(recipe)
    parts = trainer_for(replace(recipe, micro_batch=recipe.batch // 4))
    for _ in range(rounds):
        whole.round()
        parts.round()
    found = {}
    for name, net in whole.nets.items():
        tensors = [t.float().flatten() for t in net.state_dict().values()]
        others = [t.float().flatten() for t in parts.nets[name].state_dict().values()]
        if tensors:
            one, other = torch.cat(tensors), torch.cat(others)
            found[name] = ((one - other).norm() / one.norm().clamp(min=1e-12)).item()
    return found
