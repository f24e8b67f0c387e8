"""What a training will cost in time and memory, found by playing a few rounds of it."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar, cast

import torch

from figment import mesh
from figment.data import Dataset
from figment.errors import UserError
from figment.rounds import ENOUGH_ROUNDS, Playable
from figment.training.contract import lazy_of, stages_of
from figment.training.devices import peak_memory
from figment.training.memory import free, in_smaller_parts, is_full, too_large
from figment.training.pace import Pace, pace_of
from figment.training.trainer import NotFinite, Trainer
from figment.units import duration, round_off

R = TypeVar("R", bound=Playable)

TRIALS = 0.1
"""Share of a time budget that may be spent on finding the form: on a busy machine a round can take long."""


TRIES = 3
"""Times that a form is measured which seems too slow: a test beside it made one of 1,000 images a second
seem one of 20."""


class Cost(NamedTuple, Generic[R]):
    """What a recipe costs on this machine."""

    recipe: R
    images_per_second: float
    """Over the whole of its planned length."""
    memory_gib: float
    images_per_round: float
    seconds_per_image: tuple[float, ...] = ()
    """From each of ``Playable.stages`` on, as far as its length goes."""

    def pace(self, recipe: Playable) -> Pace:
        """Return the pace of the recipe at any length."""
        return pace_of(recipe.stages(), self.seconds_per_image or (1 / self.images_per_second,))

    def over(self, recipe: R) -> Cost[R]:
        """Return what it costs at another length."""
        seconds = self.pace(recipe).seconds(recipe.images)
        return self._replace(recipe=recipe, images_per_second=recipe.images / seconds)

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

    At each of its stages, and what only some rounds have in its share of them; memory is that of the
    dearest stage. After ``most`` seconds no round is played that is like one before. Where memory does not
    hold its batches they go through in micro-batches, halved until it does. Raises UserError where that
    does not help.
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
    end = time.perf_counter() + most
    trainer, each, images = Trainer(recipe, dataset, device), [], 0.0
    for start in stages_of(recipe):
        if start < recipe.images:
            trainer.clock = trainer.clock._replace(images=start)
            seconds, images = _mean_round(trainer, rounds, end)
            each.append(seconds / images)
    known = cast("tuple[float, ...]", mesh.first(tuple(each)))
    return Cost(recipe, 1.0, peak_memory(device), images, known).over(recipe)


def _mean_round(trainer: Trainer, rounds: int, end: float) -> tuple[float, float]:
    """Return the seconds and the images of a round, as they are in the mean from here on.

    Seconds of rounds in which nothing lazy is due, and for each lazy thing its share of what it adds.
    """
    lazy = lazy_of(trainer.recipe)
    everything = math.lcm(*lazy) if trainer.clock.rounds else 0
    _seconds(trainer, everything)  # a first round also allocates and chooses kernels
    before, plain = trainer.clock.images, [_seconds(trainer, 1)]
    while len(plain) < rounds and not mesh.first(time.perf_counter() > end):
        plain.append(_seconds(trainer, 1))
    images = (trainer.clock.images - before) / len(plain)
    mean, added = sum(plain) / len(plain), dict[int, float]()
    for every in lazy:
        due = sum(seconds for other, seconds in added.items() if every % other == 0)
        added[every] = max(0.0, _seconds(trainer, every) - mean - due)
    return mean + sum(seconds / every for every, seconds in added.items()), images


def _seconds(trainer: Trainer, number: int) -> float:
    """Return the seconds of the next round, played as the one of that number."""
    trainer.clock = trainer.clock._replace(rounds=number)
    start = time.perf_counter()
    trainer.round()
    if trainer.device.type == "cuda":
        torch.cuda.synchronize(trainer.device)
    return time.perf_counter() - start


def affordable(
    forms: Sequence[R], dataset: Dataset, device: torch.device, deadline: float
) -> Cost[R]:
    """Return the dearest of ever cheaper forms that gets its rounds before the deadline, or the last.

    ``deadline`` is on ``time.perf_counter()``'s clock; the time that measuring takes counts. It climbs
    from the cheapest form, so that little is spent on forms that are far too dear, and no more than TRIALS.
    One that seems too slow is measured again: something else may have had the processor.
    """
    start = time.perf_counter()
    allowed = TRIALS * (deadline - start)

    def spent() -> float:
        return time.perf_counter() - start

    def over() -> bool:  # the next one takes about as long as all before it
        return bool(mesh.first(2 * spent() > allowed))

    def enough(cost: Cost[R]) -> bool:
        rounds = cost.rounds(deadline - time.perf_counter())
        return bool(mesh.first(rounds >= cost.recipe.rounds_wanted()))

    def quickest(form: R) -> Cost[R]:
        tried: list[Cost[R]] = []
        while not tried or (len(tried) < TRIES and not enough(tried[-1]) and not over()):
            tried.append(measure(form, dataset, device, most=allowed - spent()))
        return max(tried, key=lambda cost: cost.images_per_second)

    best = quickest(forms[-1])
    for form in reversed(forms[:-1]):
        if over():
            break
        try:
            cost = quickest(form)
        except UserError:  # too large for the memory
            break
        # memory may hold it in parts only
        if cost.recipe.micro_batch != form.micro_batch or not enough(cost):
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
        left = not recipe.classed and len(dataset.classes) > 1
        aside = [f"its {len(dataset.classes)} classes not learned"] if left else []
        ways = ", ".join([f"{size} {colour}", *recipe.describe(), *aside])
        data = f"{dataset.name} ({len(dataset):,} pictures, {ways})"
    width = getattr(recipe, "width", None)
    form = f"width {width}, " if width else ""
    parts = f" in parts of {recipe.micro_batch}" if recipe.micro_batch else ""
    how = f"{recipe.precision}, compiled" if recipe.compile else recipe.precision
    left = max(0.0, seconds or 0.0)
    images = int(left * cost.images_per_second) if end is None else end
    rounds = math.ceil(images / cost.images_per_round)
    if end is None and images < cost.images_per_round:
        length = "getting ready has taken the time, and none is left for a round"
    elif end is None:
        length = (
            f"about {round_off(images):,} images ({round_off(rounds):,} rounds) in {duration(left)}"
        )
    else:
        played = f"{rounds:,} round{'s' * (rounds != 1)}"
        length = f"{images:,} images ({played}), about {duration(images / cost.images_per_second)}"
    return (
        f"{name} on {data}: {form}batch {recipe.batch}{parts}, {how}; {length} at "
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
