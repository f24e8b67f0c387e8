"""Fit: rounds until the budget is spent, with everything a run leaves written along the way."""

from __future__ import annotations

import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from figment import mesh
from figment.errors import UserError
from figment.training import folder
from figment.training.devices import peak_memory
from figment.training.interrupt import Interruption
from figment.training.log import Log, Tally
from figment.training.plan import too_large
from figment.training.rescue import Alarm, examine, roll_back
from figment.training.schedule import due, due_wider
from figment.training.state import save_state, saved_clock
from figment.training.trainer import NotFinite, Trainer
from figment.training.watch import Watch

REPORT_SECONDS = 1.5
SAVE_SECONDS = 60.0
SAVE_SHARE = 0.05
"""The state is saved about once a minute, or less often where that took more of the time than this."""


@dataclass
class Session:
    """One stretch of training: from a start or a resume to its end."""

    run: Path
    trainer: Trainer
    tally: Tally
    log: Log
    watch: Watch
    end: int | None
    """Images at which it ends, if that is set."""
    deadline: float | None
    """``time.perf_counter()`` at which it ends, if that is set."""
    began: float
    """``time.perf_counter()`` at which seconds started to count."""
    used: float = 0.0
    """Seconds that the run took before."""
    saved: float = field(default_factory=time.perf_counter)
    saved_at: int = -1
    showing: float = 0.0
    saving: float = 0.0
    """Seconds that a grid with its snapshot, and the state, took at most so far."""
    ticked: tuple[float, int] = (0.0, 0)
    data: dict[str, Any] = field(default_factory=dict)
    """What machine.json says of the data."""
    said: set[str] = field(default_factory=set)
    """Names of the doctor's findings that have been said."""

    def finishing(self) -> float:
        """Return the seconds that the end of the run will take, its report included."""
        measuring = 1.5 * self.watch.cost()
        return 1.5 * self.showing + 1.5 * self.saving + measuring + REPORT_SECONDS

    def seconds(self) -> float:
        """Return the seconds this run has taken, all its sessions together."""
        return self.used + time.perf_counter() - self.began


def fit(session: Session, *, progress: bool = True) -> int:
    """Play until the end, the deadline, a signal or no patience; return the signal's number, or 0.

    Raises UserError, the last good state kept, when a loss is not finite, the disk is full, or training
    has collapsed and is to stop then.
    """
    from tqdm import tqdm

    trainer = session.trainer
    session.ticked = (time.perf_counter(), trainer.clock.images)
    with (
        Interruption() as interruption,
        tqdm(
            total=session.end,
            initial=trainer.clock.images,
            unit=" images",
            unit_scale=True,
            disable=not (progress and mesh.is_first()),
            dynamic_ncols=True,
            smoothing=0.05,
            mininterval=0.2 if sys.stderr.isatty() else 15,
        ) as bar,
    ):
        if trainer.clock.images == 0:
            _show(session, picture=True, snapshot=False)
            session.watch.measure(trainer, session.seconds())
        reason = _agree(session, interruption, {}, 0.0)[1]
        while reason == 0:
            before, start = trainer.clock.images, time.perf_counter()
            try:
                seen = trainer.round()
            except NotFinite as error:
                if roll_back(session, Alarm("divergence", str(error))):
                    _rewind(session, bar)
                    continue
                _write_line(session, cut_short=True, not_finite=True)
                raise UserError(_not_finite(session, error)) from None
            except torch.OutOfMemoryError:
                raise UserError(too_large(trainer.recipe)) from None
            values, reason = _agree(session, interruption, seen, time.perf_counter() - start)
            session.tally.add(values)
            bar.update(trainer.clock.images - before)
            if bar.disable is False:
                bar.set_postfix_str(_status(values, session), refresh=False)
            alarm = _write_what_is_due(session, before)
            if session.watch.out_of_patience(trainer.recipe):
                reason = reason or 1
            if alarm is None:
                continue
            if roll_back(session, alarm):
                _rewind(session, bar)
                reason = 0
            elif trainer.recipe.on_collapse != "warn":
                _finish(session, measure=False)
                raise UserError(_stopped(session, alarm))
        _finish(session, measure=reason == 1)
    return 0 if reason in (0, 1) else reason


def _agree(
    session: Session, interruption: Interruption, seen: dict[str, Tensor], round_seconds: float
) -> tuple[dict[str, float], int]:
    """Return the round's scalars, means over processes, and why to stop: 0 not, 1 budget, or a signal.

    Every process must decide alike, so the wishes travel with the scalars in one all-reduce.
    """
    images = session.trainer.clock.images
    late = (
        session.deadline is not None
        and mesh.is_first()
        and (time.perf_counter() + round_seconds + session.finishing() > session.deadline)
    )
    wishes = [late, interruption.signal == signal.SIGINT, interruption.signal == signal.SIGTERM]
    device = session.trainer.device
    vector = torch.stack(
        [value.float() for value in seen.values()]
        + [torch.tensor(float(wish), device=device) for wish in wishes]
    )
    try:
        mesh.average([vector])
    except RuntimeError:
        if mesh.is_first():
            raise
        raise UserError("the first process has stopped; what it says tells why") from None
    *values, late_, sigint, sigterm = vector.tolist()
    reason = 0
    if late_ or (session.end is not None and images >= session.end):
        reason = 1
    if sigterm:
        reason = int(signal.SIGTERM)
    elif sigint:
        reason = int(signal.SIGINT)
    return dict(zip(seen, values, strict=True)), reason


def _write_what_is_due(session: Session, before: int) -> Alarm | None:
    recipe, now = session.trainer.recipe, session.trainer.clock.images
    measured = recipe.metric_every > 0 and due(before, now, recipe.metric_every)
    if measured:
        session.tally.add(session.watch.measure(session.trainer, session.seconds()))
    if due(before, now, recipe.tick):
        _write_line(session)
        session.tally = Tally()
    every = recipe.sample_every
    picture = due(before, now, every) if every else due_wider(before, now, recipe.tick, 1.25)
    every = recipe.snapshot_every
    snapshot = due(before, now, every) if every else due_wider(before, now, recipe.tick, 1.5)
    _show(session, picture=picture, snapshot=snapshot)
    if recipe.save_every:
        save = due(before, now, recipe.save_every)
    else:
        pause = max(SAVE_SECONDS, session.saving / SAVE_SHARE)
        save = time.perf_counter() - session.saved > pause
    if save:
        _save(session)
    return examine(session) if measured else None


def _rewind(session: Session, bar: Any) -> None:
    """Let clocks and the bar show that training goes on from an earlier moment, and save it.

    The log has been cut back to it: a state from after it would be one that the log knows nothing of.
    """
    _save(session)
    session.ticked = (time.perf_counter(), session.trainer.clock.images)
    bar.n = session.trainer.clock.images
    bar.refresh()


def _finish(session: Session, *, measure: bool) -> None:
    """Leave the run complete: last grid and snapshot, the state, a measurement, a line cut short.

    The state comes before the measurement, so that one resumed goes on as if it had never stopped.
    """
    run, now = session.run, session.trainer.clock.images
    _show(
        session,
        picture=not folder.picture_path(run, now).exists(),
        snapshot=not folder.snapshot_path(run, now).exists(),
    )
    if now > 0 and session.saved_at != now:  # without a state, resuming starts from the seed
        _save(session)
    if measure and session.watch.last() < now:
        session.tally.add(session.watch.measure(session.trainer, session.seconds(), end=True))
    if session.tally.sums:
        _write_line(session, cut_short=True)


def _write_line(session: Session, *, cut_short: bool = False, not_finite: bool = False) -> None:
    clock, now = session.trainer.clock, time.perf_counter()
    then, images = session.ticked
    session.ticked = (now, clock.images)
    if not mesh.is_first():
        return
    line: dict[str, float] = {
        "images": clock.images,
        "rounds": clock.rounds,
        "seconds": round(session.seconds(), 3),
        **session.tally.means(),
        **{name: float(value) for name, value in session.trainer.judge_held_out().items()},
        "speed/images_per_second": round((clock.images - images) / max(now - then, 1e-9), 2),
        "memory/gib": round(peak_memory(session.trainer.device), 3),
    }
    marks = {"open": cut_short, "not_finite": not_finite}
    session.log.write(line | {name: True for name, mark in marks.items() if mark})


def _show(session: Session, *, picture: bool, snapshot: bool) -> None:
    """Write the grid of the fixed latents, the weights it was drawn with, or both."""
    if not (mesh.is_first() and (picture or snapshot)):
        return
    start, images = time.perf_counter(), session.trainer.clock.images
    net = session.trainer.shown()
    if picture:
        path = folder.write_picture(session.run, session.trainer.recipe, net, images)
        session.log.picture(path, images)
    if snapshot:
        folder.write_snapshot(session.run, session.trainer.recipe, net, images)
        classifier = session.trainer.recipe.classifier(session.trainer.nets)
        if classifier is not None:
            folder.write_classifier(session.run, session.trainer.recipe, classifier, images)
    session.showing = max(session.showing, time.perf_counter() - start)


def _save(session: Session) -> None:
    if mesh.is_first():
        start = time.perf_counter()
        save_state(session.run / "state", session.trainer, session.tally)
        folder.write_seconds(session.run, session.seconds())
        session.saved, session.saved_at = time.perf_counter(), session.trainer.clock.images
        session.saving = max(session.saving, session.saved - start)


def _status(values: dict[str, float], session: Session) -> str:
    """The part of the progress bar that a person watches."""
    short = {
        "loss/discriminator": "D",
        "loss/generator": "G",
        "score/real": "D(real)",
        "score/fake": "D(fake)",
        "score/accuracy": "acc",
    }
    text = " ".join(f"{short[name]} {value:.2f}" for name, value in values.items() if name in short)
    if session.deadline is not None:
        left = max(0, int(session.deadline - time.perf_counter()))
        text += f" left {left // 60}:{left % 60:02d}"
    return text


def _stopped(session: Session, alarm: Alarm) -> str:
    at, run = session.trainer.clock.images, session.run
    return (
        f"training stopped at {at:,} images: {alarm.name}: {alarm.evidence}; all is saved: "
        f"`figment doctor {run}` says what to do, `figment sample {run}` draws from the best weights"
    )


def _not_finite(session: Session, error: NotFinite) -> str:
    at = session.trainer.clock.images
    saved = saved_clock(session.run / "state").images
    kept = f"the last good state, at {saved:,}, is kept" if saved else "nothing had been saved yet"
    return (
        f"training stopped at {at:,} images: {error}; {kept}: train again with lower learning rates "
        "(--generator-lr, --discriminator-lr)"
    )
