"""What measuring may take of a time budget: fewer samples or none, where a machine is slow or busy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar, cast

import torch

from figment import mesh
from figment.data import Dataset
from figment.judging import effort
from figment.judging.scorer import REALS, extractor_for
from figment.rounds import Playable
from figment.units import duration

R = TypeVar("R", bound=Playable)

SHARE = 0.3
"""Of the time that is left, what the first measurement and the reals' features may take together."""
COUNTS = (500, 200)
"""Samples a measurement where those of the recipe would take too long."""
ASKED = frozenset({"metrics", "metric_count", "metric_every", "patience"})
"""Fields of which the user has set one who wants measurements whatever they take."""


def within(
    recipe: R, dataset: Dataset, device: torch.device, seconds: float, pinned: frozenset[str]
) -> tuple[R, str]:
    """Return the recipe with the measurements that ``seconds`` allow, and a sentence where these are fewer.

    How long they take is told from a few pictures. ``pinned``: the fields that the user has set.
    """
    if not recipe.metrics or recipe.kind != "images" or recipe.patience or ASKED & pinned:
        return recipe, ""
    extractor = extractor_for(recipe.kind, recipe.features, str(device), recipe.learned_from)
    assert extractor is not None
    each = effort.trial(lambda count: dataset.rows[:count], extractor)
    pictures = float(mesh.first(SHARE * seconds / each))  # ty: ignore[invalid-argument-type]
    for count in (recipe.metric_count, *COUNTS):
        needed = min(len(dataset), REALS + count) + count
        if count <= recipe.metric_count and needed <= pictures:
            fewer = f"scores under way are of {count:,} samples, which the time allows"
            said = fewer if count < recipe.metric_count else ""
            return replace(cast(Any, recipe), metric_count=count), said
    needed = min(len(dataset), REALS + COUNTS[-1]) + COUNTS[-1]
    return replace(cast(Any, recipe), metrics=()), (
        f"no scores under way: the first would take about {duration(needed * each)}, and "
        f"{duration(seconds)} are left for training; `figment evaluate` gives them afterwards "
        "(--metrics kid insists)"
    )
