"""State: everything that an exact resume needs, in one file without code.

``state/latest.safetensors`` holds the networks with all their buffers, the average, and the optimisers'
moments; its metadata hold the clock and the open tick's sums. There is nothing else: data order,
latents and dropout are functions of the seed and the clock.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from torch import Tensor

from figment.errors import UserError
from figment.files import write_tensors
from figment.rounds import Clock
from figment.training.log import Tally
from figment.training.trainer import Trainer

HEALTHY = "healthy.safetensors"
"""The state that a rollback returns to."""


def save_state(folder: Path, trainer: Trainer, tally: Tally) -> None:
    """Write the state, keeping the one before it as ``previous.safetensors``."""
    latest, previous = folder / "latest.safetensors", folder / "previous.safetensors"
    _write(latest, trainer, tally, before=lambda: _keep(latest, previous))


def save_healthy(folder: Path, trainer: Trainer, tally: Tally) -> None:
    """Write the state as the one that a rollback returns to."""
    _write(folder / HEALTHY, trainer, tally)


def load_state(folder: Path, trainer: Trainer, name: str = "latest.safetensors") -> Tally:
    """Put a saved state into the trainer and return the open tick; a fresh one if nothing was saved.

    Raises UserError when the file is damaged or belongs to another recipe.
    """
    from safetensors import safe_open

    latest = folder / name
    if not latest.exists():
        return Tally()
    try:
        with safe_open(latest, framework="pt") as file:
            note = json.loads(file.metadata()["figment"])
            _prime(trainer, file.keys())
            mine = _tensors(trainer)
            if set(file.keys()) != set(mine):
                raise UserError(f"{latest} belongs to another recipe than the one beside it")
            with torch.no_grad():
                for name, tensor in mine.items():
                    tensor.copy_(file.get_tensor(name))
    except UserError:
        raise
    except Exception as error:  # safetensors raises several kinds for damaged files
        reason = f"{error}\n".splitlines()[0]
        raise UserError(_damaged(latest, reason)) from None
    trainer.clock = Clock(**note["clock"])
    trainer.rate_scale = note.get("rate_scale", note.get("pace", 1.0))  # "pace": before 0.2
    return Tally.from_json(note["tally"])


def saved_clock(folder: Path) -> Clock:
    """Return where the saved state is; the start if nothing was saved. Raises UserError if damaged."""
    from safetensors import safe_open

    latest = folder / "latest.safetensors"
    if not latest.exists():
        return Clock()
    try:
        with safe_open(latest, framework="pt") as file:
            return Clock(**json.loads(file.metadata()["figment"])["clock"])
    except Exception as error:  # safetensors raises several kinds for damaged files
        raise UserError(_damaged(latest, f"{error}\n".splitlines()[0])) from None


def _write(
    path: Path, trainer: Trainer, tally: Tally, before: Callable[[], None] = lambda: None
) -> None:
    note = {
        "clock": trainer.clock._asdict(),
        "tally": tally.to_json(),
        "rate_scale": trainer.rate_scale,
    }
    tensors = {name: tensor.contiguous() for name, tensor in _tensors(trainer).items()}
    write_tensors(path, tensors, {"figment": json.dumps(note)}, before)


def _tensors(trainer: Trainer) -> dict[str, Tensor]:
    named = {f"nets.{name}": tensor for name, tensor in trainer.nets.state_dict().items()}
    for player, optimizer in trainer.optimizers.items():
        for number, moments in optimizer.state_dict()["state"].items():
            for key, value in moments.items():
                if isinstance(value, Tensor):
                    named[f"optimizers.{player}.{number}.{key}"] = value
    return named


def _prime(trainer: Trainer, names: Iterable[str]) -> None:
    """Make the optimisers that have moments in the file allocate them: steps that loading undoes.

    A player that has always waited (``balance``) has none yet.
    """
    begun = {name.split(".")[1] for name in names if name.startswith("optimizers.")}
    for player, optimizer in trainer.optimizers.items():
        optimizer.state.clear()
        if player not in begun:
            continue
        for group in optimizer.param_groups:
            for weight in group["params"]:
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


def _damaged(latest: Path, reason: str) -> str:
    previous = latest.with_name("previous.safetensors")
    if previous.exists():
        return f"{latest} is damaged ({reason}): go on from the save before it with mv {previous} {latest}"
    return f"{latest} is damaged ({reason}): delete it to start this run again from its recipe"
