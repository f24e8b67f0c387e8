"""A stretch of training: from the saved state of a run to an end, and the folder left complete."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, NamedTuple

from figment import mesh
from figment.recipe import Recipe
from figment.recipes import system_fields
from figment.run import Run
from figment.training import folder

if TYPE_CHECKING:
    import torch

    from figment.data import Dataset
    from figment.sampling.pictures import Pictures
    from figment.training.monitor import Untrained
    from figment.training.session import Session
    from figment.training.transfer import Weights


OnSample = Callable[["Pictures", int], object]
"""What is called with each sample grid of a training and the images seen then."""


ENDED = "ended"
"""Where machine.json says at how many images the run came to its end, once all is written."""


class Stretch(NamedTuple):
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
    rest: float | None = None
    """Seconds that are left of a time budget, in place of a deadline: counted from the first round on."""
    news: str = ""
    """What the user is told once the saved state has been read."""
    told: int = 0
    """Images at the end that the user was told last, if the recipe has others."""


def play(
    path: Path, recipe: Recipe, dataset: Dataset, device: torch.device, stretch: Stretch
) -> Run:
    """Train from the saved state, if there is one, to the end, and leave the folder complete."""
    from figment.compiling import why_not
    from figment.training.fit import fit

    progress = stretch.progress
    trouble = why_not(device) if recipe.compile else ""
    if trouble:
        say(
            progress,
            f"without --compile, which does not work here ({trouble}): rounds stay as slow",
        )
    session = _session(path, recipe, dataset, device, stretch)
    say(progress, stretch.news)
    if stretch.news and recipe.compile and not trouble:
        say(progress, "compiling the networks, which can take minutes")
    session.end, session.deadline, session.began = stretch.end, stretch.deadline, stretch.started
    session.told = stretch.told
    if stretch.rest is not None:  # what getting ready again takes is no part of the training
        session.began = time.perf_counter()
        session.deadline = session.began + stretch.rest
    session.on_sample = stretch.on_sample or _show_in_cell(progress) or session.on_sample
    try:
        signal = fit(session, progress=progress)
    finally:
        session.log.close()
    images = session.trainer.clock.images
    if mesh.is_first() and stretch.end is None and images and not signal:
        folder.write_recipe(path, folder.read(path)[0], replace(recipe, images=images))
    mesh.barrier()
    run = Run(path, stopped_by=signal, trust=True)  # its recipe has just been played
    if mesh.is_first():
        findings = run.doctor()
        run.report()
        say(progress, _what_next(run, images, session.seconds()))
        worst = findings[0]
        say(progress, f"doctor: {worst.name}: {worst.evidence} {worst.advice}".rstrip())
        # Only now is there nothing left that a resume would have to write.
        if images and not signal:
            folder.write_machine(path, run.machine | {ENDED: images})
    mesh.barrier()  # nobody leaves while the first still writes: one aborted at its exit
    mesh.stop()
    return run


def finished(path: Path, machine: dict[str, Any]) -> int:
    """Return the images at which a run has come to its end with all of it written, 0 where it has not."""
    from figment.training.state import saved_clock

    now = saved_clock(path / "state").images
    whole = folder.snapshot_path(path, now).exists()
    return now if whole and machine.get(ENDED) == now else 0


def leave(path: Path, images: int, progress: bool) -> Run:
    """Return a run that is finished as it is, its report written again where it is lost."""
    run = Run(path, trust=True)  # its recipe has just been opened
    if mesh.is_first() and not (path / "report.html").exists():
        run.doctor()
        run.report()
    say(
        progress,
        f"{path} is finished, at {images:,} images: `figment resume {quote(str(path))} --minutes 5` "
        "(or --images N) adds to it",
    )
    return run


def _session(
    path: Path, recipe: Recipe, dataset: Dataset, device: torch.device, stretch: Stretch
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
    if stretch.begin_from is not None:
        say(stretch.progress, take(trainer, stretch.begin_from))
        if mesh.is_first():  # what resuming a run that is stopped early begins from
            save_state(path / "state", trainer, Tally())
        mesh.barrier()
    tally = load_state(path / "state", trainer)
    return Session(
        path,
        trainer,
        tally,
        Log(path, images=trainer.clock.images, writes=mesh.is_first()),
        monitor_for(path, trainer, untrained=stretch.untrained, progress=stretch.progress),
        measure_every=recipe.metric_every or machine.get("metric_every", 0),
        used=folder.read_seconds(path),
        seconds_per_image=tuple(machine.get("seconds_per_image", ())),
        data=machine["data"],
        own=system_fields(name, fields, machine),
        lock=lock_id(path),
    )


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


def say(progress: bool, text: str) -> None:
    """Tell the user, once, whatever the number of processes."""
    if text and progress and mesh.is_first():
        from figment.progress import say

        say(text)
