"""Two processes, and micro-batches of a quarter, learn what one process learns from whole batches.

Every recipe without batch norm and without layers that compare the pictures of a batch: those see other
pictures together where a batch is divided, which docs/architecture.md says.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
from test_every_recipe import CPU, TINY, dataset_for
from torch import Tensor, nn

from figment.errors import UserError
from figment.networks.layers.minibatch_discrimination import MinibatchDiscrimination
from figment.recipe import Recipe
from figment.training.trainer import Trainer, build
from two_processes import as_two

TOGETHER = (nn.modules.batchnorm._BatchNorm, MinibatchDiscrimination)


def divisible(recipe: Recipe) -> bool:
    nets = build(recipe, CPU)
    return not any(isinstance(layer, TOGETHER) for layer in nets.modules())


NAMES = [name for name, recipe in TINY.items() if divisible(recipe)]
ROUNDS = 3


def whole(name: str) -> Recipe:
    return replace(TINY[name], batch=16)


def learned(recipe: Recipe) -> dict[str, Tensor]:
    """Return the state of each network as one vector, after some rounds."""
    recipe.check()
    trainer = Trainer(recipe, dataset_for(recipe), CPU)
    for _ in range(ROUNDS):
        trainer.round()
    return {
        name: torch.cat([value.double().flatten() for value in net.state_dict().values()])
        for name, net in trainer.nets.items()
        if net.state_dict() and name != "turns"  # whose last steps are differences of near equals
    }


@cache
def learned_whole(name: str) -> dict[str, Tensor]:
    return learned(whole(name))


def all_learned() -> dict[str, dict[str, Tensor]]:
    return {name: learned(whole(name)) for name in NAMES}


def assert_near(one: dict[str, Tensor], other: dict[str, Tensor], name: str) -> None:
    assert one.keys() == other.keys()
    for net, state in one.items():
        distance = torch.linalg.vector_norm(other[net] - state)
        assert distance <= 2e-5 * torch.linalg.vector_norm(state), (name, net)


def test_two_processes_learn_what_one_does(tmp_path: Path):
    first, second = as_two(all_learned, tmp_path)
    assert len(NAMES) > 15
    for name in NAMES:
        for net, state in first[name].items():
            assert torch.equal(second[name][net], state), (name, net)
        assert_near(learned_whole(name), first[name], name)


@pytest.mark.parametrize("name", NAMES)
def test_quarters_teach_what_the_whole_does(name: str):
    parts = replace(whole(name), micro_batch=4)
    if getattr(parts, "play", "") == "unrolled":
        with pytest.raises(UserError, match="exclude each other"):
            parts.check()
        return
    assert_near(learned_whole(name), learned(parts), name)
