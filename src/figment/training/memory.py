"""When memory runs out: the same training in smaller micro-batches, from the state saved last."""

from __future__ import annotations

import gc
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

import torch

from figment import mesh
from figment.errors import UserError
from figment.files import append_text
from figment.rounds import Playable
from figment.training import folder
from figment.training.log import Log
from figment.training.state import load_state
from figment.training.trainer import Trainer

if TYPE_CHECKING:
    from figment.training.session import Session

R = TypeVar("R", bound=Playable)

FULL = "out of memory|allocate memory|enough memory"
"""What torch says of a memory that is full, where it has no error of its own for that."""


def is_full(error: BaseException) -> bool:
    """Return whether an error says that memory does not hold what was asked of it."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and re.search(FULL, str(error)) is not None


def in_smaller_parts(recipe: R) -> R | None:
    """Return the recipe with micro-batches of half the size, or the next size that it takes; None if none.

    Of several processes one alone runs out of memory, in the middle of what all do together: none then.
    """
    now = recipe.micro_batch or recipe.batch
    for size in range(now // 2, 0, -1) if mesh.size() == 1 else ():
        if recipe.batch % size:
            continue
        smaller = replace(cast(Any, recipe), micro_batch=size)
        try:
            smaller.check()
        except UserError:  # a technique that looks at a whole batch, a norm that needs two pictures
            continue
        return smaller
    return None


def go_on_in_smaller_parts(session: Session) -> str:
    """Put the last saved state into a trainer with smaller micro-batches; return the sentence that says so.

    What was played since is played again, so that the run ends as it was planned. Raises UserError where
    the recipe has no smaller ones.
    """
    before, at = session.trainer, session.trainer.clock.images
    recipe = in_smaller_parts(before.recipe)
    if recipe is None:
        raise UserError(too_large(before.recipe))
    dataset, device, scale = before.feed.dataset, before.device, before.rate_scale
    del before, session.trainer
    free(device)
    session.trainer = trainer = Trainer(recipe, dataset, device)
    trainer.rate_scale = scale
    session.tally = load_state(session.run / "state", trainer)
    to = trainer.clock.images
    session.log.close()
    session.log = Log(session.run, images=to)
    session.monitor.back_to(to)
    folder.write_recipe(session.run, folder.read(session.run)[0], recipe)
    event = {"images": at, "event": "out of memory", "to": to, "micro_batch": recipe.micro_batch}
    append_text(session.run / folder.EVENTS, json.dumps(event) + "\n")
    return f"out of memory at {at:,} images: goes on from {to:,} in micro-batches of {recipe.micro_batch}"


def free(device: torch.device) -> None:
    """Give back what nothing holds any more."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def too_large(recipe: Playable) -> str:
    """Return the sentence for a recipe that memory does not hold."""
    return (
        f"batches of {recipe.batch} do not fit into memory: halve --batch, or --width if it has one"
    )
