"""Where a run comes from, as machine.json says it: the machine, the data, what the user chose."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from figment.data import Dataset
from figment.fields import fields_of
from figment.plan import Plan
from figment.recipe import Recipe
from figment.recipes import find

if TYPE_CHECKING:
    import torch


def machine_of(plan: Plan, device: torch.device) -> dict[str, Any]:
    """Return what machine.json says, but for budget and data."""
    from figment.recipes.parameters import coders, count
    from figment.training.devices import describe_machine

    assert plan.cost is not None
    return {
        **describe_machine(device),
        "precision": plan.recipe.precision,
        "estimate": {
            "images_per_second": round(plan.cost.images_per_second, 1),
            "memory_gib": round(plan.cost.memory_gib, 2),
        },
        "seconds_per_image": list(plan.cost.seconds_per_image),
        "metric_every": plan.pause,
        "parameters": count(plan.recipe),
        **({"coders": parts} if (parts := coders(plan.recipe)) else {}),
        "started": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def decided(plan: Plan, recipe: str | Recipe | None, *, timed: bool) -> dict[str, list[str]]:
    """Return the names of the fields that the user chose, that came with another run, that figment settled.

    All others are as the system has them. Of a recipe.json, or a recipe made in Python, all that the
    system has otherwise counts as chosen. What was taken with the weights of another run is named only
    where it differs from the system: that its recipe has all the others too tells nothing.
    """
    start, end = fields_of(find(plan.name)[1]), fields_of(plan.recipe)
    given = fields_of(recipe if isinstance(recipe, Recipe) else find(recipe or plan.name)[1])
    written = isinstance(recipe, str) and recipe.endswith(".json")  # it pins all fields
    chosen = set() if written else set(plan.pinned - plan.taken)
    chosen |= {name for name in given if given[name] != start.get(name)}
    if not timed and end["images"] != start["images"]:
        chosen |= {"images"}
    changed = {name for name in end if end[name] != start.get(name)} - chosen
    taken = changed & plan.taken
    kinds = {"chosen": chosen, "taken": taken, "settled": changed - taken}
    return {kind: sorted(names) for kind, names in kinds.items() if names or kind != "taken"}


def about_data(dataset: Dataset, source: str, recipe: Recipe) -> dict[str, Any]:
    """Return what machine.json says of the data, what the doctor finds in them included."""
    from figment.data import split
    from figment.doctor.sets import findings_of

    return {
        "name": dataset.name,
        "source": source,
        "path": place(source),
        "count": len(dataset),
        "classes": list(dataset.classes),
        "shape": list(dataset.shape),
        "fingerprint": dataset.fingerprint,
        "skipped": len(dataset.skipped),
        "duplicates": dataset.duplicates,
        "findings": [finding._asdict() for finding in findings_of(dataset)],
        "held_out": split(dataset, recipe.held_out, recipe.seed)[1].tolist(),
    }


def place(source: str) -> str:
    """Return where data are, for a resume from another folder; a built-in set is where figment is."""
    from figment.data.builtin import builtin
    from figment.data.hub import is_remote

    if builtin(source) or is_remote(source) or not Path(source).expanduser().exists():
        return source
    return os.path.abspath(os.path.expanduser(source))
