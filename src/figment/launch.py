"""Launching: begin a run or go on with one. What the command line and Python both call."""

from __future__ import annotations

import math
import os
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from figment import mesh
from figment.errors import UserError
from figment.recipe import Recipe, fields_of, with_fields
from figment.recipes import find, suited
from figment.run import Run

if TYPE_CHECKING:
    import torch

    from figment.data import Dataset, Look
    from figment.training.plan import Cost


FEW = 5
"""Pictures of a class below which it is said that they are few."""


def name_and_recipe(recipe: str | None, data: str | None) -> tuple[str, Recipe]:
    """Return name and recipe for what the user named, or else the one that suits the data."""
    if recipe is not None:
        return find(recipe)
    if data is None:
        return find("dcgan")
    from figment.data import look

    return _choose(None, look(data))


def train(
    data: str | Path,
    recipe: str | Recipe | None = None,
    *,
    run: str | Path | None = None,
    images: int | None = None,
    minutes: float | None = None,
    epochs: float | None = None,
    device: str = "auto",
    progress: bool = True,
    started: float | None = None,
    **fields: Any,
) -> Run:
    """Train on a folder, zip, packed file or built-in set and return the run.

    At most one of ``images``, ``minutes`` and ``epochs`` says how long; without one the recipe does.
    ``fields`` are fields of the recipe. Raises UserError for anything that cannot work.
    """
    from figment.data import look
    from figment.training import folder

    started = time.perf_counter() if started is None else started
    _one_budget(images, minutes, epochs)
    seen = look(str(data))
    name, chosen = _choose(recipe, seen)
    written = isinstance(recipe, str) and recipe.endswith(".json")  # it says all there is to say
    pinned = frozenset(fields_of(chosen) if written else fields)
    chosen = with_fields(chosen, fields).fit_to(seen, pinned)
    chosen.check()
    _check_measuring(chosen)
    _check_processes(chosen)
    path = Path(run) if run else Path("runs") / f"{seen.name}-{name.replace(':', '-')}"
    if path.name in ("", ".."):  # "." and the like have no name to be found by
        path = path.absolute()
    folder.refuse_taken(path)

    target = _set_up(device)
    chosen = _settle_precision(chosen, target)
    dataset = _open(str(data), chosen, progress)
    chosen = chosen.settle(dataset, pinned)
    chosen.check()
    _check_classes(chosen, seen, dataset, progress)
    if epochs is not None:
        images = round(epochs * len(dataset))
    if images is not None:
        chosen = replace(chosen, images=images)
        chosen.check()
    deadline = None if minutes is None else started + 60 * minutes
    cost = _plan(name, chosen, pinned, dataset, target, deadline, progress)
    budget = {"images": cost.recipe.images} if minutes is None else {"minutes": minutes}
    if mesh.is_first():
        folder.begin(path, name, cost.recipe, _machine(target, cost, dataset, str(data), budget))
    mesh.barrier()
    end = None if deadline else cost.recipe.images
    return _play(path, cost.recipe, dataset, target, end, deadline, started, progress)


def resume(
    path: str | Path,
    *,
    images: int | None = None,
    minutes: float | None = None,
    epochs: float | None = None,
    data: str | None = None,
    device: str = "auto",
    progress: bool = True,
    started: float | None = None,
) -> Run:
    """Go on with a run exactly where its last saved state is, and return it.

    A budget is what is added; without one it goes on to the end that was planned. ``data`` says where
    the data are now if they have moved. Raises UserError if it is no run, or its data have changed.
    """
    from figment.training import folder
    from figment.training.state import saved_clock

    started = time.perf_counter() if started is None else started
    path = Path(path)
    _one_budget(images, minutes, epochs)
    name, recipe, machine = folder.read(path)
    clock = saved_clock(path / "state")
    _check_processes(recipe)
    target = _set_up(device)
    dataset = _open(data or machine["data"]["path"], recipe, progress)
    if dataset.fingerprint != machine["data"]["fingerprint"]:
        raise UserError(
            f"{dataset.source} has changed since {path} began: bring the old data back "
            "(--data says where they are), or train a new run"
        )
    if epochs is not None:
        images = round(epochs * len(dataset))
    used = folder.read_seconds(path)
    budget = _longer(machine["budget"], clock.images, used, images, minutes)
    end = budget.get("images")
    deadline = None
    if end is None:
        deadline = started + max(0.0, 60 * budget["minutes"] - used)
        if minutes is not None:
            speed = machine["estimate"]["images_per_second"]
            recipe = _lasting(recipe, 60 * minutes, speed, before=clock.images)
    else:
        recipe = replace(recipe, images=end)
        recipe.check()
    if mesh.is_first():
        folder.lock(path).close()
        folder.tidy(path)
        folder.write_recipe(path, name, recipe)
        data_now = machine["data"] | ({"path": _place(data)} if data else {})
        folder.write_machine(path, machine | {"budget": budget, "data": data_now})
    mesh.barrier()
    _say(progress, f"{path} goes on from {clock.images:,} images" + (f" to {end:,}" if end else ""))
    return _play(path, recipe, dataset, target, end, deadline, started, progress)


def _longer(
    planned: dict[str, Any], now: int, used: float, images: int | None, minutes: float | None
) -> dict[str, Any]:
    """Return the budget of a resumed run, over all its sessions: so much more, or what was planned."""
    if images is not None:
        return {"images": now + images}
    return planned if minutes is None else {"minutes": used / 60 + minutes}


def _play(
    path: Path,
    recipe: Recipe,
    dataset: Dataset,
    device: torch.device,
    end: int | None,
    deadline: float | None,
    started: float,
    progress: bool,
) -> Run:
    """Train from the saved state, if there is one, to the end, and leave the folder complete."""
    from figment.training import folder
    from figment.training.fit import Session, fit
    from figment.training.log import Log
    from figment.training.state import load_state
    from figment.training.trainer import Trainer
    from figment.training.watch import watch

    held = folder.lock(path) if mesh.is_first() else None
    trainer = Trainer(recipe, dataset, device)
    tally = load_state(path / "state", trainer)
    log = Log(path, images=trainer.clock.images, writes=mesh.is_first())
    used = folder.read_seconds(path)
    eyes = watch(path, trainer, progress=progress)
    session = Session(path, trainer, tally, log, eyes, end, deadline, began=started, used=used)
    session.data = folder.read(path)[2]["data"]
    try:
        signal = fit(session, progress=progress)
    finally:
        log.close()
        if held is not None:
            held.close()
    if mesh.is_first() and end is None and not signal:
        name, _, _ = folder.read(path)
        folder.write_recipe(path, name, replace(recipe, images=max(1, trainer.clock.images)))
    mesh.barrier()
    run = Run(path, stopped_by=signal)
    if mesh.is_first():
        findings = run.doctor()
        run.report()
        _say(progress, _what_next(run, trainer.clock.images, session.seconds()))
        _say(progress, f"doctor: {findings[0].name}: {findings[0].evidence}")
    mesh.barrier()  # nobody leaves while the first still writes: one aborted at its exit
    mesh.stop()
    return run


def _choose(recipe: str | Recipe | None, look: Look) -> tuple[str, Recipe]:
    if isinstance(recipe, Recipe):
        name = f"{type(recipe).__module__}:{type(recipe).__qualname__}"
        find(name)  # it must be found again, by a resume or a sample: say so now, not at the end
        return name, recipe
    return find(recipe or suited(look))


def _one_budget(images: int | None, minutes: float | None, epochs: float | None) -> None:
    given = {"images": images, "minutes": minutes, "epochs": epochs}
    given = {name: value for name, value in given.items() if value is not None}
    if len(given) > 1:
        raise UserError(f"{' and '.join(given)} say how long twice: give one of them")
    for name, value in given.items():
        if not 0 < value < math.inf:
            raise UserError(f"{name} must be above 0, not {value}")


def _check_measuring(recipe: Recipe) -> None:
    """Refuse scores and features that do not exist before anything is packed."""
    from figment.judging.measures import measures_for
    from figment.metrics.features import split

    measures_for(recipe.metrics)
    if recipe.features != "auto":
        split(recipe.features)


def _check_processes(recipe: Recipe) -> None:
    if recipe.batch % mesh.size():
        raise UserError(
            f"batch {recipe.batch} cannot be shared by {mesh.size()} processes: "
            f"try --batch {recipe.batch - recipe.batch % mesh.size() or mesh.size()}"
        )


def _set_up(device: str) -> torch.device:
    from figment.training.devices import choose_device, set_up

    target = choose_device(device)
    set_up(target)
    mesh.start(target)
    return target


def _settle_precision(recipe: Recipe, device: torch.device) -> Recipe:
    from figment.training.devices import faster_precision

    if recipe.precision != "auto":
        return recipe
    fast = "float32" if recipe.kind == "points" else faster_precision(device)
    return replace(recipe, precision=mesh.first(fast))


def _open(data: str, recipe: Recipe, progress: bool) -> Dataset:
    """Return the data set, packed by the first process while the others wait."""
    from figment.data import open_dataset

    if not mesh.is_first():
        mesh.barrier()
    dataset = open_dataset(
        data,
        resolution=recipe.resolution,
        channels=recipe.channels,
        fit=recipe.fit,
        seed=recipe.seed,
        progress=progress and mesh.is_first(),
    )
    if mesh.is_first():
        mesh.barrier()
    if dataset.skipped:
        file, reason = dataset.skipped[0]
        more = f", and {len(dataset.skipped) - 1} more" if len(dataset.skipped) > 1 else ""
        _say(progress, f"skipped {file} ({reason}){more}; `figment data inspect {data}` lists them")
    return dataset


def _check_classes(recipe: Recipe, look: Look, dataset: Dataset, progress: bool) -> None:
    """Refuse classes of which no picture can be read; say which have too few to be learned."""
    if not recipe.classed:
        return
    lost = [name for name in look.classes if name not in dataset.classes]
    if lost:
        raise UserError(
            f"no picture of class {lost[0]} can be read: mend them, or take it out of {look.name}"
        )
    sizes = [int((dataset.labels == number).sum()) for number in range(len(dataset.classes))]
    few = [name for name, size in zip(dataset.classes, sizes, strict=True) if size < FEW]
    if few:
        more = f" and {len(few) - 3} more" if len(few) > 3 else ""
        _say(progress, f"under {FEW} pictures of {', '.join(few[:3])}{more}: too few to learn from")


def _plan(
    name: str,
    recipe: Recipe,
    pinned: frozenset[str],
    dataset: Dataset,
    device: torch.device,
    deadline: float | None,
    progress: bool,
) -> Cost:
    from figment.training.plan import affordable, measure, sentence
    from figment.training.watch import settle_measuring

    if deadline is None:
        cost, left = measure(recipe, dataset, device), None
    else:
        forms = [form for form in recipe.cheaper(pinned) if form.batch % mesh.size() == 0]
        cost = affordable(forms, dataset, device, deadline)
        left = deadline - time.perf_counter()
        cost = cost._replace(recipe=_lasting(cost.recipe, left, cost.images_per_second))
    end = None if deadline else recipe.images
    _say(progress, sentence(name, cost, dataset, end=end, seconds=left))
    speed = cost.images_per_second
    return cost._replace(
        recipe=settle_measuring(cost.recipe, dataset, device, speed, progress=progress)
    )


def _lasting(recipe: Recipe, seconds: float, speed: float, before: int = 0) -> Recipe:
    """Return the recipe with the length that a time budget will come to, for what follows its course.

    Rates that fall, noise that fades: they have to know the end before it is there.
    """
    more = round(float(mesh.first(max(0.0, seconds) * speed)))  # ty: ignore[invalid-argument-type]
    return replace(recipe, images=max(recipe.batch, before + more))


def _machine(
    device: torch.device, cost: Cost, dataset: Dataset, source: str, budget: dict[str, Any]
) -> dict[str, Any]:
    from figment.recipes.parameters import count
    from figment.training.devices import describe_machine

    return {
        **describe_machine(device),
        "precision": cost.recipe.precision,
        "estimate": {
            "images_per_second": round(cost.images_per_second, 1),
            "memory_gib": round(cost.memory_gib, 2),
        },
        "budget": budget,
        "data": {
            "name": dataset.name,
            "source": source,
            "path": _place(source),
            "count": len(dataset),
            "classes": list(dataset.classes),
            "shape": list(dataset.shape),
            "fingerprint": dataset.fingerprint,
            "skipped": len(dataset.skipped),
            "duplicates": dataset.duplicates,
        },
        "parameters": count(cost.recipe),
        "started": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _place(source: str) -> str:
    """Return where data are, for a resume from another folder; a built-in set is where figment is."""
    from figment.data.builtin import builtin

    if builtin(source) or not Path(source).expanduser().exists():
        return source
    return os.path.abspath(os.path.expanduser(source))


def _say(progress: bool, text: str) -> None:
    if progress and mesh.is_first():
        print(text, file=sys.stderr, flush=True)


def _what_next(run: Run, images: int, seconds: float) -> str:
    from figment.units import duration

    if run.stopped_by:
        return f"stopped and saved at {images:,} images: `figment resume {run.path}` goes on"
    return (
        f"{images:,} images in {duration(seconds)}: look at {run.path / 'report.html'}; "
        f"`figment sample {run.path}` draws new pictures"
    )
