"""Fit: rounds until the budget is spent, with everything a run leaves written along the way."""

from __future__ import annotations

import signal
import time
from shlex import quote
from typing import Any

import torch
from torch import Tensor, nn

from figment import mesh
from figment.errors import UserError
from figment.fields import fields_of
from figment.pixels import to_uint8
from figment.progress import progress_bar, say
from figment.sampling.generator import Generator
from figment.training import folder
from figment.training.clouds import landscape, modes_reached
from figment.training.devices import peak_memory
from figment.training.due import due, due_wider
from figment.training.grids import write_grid, write_rebuilt
from figment.training.guard import refuse_changed, telling
from figment.training.interrupt import Interruption
from figment.training.length import correct, images_at_end, length_now
from figment.training.log import Tally
from figment.training.memory import go_on_in_smaller_parts, is_full
from figment.training.rollback import Alarm, examine, roll_back
from figment.training.session import Session
from figment.training.state import save_state, saved_clock
from figment.training.trainer import NotFinite

SHORT = {
    "loss/discriminator": "D",
    "loss/generator": "G",
    "score/real": "D(real)",
    "score/fake": "D(fake)",
    "score/accuracy": "acc",
}
"""What the progress bar calls the columns of a two-player game; other losses have their own names."""
LOGITS = {"score/real": "D logit of reals", "score/fake": "D logit of fakes"}
"""What it calls them where the discriminator gives no probabilities, as in Wasserstein and hinge games."""
LENGTH = "length"
"""Images that are planned from now on, among the scalars that the processes agree on; 0: as before."""
SAVE_SECONDS = 60.0
SAVE_SHARE = 0.05
"""The state is saved about once a minute, or less often where that took more of the time than this."""


def fit(session: Session, *, progress: bool = True) -> int:
    """Play until the end, the deadline, a signal or no patience; return the signal's number, or 0.

    Raises UserError, the last good state kept, when a loss is not finite, the disk is full, or training
    has collapsed and is to stop then.
    """
    guarded = telling(session.run, session.lock)
    with guarded, Interruption() as interruption, _bar(session, progress) as bar:
        if session.trainer.clock.images == 0:
            _show(session, picture=True, snapshot=False)
            session.monitor.measure(session.trainer, session.seconds())
        session.playing = (time.perf_counter(), session.trainer.clock.images)
        session.ticked = session.trainer.clock.images
        reason = _agree(session, interruption, {}, 0.0)[1]
        while reason == 0:
            before = session.trainer.clock.images
            try:
                played = _play_round(session, interruption, bar)
            except NotFinite as error:
                _back_from_divergence(session, error, bar)
                continue
            if played is None:
                _back_from_full_memory(session, bar)
                continue
            values, reason = played
            _tell(bar, session, values, before)
            alarm = _write_what_is_due(session, before)
            if session.monitor.out_of_patience(session.trainer.recipe):
                reason = reason or 1
            if alarm is not None and _back_from_collapse(session, alarm, bar):
                reason = 0
        _finish(session, measure=reason == 1)
    return 0 if reason in (0, 1) else reason


def _play_round(
    session: Session, interruption: Interruption, bar: Any
) -> tuple[dict[str, float], int] | None:
    """Play a round; return its scalars and why to stop after it (see ``_agree``), and count it in.

    None where memory did not hold it.
    """
    start = time.perf_counter()
    try:
        seen = session.trainer.round()
    except (MemoryError, RuntimeError) as error:
        if not is_full(error):
            raise
        seen = (
            None  # the error's traceback, gone after this clause, holds on to the round's tensors
        )
    if seen is None:
        return None
    values, reason = _agree(session, interruption, seen, time.perf_counter() - start)
    session.rounds_took += time.perf_counter() - start  # the device is done: its scalars are here
    length = round(values.pop(LENGTH, 0))
    if length:
        _check_folder(session)
    news = correct(session, length) if length else ""
    if news and not bar.disable:
        say(news)
    session.tally.add(values)
    return values, reason


def _back_from_divergence(session: Session, error: NotFinite, bar: Any) -> None:
    """Roll back where that is wanted and possible. Raises UserError where it is not."""
    if not roll_back(session, Alarm("divergence", str(error))):
        _write_line(session, cut_short=True, not_finite=True)
        raise UserError(_not_finite(session, error)) from None
    _rewind(session, bar)


def _back_from_full_memory(session: Session, bar: Any) -> None:
    """Go on from the last saved state in smaller micro-batches. Raises UserError where there are none."""
    news = go_on_in_smaller_parts(session)
    _rewind(session, bar)
    if not bar.disable:
        say(news)


def _back_from_collapse(session: Session, alarm: Alarm, bar: Any) -> bool:
    """Return whether training was rolled back. Raises UserError, all saved, where it is to stop now."""
    if roll_back(session, alarm):
        _rewind(session, bar)
        return True
    if session.trainer.recipe.on_collapse != "warn":
        _finish(session, measure=False)
        raise UserError(_stopped(session, alarm))
    return False


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
    length = mesh.size() * length_now(session) if mesh.is_first() and seen else 0  # a mean is taken
    signals = [interruption.signal == number for number in (signal.SIGINT, signal.SIGTERM)]
    wishes = [length, late, *signals]
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
    *values, length, late_, sigint, sigterm = vector.tolist()
    reason = 0
    if late_ or (session.end is not None and images >= session.end):
        reason = 1
    if sigterm:
        reason = int(signal.SIGTERM)
    elif sigint:
        reason = int(signal.SIGINT)
    return dict(zip(seen, values, strict=True)) | {LENGTH: length}, reason


def _write_what_is_due(session: Session, before: int) -> Alarm | None:
    recipe, now = session.trainer.recipe, session.trainer.clock.images
    pause = session.measure_every
    measured = pause > 0 and due(before, now, pause)
    if measured:
        _check_folder(session)
        session.tally.add(session.monitor.measure(session.trainer, session.seconds()))
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
    session.playing = (time.perf_counter(), session.trainer.clock.images)
    session.ticked, session.rounds_took = session.trainer.clock.images, 0.0
    bar.n = session.trainer.clock.images
    bar.refresh()


def _finish(session: Session, *, measure: bool) -> None:
    """Leave the run complete: last grid and snapshot, the state, a measurement, a line cut short.

    The state comes before the measurement, so that one resumed goes on as if it had never stopped.
    """
    run, now = session.run, session.trainer.clock.images
    _check_folder(session)
    _show(
        session,
        picture=not folder.picture_path(run, now).exists(),
        snapshot=not folder.snapshot_path(run, now).exists(),
    )
    if now > 0 and session.saved_at != now:  # without a state, resuming starts from the seed
        _save(session)
    if measure and session.monitor.last() < now:
        session.tally.add(session.monitor.measure(session.trainer, session.seconds(), end=True))
    if session.tally.sums:
        _write_line(session, cut_short=True)


def _write_line(session: Session, *, cut_short: bool = False, not_finite: bool = False) -> None:
    clock, before = session.trainer.clock, session.ticked
    played, took = clock.images - before, session.rounds_took
    session.ticked, session.rounds_took = clock.images, 0.0
    if not mesh.is_first():
        return
    _check_folder(session)
    line: dict[str, float] = {
        "images": clock.images,
        "rounds": clock.rounds,
        "seconds": round(session.seconds(), 3),
        **session.tally.means(),
        **{name: float(value) for name, value in session.trainer.validate().items()},
        **modes_reached(session.trainer),
        **({"speed/images_per_second": round(played / max(took, 1e-9), 2)} if played else {}),
        "memory/gib": round(peak_memory(session.trainer.device), 3),
    }
    marks = {"open": cut_short, "not_finite": not_finite}
    session.log.write(line | {name: True for name, mark in marks.items() if mark})


def _show(session: Session, *, picture: bool, snapshot: bool) -> None:
    """Write the grid of the fixed latents, the weights it was drawn with, or both."""
    if not (mesh.is_first() and (picture or snapshot)):
        return
    start, images = time.perf_counter(), session.trainer.clock.images
    net = session.trainer.averaged_generator()
    if picture:
        _picture(session, net)
    if snapshot:
        _check_folder(session)
        folder.write_snapshot(session.run, session.trainer.recipe, net, images)
        classifier = session.trainer.recipe.classifier(session.trainer.nets)
        if classifier is not None:
            folder.write_classifier(session.run, session.trainer.recipe, classifier, images)
    session.showing = max(session.showing, time.perf_counter() - start)


def _picture(session: Session, net: nn.Module) -> None:
    """Write the grid of the fixed latents (the first seeds) as ``net`` draws them, and show it around."""
    trainer, images = session.trainer, session.trainer.clock.images
    dataset = trainer.feed.dataset
    pictures = Generator(trainer.recipe, net, dataset.classes, dataset.name).overview(folder.GRID)
    path, seen = folder.picture_path(session.run, images), landscape(trainer, pictures)
    _check_folder(session)  # after the drawing, which takes its time
    write_grid(path, pictures, seen)
    session.log.picture(path, images)
    _rebuilt(session, net)
    session.on_sample(pictures, images)


@torch.no_grad()
def _rebuilt(session: Session, net: nn.Module) -> None:
    """Write real pictures, held out where any are, beside what the system makes of their codes."""
    trainer, count = session.trainer, 2 * folder.REBUILT
    reals = (trainer.feed.held_out_examples(count) or trainer.feed.first(count))[0]
    if (rebuilt := trainer.recipe.rebuild(net, reals)) is not None:
        pictures = (to_uint8(some.float()).cpu().numpy() for some in (reals, rebuilt))
        write_rebuilt(folder.rebuilt_path(session.run), *pictures, across=folder.REBUILT)


def _check_folder(session: Session) -> None:
    """Raise UserError where the run was removed, or linked elsewhere, since the last time of writing."""
    if mesh.is_first():
        refuse_changed(session.run, session.lock)


def _save(session: Session) -> None:
    if mesh.is_first():
        _check_folder(session)
        start = time.perf_counter()
        save_state(session.run / "state", session.trainer, session.tally)
        folder.write_seconds(session.run, session.seconds())
        session.saved, session.saved_at = time.perf_counter(), session.trainer.clock.images
        session.saving = max(session.saving, session.saved - start)


def _bar(session: Session, progress: bool) -> Any:
    """Return the progress bar, which counts images; only the first process shows it."""
    return progress_bar(
        total=images_at_end(session),
        initial=session.trainer.clock.images,
        unit=" images",
        unit_scale=True,
        smoothing=0.05,
        shown=progress and mesh.is_first(),
    )


def _tell(bar: Any, session: Session, values: dict[str, float], before: int) -> None:
    """Move the bar on from ``before`` and let it say the round's scalars."""
    bar.total = images_at_end(session)
    bar.update(session.trainer.clock.images - before)
    if bar.disable is False:
        bar.set_postfix_str(_status(values, session), refresh=False)


def _status(values: dict[str, float], session: Session) -> str:
    """The part of the progress bar that a person watches: losses and, where there are any, scores."""
    shown = {name: value for name, value in values.items() if name in SHORT or name[:5] == "loss/"}
    names = SHORT
    if shown.keys() & LOGITS:
        pair = getattr(session.trainer.recipe, "loss_pair", None)
        names = SHORT | LOGITS if pair is not None and not pair.probabilities else SHORT
    text = " ".join(f"{names.get(name, name[5:])} {value:.2f}" for name, value in shown.items())
    line = session.log.lines[-1] if session.log.lines else {}
    if line.keys() >= {"modes/reached", "modes/all"}:  # a log may have been edited
        text += f" modes {line['modes/reached']:.0f} of {line['modes/all']:.0f}"
    return text


def _stopped(session: Session, alarm: Alarm) -> str:
    at, word = session.trainer.clock.images, quote(str(session.run))
    return (
        f"training stopped at {at:,} images: {alarm.name}: {alarm.evidence}; all is saved: "
        f"`figment doctor {word}` says what to do, `figment sample {word}` draws from the best weights"
    )


def _not_finite(session: Session, error: NotFinite) -> str:
    at = session.trainer.clock.images
    saved = saved_clock(session.run / "state").images
    kept = f"the last good state, at {saved:,}, is kept" if saved else "nothing had been saved yet"
    rates = [
        f"--{name.replace('_', '-')}"
        for name in fields_of(session.trainer.recipe)
        if name.endswith("lr")
    ]
    named = f" ({', '.join(rates)})" if rates else ""
    return (
        f"training stopped at {at:,} images: {error}; {kept}: "
        f"train again with lower learning rates{named}"
    )
