"""What reaches the discriminator of the reals, beside what should: mistakes on the way are seen at once.

A recipe of one's own may scale, invert or mislabel what it is given, which shows in the samples only
after hundreds of rounds, as something else. So at every measurement a batch of reals is sent on its way
to the discriminator twice, in the rule that it learns by and plainly, and stopped at its door both times.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from figment.randomness import seed_of

if TYPE_CHECKING:
    from figment.rounds import Batch
    from figment.training.trainer import Trainer

MOST, NUMBERS = 64, 2**22
"""Pictures that are looked at, and the numbers that they have at most."""
_EMPTY = 1e-4  # deviation below which there is nothing to compare
_EVEN = 0.01  # deviation of pictures' means below which levels are compared pixel by pixel
_LIKE = 0.9  # correlation from which one picture is another one in other levels
_NO_PICTURE = 0.1234  # what stands for fakes, to be told from reals of any one value
_HOOKS = ("reals", "turns", "draw")  # where a recipe may change pictures before or behind the rule


class _AtTheDoor(BaseException):
    """Carries what the discriminator was to be called with: pictures and classes."""


class Arrival(NamedTuple):
    """What the discriminator was to be called with."""

    images: Tensor
    """Pictures [N, C, R, R], or packs of them."""
    labels: Tensor | None
    """Their classes [N]."""


def shown(trainer: Trainer) -> dict[str, float]:
    """Return how what the discriminator is shown of reals stands to them, as columns of the log.

    "shown/difference": root mean square difference, over the reals' deviation, 0 where all is well;
    "shown/scale" and "shown/shift": the reals times the first plus the second, of values in [-1, 1], are
    what is shown, 1 and 0; of colours "shown/saturation", over the reals', 1, and "shown/channels", 1 where
    they come in another order; "shown/likeness", the correlation of what is shown with them, of pictures
    among each other and within, and "shown/structure", of pixels within a picture, both 1;
    "shown/spread", the deviation, and "shown/detail", steps between pixels, over the reals', 1;
    "shown/kept", the share of different pictures of the batch that come at all, 1; of classes
    "shown/classes", the share of pictures that are told with their own, and "shown/classes_as_one", how far
    all pictures of a class are told with the same one. "shown/whole": 1 where nothing else of the recipe's
    own could change pictures. {} where the recipe has no discriminator, learns points, or is fed by other
    ways than ``discriminator_inputs``, and where the rule cannot be tried so.
    """
    clock, recipe = trainer.clock, trainer.recipe.at(trainer.clock)
    if recipe.kind != "images" or not hasattr(recipe, "discriminator_inputs"):
        return {}
    buffers = [(buffer, buffer.clone()) for buffer in trainer.nets.buffers()]
    devices = [trainer.device] if trainer.device.type == "cuda" else []
    found: dict[str, float] = {}
    try:
        with (
            torch.random.fork_rng(devices),
            torch.no_grad(),
            trainer.autocast(),
            trainer.in_parts(),
        ):
            torch.manual_seed(seed_of("shown", recipe.seed, clock.images))
            with suppress(Exception):  # a look must never end a training
                found = _looked_at(recipe, trainer, trainer.feed.batch(recipe, clock))
    finally:
        for buffer, before in buffers:
            buffer.copy_(before)
    return {f"shown/{name}": round(x, 6) for name, x in found.items() if math.isfinite(x)}


def _looked_at(recipe: Any, trainer: Trainer, batch: Batch) -> dict[str, float]:
    nets, images, labels = trainer.nets, batch.images, batch.labels
    fakes = torch.full_like(images, _NO_PICTURE)
    probe = _reseeded(replace(recipe))
    plainly = [
        _stopped(probe, lambda x=x: probe.examine(nets, probe.show(nets, x), labels), None)
        for x in (images, fakes)
    ]
    meant, of_fakes = plainly
    if meant is None or of_fakes is None:
        return {}
    rule = lambda: probe.discriminator_terms(nets, batch, fakes, trainer.clock)  # noqa: E731
    came = _stopped(probe, rule, of_fakes.images)
    if came is None or came.images.shape != meant.images.shape:
        return {}
    most = max(1, min(MOST, NUMBERS // came.images[0].numel()))
    ours, theirs = (x.images[:most].float().cpu() for x in (came, meant))
    place = _matched(ours, theirs)
    hooks = (getattr(type(recipe), name).__module__ for name in _HOOKS)
    found = {
        "kept": len(place.unique()) / len(place),
        "whole": float(all(module.startswith("figment.") for module in hooks)),
    }
    if (
        recipe.conditional
        and _numbers(came.labels, recipe.classes)
        and len(came.images) == len(labels)
    ):
        assert came.labels is not None
        found |= _classes(came.labels[:most].cpu(), labels[:most].cpu()[place])
    return found | _levels(ours, theirs[place], coloured=ours.shape[1] == recipe.shape[0] == 3)


def _reseeded(probe: Any) -> Any:
    """Return a recipe that shows pictures in the same way whatever was drawn before."""
    usual, seed = probe.show, torch.initial_seed()

    def show(nets: Any, images: Tensor) -> Tensor:
        torch.manual_seed(seed)
        return usual(nets, images)

    object.__setattr__(probe, "show", show)
    return probe


def _stopped(probe: Any, play: Callable[[], object], fakes: Tensor | None) -> Arrival | None:
    """Return what the discriminator is called with first for anything but ``fakes``; None if it is not."""
    usual = type(probe).discriminator_inputs

    def stop(images: Tensor, labels: Tensor | None) -> tuple[Tensor, ...]:
        if fakes is not None and _same(images, fakes):
            return usual(probe, images, labels)
        raise _AtTheDoor(images, labels)

    object.__setattr__(probe, "discriminator_inputs", stop)
    try:
        play()
    except _AtTheDoor as stopped:
        return Arrival(*stopped.args)
    return None


def _same(images: Tensor, fakes: Tensor) -> bool:
    """Whether what comes is what stands for fakes, rounded perhaps."""
    return images.shape == fakes.shape and float((images - fakes).abs().max()) < 0.01


def _numbers(labels: Tensor | None, classes: int) -> bool:
    """Whether classes are told as one number each."""
    if labels is None or labels.ndim != 1 or labels.is_floating_point():
        return False
    return int(labels.min()) >= 0 and int(labels.max()) < classes


def _matched(came: Tensor, meant: Tensor) -> Tensor:
    """Return which of the meant pictures [N] each that came is most like; in doubt its own."""
    ours, theirs = _unit(came), _unit(meant)
    likeness = (ours @ theirs.T).abs()
    best = likeness.max(1)
    own = likeness.diagonal()
    return torch.where((own < _LIKE) & (best.values > _LIKE), best.indices, torch.arange(len(came)))


def _unit(images: Tensor) -> Tensor:
    rows = images.mean(1).flatten(1)  # brightness: channels may be in another order
    rows = rows - rows.mean(1, keepdim=True)
    return rows / rows.norm(dim=1, keepdim=True).clamp(min=_EMPTY)


def _levels(came: Tensor, meant: Tensor, *, coloured: bool) -> dict[str, float]:
    """Return how pictures [N, C, R, R] that came differ from those that were meant to."""
    ours, theirs = came.mean((1, 2, 3)), meant.mean((1, 2, 3))  # neither blur nor grey is a scale
    if float(theirs.std(correction=0)) < _EVEN:
        ours, theirs = came, meant
    centred = theirs - theirs.mean()
    scale = float((centred * ours).mean() / centred.square().mean().clamp(min=_EMPTY**2))
    found = {
        "difference": float((came - meant).square().mean().sqrt())
        / max(float(meant.std()), _EMPTY),
        "scale": scale,
        "shift": float(came.mean()) - scale * float(meant.mean()),
        "likeness": _likeness(came - came.mean(), meant - meant.mean()),
        "structure": _likeness(*(x - x.mean((1, 2, 3), keepdim=True) for x in (came, meant))),
        "spread": float(came.std()) / max(float(meant.std()), _EMPTY),
    }
    detail = [float(x.diff(dim=3).abs().mean()) for x in (came, meant)]
    if detail[1] > _EMPTY:
        found["detail"] = detail[0] / detail[1] / max(abs(scale), _EMPTY)
    if coloured:
        colour = [float((x - x.mean(1, keepdim=True)).std()) for x in (came, meant)]
        if colour[1] > _EMPTY:
            found["saturation"] = colour[0] / colour[1]
        orders = [float((came[:, order] - meant).square().mean()) for order in _ORDERS]
        found["channels"] = float(min(orders) < 0.5 * orders[0])
    return found


def _likeness(came: Tensor, meant: Tensor) -> float:
    """Return how far the brightness of pictures, less its mean, is in proportion: 1 wholly, 0 not."""
    ours, theirs = (x.mean(1).flatten() for x in (came, meant))
    return abs(float(ours @ theirs)) / max(float(ours.norm() * theirs.norm()), _EMPTY)


_ORDERS = ([0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1], [0, 2, 1], [1, 0, 2])


def _classes(told: Tensor, own: Tensor) -> dict[str, float]:
    """Return how the classes [N] that pictures are told with stand to their own."""
    counts = [int(told[own == k].bincount().max()) for k in own.unique()]
    same = float((told == own).float().mean())
    return {"classes": same, "classes_as_one": sum(counts) / len(own)}
