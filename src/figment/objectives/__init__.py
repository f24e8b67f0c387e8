"""Objectives: what the players of a game minimise, as pure functions of logits, classes and features.

An objective is a function in ``adversarial``, a line in its table, and its name here, where torch is not
imported: recipes list their choices without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from figment.objectives.adversarial import Objective

Name = Literal[
    "nonsaturating",
    "minimax",
    "least_squares",
    "hinge",
    "wasserstein",
    "relativistic",
    "relativistic_average",
]


def objective(name: Name) -> Objective:
    """Return the pair of losses of that name, with what may be said of its logits."""
    from figment.objectives.adversarial import OBJECTIVES

    return OBJECTIVES[name]
