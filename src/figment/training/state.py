"""State: everything that an exact resume needs, in one file without code.

``state/latest.safetensors`` holds the networks with all their buffers, the average, and the optimisers'
moments; its metadata hold the clock and the open tick's sums. There is nothing else: data order,
latents and dropout are functions of the seed and the clock.
"""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from shlex import quote
from typing import Any

import torch
from torch import Tensor

from figment.errors import UserError
from figment.networks.layers.calibration import fitted_elsewhere, keep_fitted
from figment.records import Unreadable, number
from figment.rounds import Clock
from figment.tensors import read_note, read_shapes, read_tensors, write_tensors
from figment.training.folder import BEST, read_seconds, refuse_link, weights_of
from figment.training.log import Tally, read_log
from figment.training.trainer import Trainer

LATEST = "latest.safetensors"
LONG = 600.0
"""Seconds of training after which a state must have been there: it is saved about every minute."""
HEALTHY = "healthy.safetensors"
"""The state that a rollback returns to."""

NONSENSE = (KeyError, TypeError, ValueError, AttributeError, OverflowError)
"""What Python raises for a note that says something else than it must."""


def save_state(folder: Path, trainer: Trainer, tally: Tally) -> None:
    """Write the state, keeping the one before it as ``previous.safetensors``."""
    latest, previous = folder / LATEST, folder / "previous.safetensors"
    _write(latest, trainer, tally, before=lambda: _keep(latest, previous))


def save_healthy(folder: Path, trainer: Trainer, tally: Tally) -> None:
    """Write the state as the one that a rollback returns to."""
    _write(folder / HEALTHY, trainer, tally)


def load_state(folder: Path, trainer: Trainer, name: str = LATEST) -> Tally:
    """Put a saved state into the trainer and return the open tick; a fresh one if nothing was saved.

    Raises UserError when the file is damaged or belongs to another recipe.
    """
    latest = folder / name
    if not latest.exists():
        return Tally()
    try:
        shapes = read_shapes(latest)
        _prime(trainer, shapes)
        mine = _tensors(trainer)
        if shapes != {name: tuple(tensor.shape) for name, tensor in mine.items()}:
            raise UserError(
                f"{latest} belongs to another recipe than the recipe.json beside it: bring back the one "
                "that it was trained with"
            )
        saved, note = read_tensors(latest)
        clock, tally = _clock(note), Tally.from_json(note["tally"])
        scale = float(note.get("rate_scale", note.get("pace", 1.0)))  # "pace": before 0.2
        if not 0 < scale < math.inf:
            raise ValueError("the scale of its learning rates is none")
        fitted = {str(name) for name in note.get("fitted", [])}
    except (OSError, Unreadable, *NONSENSE) as error:
        raise UserError(_damaged(latest, error)) from None
    with torch.no_grad():
        for name, tensor in mine.items():
            tensor.copy_(saved[name])
    trainer.clock, trainer.rate_scale = clock, scale
    keep_fitted(trainer.nets, fitted)
    return tally


def saved_clock(folder: Path) -> Clock:
    """Return where the saved state is; the start if nothing was saved. Raises UserError if damaged."""
    latest = folder / LATEST
    if not latest.exists():
        return Clock()
    try:
        return _clock(read_note(latest))
    except (OSError, Unreadable, *NONSENSE) as error:
        raise UserError(_damaged(latest, error)) from None


def refuse_lost(run: Path, ended: bool) -> None:
    """Raise UserError where a run has lost its saved state: to begin again would cost log, scores, weights.

    ``ended``: it has come to an end once. A run that was stopped before its first save has lost nothing.
    """
    latest = run / "state" / LATEST
    if latest.exists():
        return
    last = (read_log(run) or [{}])[-1]
    images, seconds = (number(last.get(name)) or 0 for name in ("images", "seconds"))
    saved = ended or seconds > LONG or read_seconds(run) > 0
    if saved and (images or (run / BEST).exists()):
        far = f", and the run had come to {images:,.0f} images" if images else ""
        raise UserError(f"{latest} is gone{far}: {_cure(latest)}")


def _clock(note: dict[str, Any]) -> Clock:
    clock = Clock(**note["clock"])
    if not all(type(number) is int and 0 <= number < 2**53 for number in clock):
        raise ValueError("its clock is none")
    return clock


def _write(
    path: Path, trainer: Trainer, tally: Tally, before: Callable[[], None] = lambda: None
) -> None:
    refuse_link(path.parent)
    note = {
        "clock": trainer.clock._asdict(),
        "tally": tally.to_json(),
        "rate_scale": trainer.rate_scale,
        "fitted": fitted_elsewhere(trainer.nets),
    }
    write_tensors(path, _tensors(trainer), note, before)


def _tensors(trainer: Trainer) -> dict[str, Tensor]:
    named = {f"nets.{name}": tensor for name, tensor in trainer.nets.state_dict().items()}
    for player, optimizer in trainer.optimizers.items():
        for place, moments in optimizer.state_dict()["state"].items():
            for key, value in moments.items():
                if isinstance(value, Tensor):
                    named[f"optimizers.{player}.{place}.{key}"] = value
    return named


def _prime(trainer: Trainer, names: Iterable[str]) -> None:
    """Make the optimisers allocate the moments that the file has: steps that loading undoes.

    A player that has always waited (``balance``) has none yet, nor have layers that are still to come.
    """
    begun = {tuple(name.split(".")[1:3]) for name in names if name.startswith("optimizers.")}
    for player, optimizer in trainer.optimizers.items():
        optimizer.state.clear()
        weights = trainer.weights(player)
        moving = [
            weights[number] for number in range(len(weights)) if (player, str(number)) in begun
        ]
        if not moving:
            continue
        for weight in moving:
            weight.grad = torch.zeros_like(weight)
        optimizer.step()
        optimizer.zero_grad()


def _keep(latest: Path, previous: Path) -> None:
    """Give the file that is about to be replaced a second name; ``latest`` exists at every moment."""
    if latest.exists():
        previous.unlink(missing_ok=True)
        try:
            os.link(latest, previous)
        except OSError:  # a file system without links
            shutil.copyfile(latest, previous)


def _damaged(latest: Path, error: Exception) -> str:
    missing = isinstance(error, KeyError)
    reason = f"it lacks {error}" if missing else f"{error}\n".splitlines()[0]
    return f"{latest} is damaged ({reason}): {_cure(latest)}"


def _cure(latest: Path) -> str:
    """Return what to do about a state that cannot be gone on from."""
    previous, run = latest.with_name("previous.safetensors"), latest.parent.parent
    if latest.name == LATEST and previous.exists():
        return f"go on from the save before it with mv {quote(str(previous))} {quote(str(latest))}"
    try:
        how = f"--from {quote(str(weights_of(run)))}"
    except UserError:  # there are none yet
        how = f"--recipe {quote(str(run / 'recipe.json'))}"
    return f"bring back a copy; or begin a new run with figment train DATA {how}"
