"""A generator's loss with the wrong sign is seen in the recipe's own rule (all systems: ``test_shown``)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from test_shown import trainer_of
from torch import Tensor

from figment.recipes import SYSTEMS
from figment.recipes.dcgan import DCGAN
from figment.rounds import Batch, Clock, Terms
from figment.training.pull import pull, tried

SIZE: dict[str, Any] = {"resolution": 32, "width": 4, "batch": 8, "latent": 8}


@dataclass(frozen=True, kw_only=True)
class Turned(DCGAN):
    """Its generator goes up where it should go down."""

    def generator_terms(
        self, nets: torch.nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms:
        terms = super().generator_terms(nets, batch, fakes, clock)
        return terms._replace(losses={name: -loss for name, loss in terms.losses.items()})


@dataclass(frozen=True, kw_only=True)
class Detached(DCGAN):
    """Its generator's loss hangs on nothing."""

    def generator_terms(
        self, nets: torch.nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms:
        return super().generator_terms(nets, batch, fakes.detach(), clock)


@pytest.mark.parametrize("fields", [{}, {"objective": "relativistic", "real_target": 1.0},
                                    {"objective": "hinge", "real_target": 1.0, "micro_batch": 4},
                                    {"feature_matching": 1.0}, {"augment": "diffaugment"},
                                    {"top_k": 0.5}, {"packing": 2}])  # fmt: skip
def test_a_loss_that_is_turned_round(fields: dict[str, Any]):
    recipe = Turned(**SIZE, **fields)
    recipe.check()
    trainer = trainer_of(recipe)
    trainer.round()
    assert pull(trainer) == {"pull/generator": 0.0}
    sound = trainer_of(replace(SYSTEMS["dcgan"].recipe, **SIZE, **fields))
    assert tried(sound) == {"pull/generator": 1.0}


def test_a_loss_that_hangs_on_no_verdict_says_nothing():
    assert pull(trainer_of(Detached(**SIZE))) == {}
