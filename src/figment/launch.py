"""Launching: begin a run or go on with one. What the command line and Python both call."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, NamedTuple

from figment import mesh, provenance
from figment.errors import UserError
from figment.opened import read_run
from figment.plan import Plan, choose, longer
from figment.recipe import Recipe
from figment.recipes import own, system_fields
from figment.recipes.parameters import refuse_too_large
from figment.run import Run
from figment.runs import HOME, fresh
from figment.training import folder
from figment.training.budget import Budget
from figment.training.interrupt import leaving_on_sigterm

if TYPE_CHECKING:
    import torch

    from figment.data import Dataset
    from figment.sampling.pictures import Pictures
    from figment.training.monitor import Untrained
    from figment.training.session import Session
    from figment.training.transfer import Weights


OnSample = Callable[["Pictures", int], object]
"""What is called with each sample grid of a training and the images seen then."""


class Play(NamedTuple):
    """How long a stretch of training is, and who watches it."""

    end: int | None
    """Images at which it ends, if that is set."""
    deadline: float | None
    """``time.perf_counter()`` at which it ends, if that is set."""
    started: float
    """``time.perf_counter()`` at which seconds started to count."""
    progress: bool
    on_sample: OnSample | None
    untrained: Untrained | None = None
    """The measurement of the first weights, if it has been made."""
    begin_from: Weights | None = None
    """What another training has learned, if this one begins there."""


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
    from figment.training.transfer import read_weights, refuse_strange

    started = time.perf_counter() if started is None else started
    budget = Budget(images, minutes, epochs)
    budget.check()
    weights = None if from_ is None else read_weights(from_)
    like = None if from_ is None else read_run(Path(from_), trust=trust)[:2]
    plan = choose(str(data), recipe, fields, trust=trust, like=like)
    plan = plan if weights is None else plan.begun_from(weights.tensors)
    if getattr(plan.recipe, "freeze_layers", 0) and weights is None:
        raise UserError("--freeze-layers keeps what was learned: say with --from what that is")
    path = _home(run, plan)
    deadline = None if minutes is None else started + 60 * minutes
    with leaving_on_sigterm(), folder.claimed(path) if mesh.is_first() else nullcontext():
        target = _set_up(device)
        if not run and path.name != plan.run_name:
            _say(progress, f"{HOME / plan.run_name} is there already, so this run is {path}")
        plan, dataset = _planned(plan, str(data), budget, deadline, target, progress)
        if weights is not None:
            refuse_strange(plan.recipe, weights)
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
        play = Play(end, deadline, started, progress, on_sample, plan.untrained, weights)
        return _play(path, plan.recipe, dataset, target, play)


def _planned(
    plan: Plan,
    data: str,
    budget: Budget,
    deadline: float | None,
    device: torch.device,
    progress: bool,
) -> tuple[Plan, Dataset]:
    """Return the plan with everything decided, and the data it is for."""
    from figment.training.devices import memory_of

    refuse_too_large(plan.recipe, memory_of(device), mesh.size())
    dataset = _open(data, plan.recipe, progress, by_colour=plan.by_colour)
    plan = plan.fit(dataset, budget, device)
    _say(progress, _foreword(dataset, plan))
    plan = plan.measure(dataset, device, deadline)
    plan = plan.settle(dataset, device, deadline, progress=progress)
    _say(progress, plan.said)
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
        target = _set_up(device)
        play = Play(None, None, started, progress, on_sample)
        return _resume(path, recipe, machine, added, data, target, play)


def _resume(
    path: Path,
    recipe: Recipe,
    machine: dict[str, Any],
    added: Budget,
    data: str | None,
    device: torch.device,
    play: Play,
) -> Run:
    """Go on with a run that is locked, as ``play`` says but for the end."""
    from figment.training.state import saved_clock

    started, progress = play.started, play.progress
    now = saved_clock(path / "state").images
    mesh.check_batch(recipe.batch, recipe.neighbours)
    dataset = _same_data(path, data or machine["data"]["path"], recipe, machine, progress)

    used = folder.read_seconds(path)
    budget = added.over(len(dataset)).after(machine["budget"], now, used)
    end, deadline = budget.get("images"), None
    if any(added):  # earlier versions let stages follow the length
        recipe = recipe.at_this_length()
    if end is not None:
        recipe = replace(recipe.without_idle(), images=end)  # earlier versions let idle fields pass
        recipe.check()
    else:
        deadline = started + max(0.0, 60 * budget["minutes"] - used)
        if added.minutes is not None:
            recipe = longer(recipe, machine, 60 * added.minutes, now)
            recipe.check()
    if mesh.is_first():
        _write_again(path, recipe, machine | {"budget": budget}, data)
    mesh.barrier()
    _say(progress, f"{path} goes on from {now:,} images" + (f" to {end:,}" if end else ""))
    play = play._replace(end=end, deadline=deadline)
    return _play(path, recipe, dataset, device, play)


def _write_again(path: Path, recipe: Recipe, machine: dict[str, Any], data: str | None) -> None:
    """Write recipe.json and machine.json of a run that goes on, with its data where they are now."""
    folder.tidy(path)
    folder.write_recipe(path, folder.read(path)[0], recipe)
    moved = {"path": provenance.place(data)} if data else {}
    folder.write_machine(path, machine | {"data": machine["data"] | moved})


def _play(
    path: Path,
    recipe: Recipe,
    dataset: Dataset,
    device: torch.device,
    play: Play,
) -> Run:
    """Train from the saved state, if there is one, to the end, and leave the folder complete."""
    from figment.training.fit import fit

    progress = play.progress
    session = _session(path, recipe, dataset, device, play)
    session.end, session.deadline, session.began = play.end, play.deadline, play.started
    session.on_sample = play.on_sample or _show_in_cell(progress) or session.on_sample
    try:
        signal = fit(session, progress=progress)
    finally:
        session.log.close()
    images = session.trainer.clock.images
    if mesh.is_first() and play.end is None and not signal:
        folder.write_recipe(path, folder.read(path)[0], replace(recipe, images=max(1, images)))
    mesh.barrier()
    run = Run(path, stopped_by=signal, trust=True)  # its recipe has just been played
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
    path: Path, recipe: Recipe, dataset: Dataset, device: torch.device, play: Play
) -> Session:
    """Return a session at the saved state of the run, or at its start if nothing was saved."""
    from figment.training.guard import lock_id
    from figment.training.log import Log, Tally
    from figment.training.monitor import monitor_for
    from figment.training.session import Session
    from figment.training.state import load_state, save_state
    from figment.training.trainer import Trainer
    from figment.training.transfer import take

    name, fields, machine = folder.read(path)
    trainer = Trainer(recipe, dataset, device)
    if play.begin_from is not None:
        _say(play.progress, take(trainer, play.begin_from))
        if mesh.is_first():  # what resuming a run that is stopped early begins from
            save_state(path / "state", trainer, Tally())
        mesh.barrier()
    tally = load_state(path / "state", trainer)
    return Session(
        path,
        trainer,
        tally,
        Log(path, images=trainer.clock.images, writes=mesh.is_first()),
        monitor_for(path, trainer, untrained=play.untrained, progress=play.progress),
        measure_every=recipe.metric_every or machine.get("metric_every", 0),
        used=folder.read_seconds(path),
        seconds_per_image=tuple(machine.get("seconds_per_image", ())),
        data=machine["data"],
        own=system_fields(name, fields, machine),
        lock=lock_id(path),
    )


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
    from figment.data import with_division

    dataset = _open(data, recipe, progress)
    if dataset.fingerprint != machine["data"]["fingerprint"]:
        raise UserError(
            f"{dataset.source} has changed since {path} began: bring the old data back "
            "(--data says where they are), or train a new run"
        )
    recorded = machine["data"].get("held_out")
    return with_division(dataset, recorded, recipe.held_out, recipe.seed)


def _show_in_cell(progress: bool) -> OnSample | None:
    """Return what shows each sample grid in a notebook's cell, None where no notebook runs."""
    from figment.cells import Spot, image, in_notebook
    from figment.sampling.pictures import png

    if not (progress and in_notebook()):
        return None
    spot = Spot()

    def show(pictures: Pictures, images: int) -> None:
        shown = pictures.shown()
        when = f"after {images:,} images"
        spot.show(image(png(shown), shown.size, when), when)

    return show


def _say(progress: bool, text: str) -> None:
    if text and progress and mesh.is_first():
        from figment.progress import say

        say(text)


def _what_next(run: Run, images: int, seconds: float) -> str:
    from figment.units import duration

    word = quote(str(run.path))
    if not images and not run.stopped_by:
        return f"the time was over before the first round: `figment resume {word} --minutes 10`"
    if run.stopped_by:
        return f"stopped and saved at {images:,} images: `figment resume {word}` goes on"
    return (
        f"{images:,} images in {duration(seconds)}: look at {run.path / 'report.html'}; "
        f"`figment sample {word}` draws new pictures"
    )
