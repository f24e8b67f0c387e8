"""Launching: begin a run or go on with one. What the command line and Python both call."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from figment import mesh, provenance
from figment.errors import UserError
from figment.opened import divided, read_run
from figment.plan import Plan, choose, longer
from figment.recipe import Recipe
from figment.recipes import own
from figment.recipes.parameters import refuse_too_large
from figment.run import Run
from figment.runs import HOME, fresh
from figment.stretch import ENDED, OnSample, Stretch, finished, leave, play, say
from figment.training import folder
from figment.training.budget import Budget
from figment.training.interrupt import leaving_on_sigterm

if TYPE_CHECKING:
    import torch

    from figment.data import Dataset
    from figment.training.transfer import Weights


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
    trust: bool = False,
    on_sample: OnSample | None = None,
    started: float | None = None,
    from_: str | Path | None = None,
    **fields: Any,
) -> Run:
    """Train on a folder, zip, packed file or built-in set and return the run.

    At most one of ``images``, ``minutes`` and ``epochs`` says how long; without one the recipe does.
    ``from_`` is a run, or a file of weights, that training begins from; without a recipe with its own.
    ``fields`` are fields of the recipe; ``trust`` lets a recipe.json name a module of one's own.
    ``on_sample`` is called with each sample grid (a ``Pictures``) and the images seen then; without it a
    notebook's cell shows them. Raises UserError for anything that cannot work.
    """
    from figment.training.transfer import read_weights

    started = time.perf_counter() if started is None else started
    budget = Budget(images, minutes, epochs)
    budget.check()
    weights = None if from_ is None else read_weights(from_)
    like = None  # where a recipe is named, that of the other run is none of its business
    if from_ is not None and recipe is None:
        like = read_run(Path(from_), trust=trust)[:2]
    plan = choose(str(data), recipe, fields, trust=trust, like=like)
    plan = plan if weights is None else plan.begun_from(weights.tensors)
    if getattr(plan.recipe, "freeze_layers", 0) and weights is None:
        raise UserError("--freeze-layers keeps what was learned: say with --from what that is")
    target = _set_up(device)
    path = Path(
        str(mesh.first(str(_home(run, plan))))
    )  # once there, it is no fresh one to the others
    deadline = None if minutes is None else started + 60 * minutes
    with leaving_on_sigterm(), folder.claimed(path) if mesh.is_first() else nullcontext():
        if not run and path.name != plan.run_name:
            say(progress, f"{HOME / plan.run_name} is there already, so this run is {path}")
        plan, dataset = _planned(plan, str(data), budget, deadline, target, progress, weights)
        end = plan.recipe.images if deadline is None else None
        if mesh.is_first():
            machine = provenance.machine_of(plan, target) | {
                "budget": {"images": end} if minutes is None else {"minutes": minutes},
                "fields": provenance.decided(plan, recipe, timed=minutes is not None),
                "data": provenance.about_data(dataset, str(data), plan.recipe),
            }
            machine |= {} if weights is None else {"from": weights.about()}
            folder.begin(path, plan.name, plan.recipe, machine)
            own.remember(plan.name)
        mesh.barrier()
        stretch = Stretch(end, deadline, started, progress, on_sample, plan.untrained, weights)
        return play(path, plan.recipe, dataset, target, stretch)


def _planned(
    plan: Plan,
    data: str,
    budget: Budget,
    deadline: float | None,
    device: torch.device,
    progress: bool,
    weights: Weights | None,
) -> tuple[Plan, Dataset]:
    """Return the plan with everything decided, and the data it is for."""
    from figment.training.devices import memory_of
    from figment.training.transfer import refuse_strange

    refuse_too_large(plan.recipe, memory_of(device), mesh.size())
    dataset = _open(data, plan.recipe, progress, by_colour=plan.by_colour)
    plan = plan.fit(dataset, budget, device)
    say(progress, _foreword(dataset, plan))
    if plan.recipe.compile:
        say(progress, "compiling the networks, which can take minutes")
    plan = plan.measure(dataset, device, deadline)
    if weights is not None:  # before the first scores, which take longest
        refuse_strange(plan.recipe, weights)
    say(progress, plan.said)
    plan = plan.settle(dataset, device, deadline, progress=progress)
    say(progress, plan.said)
    return plan, dataset


def resume(
    path: str | Path,
    *,
    images: int | None = None,
    minutes: float | None = None,
    epochs: float | None = None,
    data: str | None = None,
    device: str = "auto",
    progress: bool = True,
    trust: bool = False,
    on_sample: OnSample | None = None,
    started: float | None = None,
) -> Run:
    """Go on with a run exactly where its last saved state is, and return it.

    A budget is what is added; without one it goes on to the end that was planned. ``data`` says where
    the data are now if they have moved; ``trust`` lets a recipe of one's own be imported. Raises UserError
    if it is no run, its data have changed, or another process trains it.
    """
    started = time.perf_counter() if started is None else started
    path, added = Path(path), Budget(images, minutes, epochs)
    added.check()
    if folder.alone(path) is not None:
        raise UserError(f"{path} is a generator without its run, and only a run can go on training")
    _, recipe, _ = read_run(path, trust=trust)
    with leaving_on_sigterm(), folder.lock(path) if mesh.is_first() else nullcontext():
        _, _, machine = folder.read(path)  # now that nobody else can change it
        if not any(added) and data is None and (images := finished(path, machine)):
            return leave(path, images, progress)
        target = _set_up(device)
        stretch = Stretch(None, None, started, progress, on_sample)
        return _resume(path, recipe, machine, added, data, target, stretch)


def _resume(
    path: Path,
    recipe: Recipe,
    machine: dict[str, Any],
    added: Budget,
    data: str | None,
    device: torch.device,
    stretch: Stretch,
) -> Run:
    """Go on with a run that is locked, as ``stretch`` says but for the end."""
    from figment.training.state import refuse_lost, saved_clock

    started, progress = stretch.started, stretch.progress
    refuse_lost(path, ENDED in machine)
    now = saved_clock(path / "state").images
    mesh.check_batch(recipe.batch, recipe.together)
    dataset = _same_data(path, data or machine["data"]["path"], recipe, machine, progress)

    used = folder.read_seconds(path)
    budget = added.over(len(dataset)).after(machine["budget"], now, used)
    end = budget.get("images")
    if any(added):  # earlier versions let stages follow the length
        recipe = recipe.at_this_length()
    if end is not None:
        recipe = replace(recipe.without_idle(), images=end)  # earlier versions let idle fields pass
        recipe.check()
        stretch = stretch._replace(end=end)
    elif added.minutes is not None:
        recipe = longer(recipe, machine, 60 * added.minutes, now)
        recipe.check()
        deadline = started + 60 * added.minutes
        told = _until(recipe, machine, deadline - time.perf_counter(), now)
        stretch = stretch._replace(deadline=deadline, told=told)
    else:
        rest = max(0.0, 60 * budget["minutes"] - used)
        stretch = stretch._replace(rest=rest, told=_until(recipe, machine, rest, now))
    if mesh.is_first():
        _write_again(path, recipe, machine | {"budget": budget}, data)
    mesh.barrier()
    stretch = stretch._replace(news=_goes_on(path, recipe, machine, now, stretch))
    return play(path, recipe, dataset, device, stretch)


def _until(recipe: Recipe, machine: dict[str, Any], seconds: float, now: int) -> int:
    """Return the images that a run comes to in so many seconds more, some of which go into measuring."""
    from figment.training.monitor import SHARE

    images = longer(recipe, machine, (1 - SHARE) * seconds, now).images
    return images if images > now else recipe.images


def _goes_on(
    path: Path, recipe: Recipe, machine: dict[str, Any], now: int, stretch: Stretch
) -> str:
    """Return what a resume tells of its end: at how many images that is, and how far away."""
    from figment.training.pace import pace_of
    from figment.units import duration, round_off

    goes = f"{path} goes on from {now:,} images"
    if stretch.end is not None and now >= stretch.end:
        return f"{path} is at its end, {now:,} images: what is still to be written is written"
    if stretch.end is not None:
        each = machine.get("seconds_per_image") or ()
        pace = pace_of(recipe.stages(), each)
        takes = duration(pace.seconds(stretch.end) - pace.seconds(now))
        return f"{goes} to {stretch.end:,}" + (f", about {takes}" if each else "")
    if stretch.rest is None:
        left = (stretch.deadline or 0.0) - stretch.started
        return f"{goes} for {duration(left)}, to about {round_off(stretch.told):,} in all"
    if stretch.rest <= 0:
        return f"{path} has had its time, at {now:,} images: what is still to be written is written"
    return (
        f"{goes} for the {duration(stretch.rest)} that are left, to about {round_off(stretch.told):,} "
        "in all"
    )


def _write_again(path: Path, recipe: Recipe, machine: dict[str, Any], data: str | None) -> None:
    """Write recipe.json and machine.json of a run that goes on, with its data where they are now."""
    folder.tidy(path)
    folder.write_recipe(path, folder.read(path)[0], recipe)
    moved = {"path": provenance.place(data)} if data else {}
    going = {name: value for name, value in machine.items() if name != ENDED}
    folder.write_machine(path, going | {"data": machine["data"] | moved})


def _home(run: str | Path | None, plan: Plan) -> Path:
    """Return the folder to write: the user's, or a fresh one in runs/, called after the words.

    After the data, and after the recipe too where one was named: not after what was chosen.
    """
    if not run:
        return fresh(HOME / plan.run_name)
    path = Path(run)
    if path.name in ("", ".."):  # "." and the like have no name to be found by
        return path.absolute()
    return path


def _set_up(device: str) -> torch.device:
    from figment.training.devices import choose_device, set_up

    target = choose_device(device)
    set_up(target)
    mesh.start(target)
    return target


def _open(data: str, recipe: Recipe, progress: bool, *, by_colour: bool = False) -> Dataset:
    """Return the data set, packed by the first process while the others wait.

    ``by_colour``: with as many channels as its pictures need.
    """
    from figment.data import open_dataset

    if not mesh.is_first():
        mesh.barrier()
    dataset = open_dataset(
        data,
        resolution=recipe.resolution,
        channels=None if by_colour else recipe.channels,
        fit=recipe.fit,
        folders=recipe.folders,
        seed=recipe.seed,
        progress=progress and mesh.is_first(),
    )
    if mesh.is_first():
        mesh.barrier()
    return dataset


def _foreword(dataset: Dataset, plan: Plan) -> str:
    """Return what inspection and doctor know of the data, in a few lines."""
    from figment.data import split
    from figment.data.describe import foreword

    recipe = plan.recipe
    held_out = split(dataset, recipe.held_out, recipe.seed)[1]
    return foreword(
        dataset,
        [*plan.look.structure, plan.said],
        fit=recipe.fit,
        decided=plan.by_colour,
        held_out=len(held_out),
    )


def _same_data(
    path: Path, data: str, recipe: Recipe, machine: dict[str, Any], progress: bool
) -> Dataset:
    """Return the data that a run began with, divided as it was.

    Raises UserError where they are not the same any more.
    """
    dataset = _open(data, recipe, progress)
    if dataset.fingerprint != machine["data"]["fingerprint"]:
        raise UserError(
            f"{dataset.source} has changed since {path} began: bring the old data back "
            "(--data says where they are), or train a new run"
        )
    return divided(path, dataset, recipe, machine)
