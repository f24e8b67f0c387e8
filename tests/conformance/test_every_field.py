"""Every field of every system, set to another value alone: it changes the training, or it is refused.

There is no list of exceptions. Fields that say how a run is written are seen in a whole run's folder; all
others in a trainer's weights, buffers, scalars, in the classes of samples, and in how many images a network
sees at once.
"""

from __future__ import annotations

import hashlib
import json
import typing
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from PIL import Image

from figment.data import Dataset, Look, look, open_dataset
from figment.errors import UserError
from figment.fields import fields_of
from figment.launch import train
from figment.recipe import Recipe, with_fields
from figment.recipes import SYSTEMS
from figment.settings import Settings
from figment.training.trainer import Trainer

CPU = torch.device("cpu")
OF_THE_RUN = (
    *("images", "tick", "sample_every", "snapshot_every", "save_every", "metrics", "features"),
    *("metric_every", "metric_count", "patience", "on_collapse"),
)
"""Fields that say when a training ends and what it leaves, which no recipe and no technique reads."""
TINY = {
    name: replace(system.recipe.tiny(), precision="float32", batch=8, images=400)
    for name, system in SYSTEMS.items()
}
ALL = {name: frozenset(fields_of(recipe)) - {"classes"} for name, recipe in TINY.items()}
"""Their fields, as a recipe.json pins them; how many classes there are, the data say."""
ROUNDS = 5


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two classes of 110 pictures that are not square: how they become square can be seen."""
    folder, rng = tmp_path_factory.mktemp("data") / "photos", np.random.default_rng(0)
    for number in range(220):
        path = folder / ("day", "night")[number % 2] / f"{number:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        low = rng.integers(0, 256, (3, 4, 3), dtype=np.uint8)
        Image.fromarray(low).resize((48, 40), Image.Resampling.BICUBIC).save(path)
    (folder.parent / "labelled.txt").write_text("day/000.png\nnight/001.png\n")
    return str(folder)


def others(kind: Any, value: Any, photos: str) -> Iterator[Any]:
    """Yield other values of a field's type, usual ones first."""
    if typing.get_origin(kind) is Literal:
        yield from (choice for choice in reversed(typing.get_args(kind)) if choice != value)
    elif kind is bool:
        yield not value
    elif kind is int:
        yield from (n for n in (1, 2, 4, 8, 2 * value, value // 2, value + 1) if n != value)
    elif kind is float:
        first = (value / 2,) if 0 < value < 0.01 else ()  # a rate
        yield from (x for x in (*first, 0.7, 0.001, 1.0, 2.0, 10.0, 0.1) if x != value)
    elif kind is str:
        yield str(Path(photos).parent / "labelled.txt")
    elif typing.get_origin(kind) is tuple:
        inner = typing.get_args(kind)[0]
        if inner is str:
            yield from (("night", "day"), ("fid",))
        elif len(value) > 1:
            yield tuple(next(others(inner, each, photos)) for each in value)
        else:
            yield from ((inner(1),) * 2, (inner(8),) * 2)


def refused_or(make: Any) -> Any:
    """Return what ``make`` gives, or the sentence with which it refuses."""
    try:
        return make()
    except UserError as error:
        return f"refused: {error}"


def course(recipe: Recipe, pinned: frozenset[str], photos: str) -> Iterator[str]:
    """Yield a digest after each of some rounds of a recipe, after all that a training does to it before."""
    data = "ring" if recipe.kind == "points" else photos
    recipe = recipe.fit_to(seen_at_a_glance(data), pinned)
    recipe.check()
    dataset = packed(data, recipe.resolution, recipe.channels, recipe.fit, recipe.seed)
    recipe = recipe.settle(dataset, pinned)
    recipe.check()
    trainer, most = Trainer(recipe, dataset, CPU), [0]

    def count(_: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        most[0] = max(most[0], len(inputs[0]))

    trainer.nets["generator"].register_forward_pre_hook(count)
    for _ in range(ROUNDS if recipe.play != "svre" else 10 * ROUNDS):
        seen = trainer.round()
        found = hashlib.sha256(repr([most, recipe.labels_for(range(16), CPU)]).encode())
        for name, tensor in sorted(trainer.nets.state_dict().items()):
            found.update(name.encode() + tensor.contiguous().numpy().tobytes())
        found.update(repr(sorted((name, float(value)) for name, value in seen.items())).encode())
        yield found.hexdigest()


def effect(name: str, field: str, value: Any, photos: str) -> str:
    """Return what a value of a field does to a system: "refused", "changes it", or "nothing"."""
    pinned = ALL[name] | {field}
    try:
        changed = course(with_fields(TINY[name], {field: value}), pinned, photos)
        for one, other in zip(changed, unchanged(name, photos), strict=False):
            if one != other:
                return "changes it"
    except UserError:
        return "refused"
    return "nothing"


@cache
def seen_at_a_glance(data: str) -> Look:
    return look(data)


@cache
def packed(data: str, resolution: int, channels: int, fit: str, seed: int) -> Dataset:
    form = {"resolution": resolution, "channels": channels, "fit": fit}
    return open_dataset(data, **form, seed=seed, progress=False)


@cache
def unchanged(name: str, photos: str) -> list[str]:
    return list(course(TINY[name], ALL[name], photos))


@pytest.mark.parametrize("name", TINY)
def test_every_field_changes_the_training_or_is_refused(name: str, photos: str):
    kinds, idle = typing.get_type_hints(type(TINY[name])), []
    for field in ALL[name] | {"classes"}:
        if field in OF_THE_RUN or not hasattr(TINY[name], field):
            continue
        effects = []
        for other in others(kinds[field], getattr(TINY[name], field), photos):
            effects.append(effect(name, field, other, photos))
            if effects[-1] == "changes it":
                break
        assert effects
        if "nothing" in effects and effects[-1] != "changes it":
            idle.append(field)
    assert not idle


def left(run: Path) -> dict[str, Any]:
    """Return what a run left, but for the machine's mood."""
    files = {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()}
    files = {file for file in files if "tfevents" not in file}
    lines = {}
    for name in ("log.jsonl", "metrics.jsonl"):
        text = (run / name).read_text() if (run / name).exists() else ""
        lines[name] = [
            {
                k: v
                for k, v in json.loads(line).items()
                if not k.startswith(("sec", "cost", "speed", "mem"))
            }
            for line in text.splitlines()
        ]
    return {"files": files, **lines}


def written(recipe: str, run: Path, **fields: Any) -> dict[str, Any]:
    tiny = {"features": TINY[recipe].features, "metric_every": 8}
    size = {"points": {"hidden": (8, 8)}, "dcgan": {"width": 4, "resolution": 32}}[recipe]
    data = "ring" if recipe == "points" else "flowers:24"
    usual = {"images": 32, "tick": 8, "metric_count": 64, "latent": 8}
    usual |= {"batch": 2}  # rounds between two ticks
    usual |= {"generator_lr": 1e-30, "discriminator_lr": 1e-30}  # nothing gets better, for patience
    how = {**size, **tiny, **usual, **fields}
    train(data, recipe, run=run, progress=False, device="cpu", **how)
    return left(run)


@pytest.mark.parametrize("name", ["dcgan", "points"])
def test_every_field_of_the_run_changes_what_is_left_or_is_refused(name: str, tmp_path: Path):
    recipe, kinds = TINY[name], typing.get_type_hints(Settings)
    before = written(name, tmp_path / "before")
    idle = []
    for field in OF_THE_RUN:
        if (
            field == "on_collapse"
        ):  # a run that does not collapse shows no difference: see test_rollback
            continue
        value = {"images": 32, "tick": 8, "metric_count": 64, "metric_every": 8}.get(
            field, getattr(recipe, field)
        )
        for number, other in enumerate(others(kinds[field], value, str(tmp_path))):
            run = tmp_path / f"{field}{number}"
            outcome = refused_or(lambda r=run, f=field, o=other: written(name, r, **{f: o}))
            if isinstance(outcome, str):
                continue
            if outcome == before:
                idle.append(f"{field}={other!r}")
            break
    assert not idle
