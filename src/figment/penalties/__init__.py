"""Penalties: what is added to one player's loss, as pure functions, one idea a file.

Each gives one value per image [N], to be minimised, unless it is about weights (then a scalar). A
weight of the recipe multiplies the mean. What remembers something is a module, so that it is saved.
"""

from __future__ import annotations

from figment.penalties.clipping import clip
from figment.penalties.consistency import (
    consistency,
    flip_and_shift,
    latent_consistency,
    latent_diversity,
    nudge,
)
from figment.penalties.drift import drift
from figment.penalties.gradients import (
    Critic,
    dragan,
    gradient_penalty,
    r1,
    r2,
    squared_slope,
    zero_centred,
)
from figment.penalties.history import HistoricalMean
from figment.penalties.lecam import LeCamAnchors
from figment.penalties.orthogonal import off_diagonal, orthogonal
from figment.penalties.statistics import hold_statistics
from figment.penalties.top_k import top_k

__all__ = [
    "Critic",
    "HistoricalMean",
    "LeCamAnchors",
    "clip",
    "consistency",
    "dragan",
    "drift",
    "flip_and_shift",
    "gradient_penalty",
    "hold_statistics",
    "latent_consistency",
    "latent_diversity",
    "nudge",
    "off_diagonal",
    "orthogonal",
    "r1",
    "r2",
    "squared_slope",
    "top_k",
    "zero_centred",
]
