"""Every field of every system, set to another value alone: it changes the training, or it is refused.

There is no list of exceptions. Fields that say how a run is written are seen in a whole run's folder; all
others in a trainer's weights, buffers, scalars, in the classes of samples, and in how many images a network
sees at once.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
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
from figment.doctor.finding import Finding
from figment.errors import UserError
from figment.fields import fields_of
from figment.gan import GAN
from figment.launch import train
from figment.networks import guide
from figment.recipe import Recipe, with_fields
from figment.recipes import SYSTEMS
from figment.sampling.generator import Generator
from figment.settings import Settings
from figment.training import rollback
from figment.training.trainer import Trainer

CPU = torch.device("cpu")
OF_THE_RUN = (
    *("images", "tick", "sample_every", "snapshot_every", "save_every", "metrics", "features"),
    *("metric_every", "metric_count", "patience", "on_collapse", "folders"),
)
"""Fields that say when a training ends and what it leaves, which no recipe and no technique reads."""
OF_THE_MACHINE = ("compile",)
"""Fields that say how the same is computed: see ``test_compiled.py``."""
TINY = {
    name: replace(
        system.recipe.tiny(),
        precision="float32",
        images=400,
        batch=40
        if getattr(system.recipe, "play", "") == "svre"
        else 8,  # it begins with a pass in which nobody moves
    )
    for name, system in SYSTEMS.items()
}


def chosen() -> list[str]:
    """Return systems with every family, way to play, conditioning and objective; all if asked to."""
    if os.environ.get("FIGMENT_EVERY_SYSTEM"):
        return list(TINY)
    seen: set[object] = set()
    few = []
    for name, r in TINY.items():
        kinds: set[object] = {type(r)}
        if isinstance(r, GAN):
            kinds |= {("play", r.play), ("by", r.conditioning), ("for", r.objective)}
        if kinds - seen:
            few.append(name)
        seen |= kinds
    return few


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
        first = () if value else (24,)
        yield from (n for n in (*first, 1, 2, 4, 8, 2 * value, value // 2) if n != value)
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


def course(recipe: Recipe, pinned: frozenset[str], photos: str) -> Iterator[str]:
    """Yield a digest after each of some rounds of a recipe, after all that a training does to it before."""
    data = "ring" if recipe.kind == "points" else photos
    recipe = recipe.fit_to(seen_at_a_glance(data), pinned)
    recipe.check()
    dataset = packed(data, recipe.resolution, recipe.channels, recipe.fit, recipe.seed)
    recipe = recipe.settle(dataset, pinned)
    recipe.check()
    trainer, most, drawn = Trainer(recipe, dataset, CPU), [0], b""

    def count(_: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        most[0] = max(most[0], len(inputs[0]))

    trainer.nets["generator"].register_forward_pre_hook(count)
    for _ in range(3 * ROUNDS if getattr(recipe, "play", "") == "svre" else ROUNDS):
        seen = trainer.round()
        drawn = drawn or samples(trainer)
        found = hashlib.sha256(repr([most, recipe.labels_for(range(16), CPU)]).encode() + drawn)
        for name, tensor in sorted(trainer.nets.state_dict().items()):
            found.update(name.encode() + tensor.contiguous().numpy().tobytes())
        found.update(repr(sorted((name, float(value)) for name, value in seen.items())).encode())
        yield found.hexdigest()


def samples(trainer: Trainer) -> bytes:
    """Return two samples as they come: some fields say only how samples are drawn."""
    net = copy.deepcopy(trainer.nets["generator"])
    return Generator(trainer.recipe, net).sample(2).array.tobytes()


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


@pytest.mark.parametrize("name", chosen())
def test_every_field_changes_the_training_or_is_refused(
    name: str, photos: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(guide, "LEARNED", 10.0)  # a short lesson will do
    kinds, idle = typing.get_type_hints(type(TINY[name])), []
    for field in ALL[name] | {"classes"}:
        if field in (*OF_THE_RUN, *OF_THE_MACHINE) or not hasattr(TINY[name], field):
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
    moods = ("sec", "cost", "speed", "memory")
    files = {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()}
    found: dict[str, Any] = {"files": {file for file in files if "tfevents" not in file}}
    found["classes"] = json.loads((run / "machine.json").read_text())["data"]["classes"]
    for name in ("log.jsonl", "metrics.jsonl"):
        text = (run / name).read_text() if (run / name).exists() else ""
        lines = [json.loads(line).items() for line in text.splitlines()]
        found[name] = [{k: v for k, v in line if not k.startswith(moods)} for line in lines]
    return found


RUNS = {
    "cats-mlp": {"hidden": (8, 8), "resolution": 16, "features": "small"},
    "points": {"hidden": (8, 8), "generator_lr": 1e-9},  # no measurement is better than the first
}
USUAL = {"images": 64, "tick": 8, "metric_every": 16, "metric_count": 64, "batch": 8, "latent": 8}


def written(recipe: str, run: Path, **fields: Any) -> dict[str, Any] | str:
    """Return what a short run leaves, or how it was refused or stopped."""
    data = "ring" if recipe == "points" else "flowers:24"
    how = {**RUNS[recipe], **USUAL, **fields}
    try:
        train(data, recipe, run=run, progress=False, device="cpu", **how)
    except UserError as error:
        return "stopped" if "training stopped" in str(error) else "refused"
    return left(run)


@pytest.mark.parametrize("name", RUNS)
def test_every_field_of_the_run_changes_what_is_left_or_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Each run has a collapse half-way, so that what follows one shows too."""
    ill = Finding("mode collapse", "fault", 0.9, "All samples are one.", "Lower the rates.")
    monkeypatch.setattr(rollback, "healthy", lambda log, fields: log[-1]["images"] <= 32)
    monkeypatch.setattr(
        rollback, "collapsed", lambda log, fields: ill if log[-1]["images"] == 48 else None
    )
    kinds, before, idle = typing.get_type_hints(Settings), written(name, tmp_path / "before"), []
    for field in OF_THE_RUN:
        value = {**fields_of(TINY[name]), **RUNS[name], **USUAL}[field]
        outcomes = []
        for number, other in enumerate(others(kinds[field], value, str(tmp_path))):
            outcomes.append(written(name, tmp_path / f"{field}{number}", **{field: other}))
            if outcomes[-1] not in ("refused", before):
                break
        assert outcomes
        if before in outcomes and outcomes[-1] in ("refused", before):
            idle.append(field)
    assert not idle
