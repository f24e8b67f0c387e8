"""Launching: begin a run or go on with one. What the command line and Python both call."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from figment import mesh
from figment.errors import UserError
from figment.opened import read_run
from figment.plan import Plan, choose, lasting
from figment.recipe import Recipe
from figment.run import Run
from figment.training import folder
from figment.training.budget import Budget

if TYPE_CHECKING:
    import torch

    from figment.data import Dataset
    from figment.training.session import Session


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
    started = time.perf_counter() if started is None else started
    budget = Budget(images, minutes, epochs)
    budget.check()
    plan = choose(str(data), recipe, fields)
    path = _home(run, plan)
    folder.refuse_taken(path)

    target = _set_up(device)
    dataset = _open(str(data), plan.recipe, progress)
    plan = plan.fit(dataset, budget, target)
    _say(progress, plan.said)
    deadline = None if minutes is None else started + 60 * minutes
    plan = plan.measure(dataset, target, deadline)
    _say(progress, plan.said)
    plan = plan.settle(dataset, target, progress=progress)

    end = plan.recipe.images if deadline is None else None
    if mesh.is_first():
        length = {"images": end} if minutes is None else {"minutes": minutes}
        machine = _machine(plan, target) | {"budget": length, "data": _about(dataset, str(data))}
        folder.begin(path, plan.name, plan.recipe, machine)
    mesh.barrier()
    return _play(path, plan.recipe, dataset, target, end, deadline, started, progress)


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
    from figment.training.state import saved_clock

    started = time.perf_counter() if started is None else started
    path, added = Path(path), Budget(images, minutes, epochs)
    added.check()
    _, recipe, machine = read_run(path)
    now = saved_clock(path / "state").images
    mesh.check_batch(recipe.batch)
    target = _set_up(device)
    dataset = _same_data(path, data or machine["data"]["path"], recipe, machine, progress)

    used = folder.read_seconds(path)
    budget = added.over(len(dataset)).after(machine["budget"], now, used)
    end, deadline = budget.get("images"), None
    if end is not None:
        recipe = replace(recipe.without_idle(), images=end)  # earlier versions let idle fields pass
        recipe.check()
    else:
        deadline = started + max(0.0, 60 * budget["minutes"] - used)
        if minutes is not None:
            speed = machine["estimate"]["images_per_second"]
            recipe = lasting(recipe, 60 * minutes, speed, before=now)
    if mesh.is_first():
        _write_again(path, recipe, machine | {"budget": budget}, data)
    mesh.barrier()
    _say(progress, f"{path} goes on from {now:,} images" + (f" to {end:,}" if end else ""))
    return _play(path, recipe, dataset, target, end, deadline, started, progress)


def _write_again(path: Path, recipe: Recipe, machine: dict[str, Any], data: str | None) -> None:
    """Write recipe.json and machine.json of a run that goes on, with its data where they are now."""
    folder.lock(path).close()
    folder.tidy(path)
    folder.write_recipe(path, folder.read(path)[0], recipe)
    moved = {"path": _place(data)} if data else {}
    folder.write_machine(path, machine | {"data": machine["data"] | moved})


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
    from figment.training.fit import fit

    held = folder.lock(path) if mesh.is_first() else None
    session = _session(path, recipe, dataset, device, progress)
    session.end, session.deadline, session.began = end, deadline, started
    try:
        signal = fit(session, progress=progress)
    finally:
        session.log.close()
        if held is not None:
            held.close()
    images = session.trainer.clock.images
    if mesh.is_first() and end is None and not signal:
        folder.write_recipe(path, folder.read(path)[0], replace(recipe, images=max(1, images)))
    mesh.barrier()
    run = Run(path, stopped_by=signal)
    if mesh.is_first():
        findings = run.doctor()
        run.report()
        _say(progress, _what_next(run, images, session.seconds()))
        worst = findings[0]
        _say(progress, f"doctor: {worst.name}: {worst.evidence} {worst.advice}".rstrip())
    mesh.barrier()  # nobody leaves while the first still writes: one aborted at its exit
    mesh.stop()
    return run


def _session(
    path: Path, recipe: Recipe, dataset: Dataset, device: torch.device, progress: bool
) -> Session:
    """Return a session at the saved state of the run, or at its start if nothing was saved."""
    from figment.training.log import Log
    from figment.training.monitor import monitor_for
    from figment.training.session import Session
    from figment.training.state import load_state
    from figment.training.trainer import Trainer

    trainer = Trainer(recipe, dataset, device)
    tally = load_state(path / "state", trainer)
    return Session(
        path,
        trainer,
        tally,
        Log(path, images=trainer.clock.images, writes=mesh.is_first()),
        monitor_for(path, trainer, progress=progress),
        used=folder.read_seconds(path),
        data=folder.read(path)[2]["data"],
        own=_own(path),
    )


def _own(path: Path) -> dict[str, Any]:
    """Return the fields of the system that a run's recipe was made from, {} where it is not built in."""
    from figment.fields import fields_of
    from figment.recipes import SYSTEMS

    system = SYSTEMS.get(folder.read(path)[0])
    return {} if system is None else fields_of(system.recipe)


def _home(run: str | Path | None, plan: Plan) -> Path:
    """Return the folder to write: the user's, or runs/DATA-RECIPE."""
    path = Path(run) if run else Path("runs") / f"{plan.look.name}-{plan.name.replace(':', '-')}"
    if path.name in ("", ".."):  # "." and the like have no name to be found by
        return path.absolute()
    return path


def _set_up(device: str) -> torch.device:
    from figment.training.devices import choose_device, set_up

    target = choose_device(device)
    set_up(target)
    mesh.start(target)
    return target


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


def _same_data(
    path: Path, data: str, recipe: Recipe, machine: dict[str, Any], progress: bool
) -> Dataset:
    """Return the data that a run began with. Raises UserError where they are not the same any more."""
    dataset = _open(data, recipe, progress)
    if dataset.fingerprint != machine["data"]["fingerprint"]:
        raise UserError(
            f"{dataset.source} has changed since {path} began: bring the old data back "
            "(--data says where they are), or train a new run"
        )
    return dataset


def _machine(plan: Plan, device: torch.device) -> dict[str, Any]:
    """Return what machine.json says, but for budget and data."""
    from figment.recipes.parameters import count
    from figment.training.devices import describe_machine

    return {
        **describe_machine(device),
        "precision": plan.recipe.precision,
        "estimate": {
            "images_per_second": round(plan.estimate["images_per_second"], 1),
            "memory_gib": round(plan.estimate["memory_gib"], 2),
        },
        "parameters": count(plan.recipe),
        "started": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _about(dataset: Dataset, source: str) -> dict[str, Any]:
    """Return what machine.json says of the data, what the doctor finds in them included."""
    from figment.doctor.sets import findings_of

    return {
        "name": dataset.name,
        "source": source,
        "path": _place(source),
        "count": len(dataset),
        "classes": list(dataset.classes),
        "shape": list(dataset.shape),
        "fingerprint": dataset.fingerprint,
        "skipped": len(dataset.skipped),
        "duplicates": dataset.duplicates,
        "findings": [finding._asdict() for finding in findings_of(dataset)],
    }


def _place(source: str) -> str:
    """Return where data are, for a resume from another folder; a built-in set is where figment is."""
    from figment.data.builtin import builtin

    if builtin(source) or not Path(source).expanduser().exists():
        return source
    return os.path.abspath(os.path.expanduser(source))


def _say(progress: bool, text: str) -> None:
    if text and progress and mesh.is_first():
        print(text, file=sys.stderr, flush=True)


def _what_next(run: Run, images: int, seconds: float) -> str:
    from figment.units import duration

    if run.stopped_by:
        return f"stopped and saved at {images:,} images: `figment resume {run.path}` goes on"
    return (
        f"{images:,} images in {duration(seconds)}: look at {run.path / 'report.html'}; "
        f"`figment sample {run.path}` draws new pictures"
    )
