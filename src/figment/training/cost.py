"""What a training will cost in time and memory, found by playing a few rounds of it."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

import torch

from figment import mesh
from figment.data import Dataset
from figment.errors import UserError
from figment.rounds import Playable
from figment.training.devices import peak_memory
from figment.training.memory import free, in_smaller_parts, is_full, too_large
from figment.training.trainer import NotFinite, Trainer
from figment.units import duration, round_off

R = TypeVar("R", bound=Playable)

ENOUGH_ROUNDS = 5_000
"""A time budget is spent on the largest form of a recipe that gets this many rounds out of it.

DCGAN of width 16 on cats of 64 px draws faces after 5,747 rounds (KID x 1000 2,770), where a width of 8,
with which the same 12 minutes hold 8,000 rounds, draws blotches (4,205).
"""


TRIALS = 0.1
"""Share of a time budget that may be spent on finding the form: on a busy machine a round can take long."""


class Cost(NamedTuple, Generic[R]):
    """What a recipe costs on this machine."""

    recipe: R
    images_per_second: float
    memory_gib: float
    images_per_round: float

    def rounds(self, seconds: float) -> float:
        """Return the rounds that fit into a time."""
        return seconds * self.images_per_second / self.images_per_round


def measure(
    recipe: R,
    dataset: Dataset,
    device: torch.device,
    *,
    rounds: int = 2,
    most: float = math.inf,
) -> Cost[R]:
    """Return what a recipe costs, measured: a trainer made for it alone plays a few rounds.

    After ``most`` seconds no further round is begun. Where memory does not hold its batches they go through
    in micro-batches, halved until it does. Raises UserError where that does not help.
    """
    try:
        return _measured(recipe, dataset, device, rounds, most)
    except NotFinite as error:
        raise UserError(
            f"the first rounds already fail: {error}: lower the learning rates"
        ) from None
    except Exception as error:
        if not is_full(error):
            raise
    free(device)  # not within the except clause: the traceback holds on to what is to go
    smaller = in_smaller_parts(recipe)
    if smaller is None:
        raise UserError(too_large(recipe))
    return measure(smaller, dataset, device, rounds=rounds, most=most)


def _measured(
    recipe: R, dataset: Dataset, device: torch.device, rounds: int, most: float
) -> Cost[R]:
    begun, rounds_played = time.perf_counter(), 0
    trainer = Trainer(recipe, dataset, device)
    trainer.round()  # the first one also allocates and chooses kernels
    before, start = trainer.clock.images, time.perf_counter()
    for _ in range(rounds):
        trainer.round()
        rounds_played += 1
        if mesh.first(time.perf_counter() - begun > most):
            break
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    seconds = time.perf_counter() - start
    images = trainer.clock.images - before
    rate = float(mesh.first(images / seconds))  # ty: ignore[invalid-argument-type]
    return Cost(recipe, rate, peak_memory(device), images / rounds_played)


def affordable(
    forms: Sequence[R], dataset: Dataset, device: torch.device, deadline: float
) -> Cost[R]:
    """Return the dearest of ever cheaper forms that gets ENOUGH_ROUNDS before the deadline, or the last.

    ``deadline`` is on ``time.perf_counter()``'s clock; the time that measuring takes counts. It climbs
    from the cheapest form, so that little is spent on forms that are far too dear, and no more than TRIALS.
    """
    start = time.perf_counter()
    allowed = TRIALS * (deadline - start)
    best = measure(forms[-1], dataset, device, most=allowed)
    for form in reversed(forms[:-1]):
        spent = time.perf_counter() - start
        if mesh.first(2 * spent > allowed):  # the next form takes about as long as all before it
            break
        try:
            cost = measure(form, dataset, device, most=allowed - spent)
        except UserError:  # too large for the memory
            break
        if cost.recipe.micro_batch != form.micro_batch:  # memory holds it in parts only
            break
        if not mesh.first(cost.rounds(deadline - time.perf_counter()) >= ENOUGH_ROUNDS):
            break
        best = cost
    return best


def sentence(
    name: str, cost: Cost, dataset: Dataset, *, end: int | None, seconds: float | None
) -> str:
    """Return the plan in one line: what, on what, how long, how much memory; a second if it is too short.

    ``end`` are the images planned; None where the ``seconds`` that are left for learning decide.
    """
    recipe = cost.recipe
    if recipe.kind == "points":
        data = f"{dataset.name} ({len(dataset):,} points)"
    else:
        colour = "grey" if recipe.channels == 1 else "colour"
        size = f"{recipe.resolution}×{recipe.resolution}"
        ways = ", ".join([f"{size} {colour}", *recipe.describe()])
        data = f"{dataset.name} ({len(dataset):,} pictures, {ways})"
    width = getattr(recipe, "width", None)
    form = f"width {width}, " if width else ""
    parts = f" in parts of {recipe.micro_batch}" if recipe.micro_batch else ""
    left = max(0.0, seconds or 0.0)
    images = int(left * cost.images_per_second) if end is None else end
    rounds = math.ceil(images / cost.images_per_round)
    if end is None:
        length = (
            f"about {round_off(images):,} images ({round_off(rounds):,} rounds) in {duration(left)}"
        )
    else:
        length = f"{images:,} images ({rounds:,} rounds), about {duration(images / cost.images_per_second)}"
    return (
        f"{name} on {data}: {form}batch {recipe.batch}{parts}, {recipe.precision}; {length} at "
        f"{_rate(cost.images_per_second)}; {cost.memory_gib:.1f} GiB of memory"
        + too_short(recipe, rounds, cost.images_per_second, cost.images_per_round)
    )


def too_short(recipe: Playable, rounds: float, speed: float, images_per_round: float) -> str:
    """Return a line for a length that pictures take shape in at no system measured, or nothing."""
    if recipe.kind == "points" or rounds >= ENOUGH_ROUNDS:
        return ""
    images = math.ceil(ENOUGH_ROUNDS * images_per_round)
    return (
        f"\ntoo short to learn shapes: that takes about {ENOUGH_ROUNDS:,} rounds, {images:,} images, "
        f"{duration(images / speed)} at {_rate(speed)}"
    )


def _rate(images_per_second: float) -> str:
    return f"{images_per_second:,.{0 if images_per_second >= 10 else 1}f} images/s"
