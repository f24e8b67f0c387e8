"""What reaches the discriminator of the reals, beside what should: mistakes on the way are seen at once.

A recipe of one's own may scale, invert or mislabel what it is given, which shows in the samples only
after hundreds of rounds, as something else. So at every measurement its rule is tried on copies of the
networks, with pictures for fakes too: what arrives at the discriminator's door of either is compared with
what arrives of the same pictures outside the rule.
"""

from __future__ import annotations

import copy
import math
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from figment.randomness import chance_of_its_own

if TYPE_CHECKING:
    from figment.rounds import Batch
    from figment.training.trainer import Trainer

MOST, NUMBERS = 64, 2**22
"""Pictures that are looked at, and the numbers that they have at most."""
FAINT = 0.02
"""Difference, over the pictures' deviation, up to which a picture arrives as it is."""
SOME = 0.25
"""Share of the fakes that must come as they are: a rule may mix them with earlier ones."""
_EMPTY = 1e-4  # deviation below which there is nothing to compare
_EVEN = 0.01  # deviation of pictures' means below which levels are compared pixel by pixel
_LIKE = 0.9  # correlation from which one picture is another one in other levels
_HOOKS = ("reals", "turns", "draw")  # where a recipe may change pictures before or behind the rule


class Arrival(NamedTuple):
    """What the discriminator is called with."""

    images: Tensor
    """Pictures [N, C, R, R], or packs of them."""
    labels: Tensor | None
    """Their classes [N]."""


class _AtTheDoor(BaseException):
    """Carries an arrival where it is the only one that is waited for."""


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
    own could change pictures. Of figment's own systems the difference is 0, without a look. {} where the
    recipe has no discriminator, learns points, changes all pictures in its rule, or cannot be tried so.
    """
    recipe = trainer.recipe.at(trainer.clock)
    if recipe.kind != "images" or not hasattr(recipe, "discriminator_inputs"):
        return {}
    if type(recipe).__module__.startswith("figment."):
        return {"shown/difference": 0.0, "shown/whole": 1.0}
    return look(trainer)


def look(trainer: Trainer) -> dict[str, float]:
    """Return the same of any recipe, by trying its rule; nothing of the training changes by it."""
    recipe: Any = trainer.recipe.at(trainer.clock)
    found: dict[str, float] = {}
    chance = chance_of_its_own(trainer.device, "shown", recipe.seed, trainer.clock.images)
    # a look must never end a training
    with chance, trainer.autocast(), trainer.in_parts(), suppress(Exception):
        found = _looked_at(recipe, trainer)
    return {f"shown/{name}": round(x, 6) for name, x in found.items() if math.isfinite(x)}


def _looked_at(recipe: Any, trainer: Trainer) -> dict[str, float]:
    batch: Batch = trainer.feed.batch(recipe, trainer.clock)
    nets, probe = copy.deepcopy(trainer.nets), _plainly(replace(recipe))
    third = batch.images.shape[2] // 3
    # Upside down and moved: none of the reals, a flag's stripes neither, and as varied as they.
    fakes = batch.images.flip(2).roll((third, third), (2, 3))
    meant = [_plain(probe, nets, x, batch.labels) for x in (batch.images, fakes)]
    came = _rule(probe, nets, batch, fakes, trainer)
    if meant[0] is None or meant[1] is None or not came:
        return {}
    fakes_came = [_intact(one, meant[1]) >= SOME for one in came]
    known = zip(came, fakes_came, strict=True)
    reals_came = [one for one, fake in known if not fake and _fits(one, meant[0])]
    if not reals_came or not any(fakes_came):
        return {}  # what happens to all pictures is no mistake
    intact = [one for one in reals_came if _intact(one, meant[0]) == 1]
    ours = (intact or reals_came)[0]
    most = max(1, min(MOST, NUMBERS // ours.images[0].numel()))
    arrived, wanted = (x.images[:most].detach().float().cpu() for x in (ours, meant[0]))
    place = _matched(arrived, wanted)
    hooks = (getattr(type(recipe), name).__module__ for name in _HOOKS)
    found = {
        "kept": len(place.unique()) / len(place),
        "whole": float(all(module.startswith("figment.") for module in hooks)),
    }
    if recipe.conditional and len(arrived) == len(batch.labels[:most]):
        own = batch.labels[:most].cpu()[place]
        told = [one.labels for one in intact or [ours]]
        numbers = [x[:most].cpu() for x in told if x is not None and _numbers(x, recipe.classes)]
        of_classes = [_classes(x, own) for x in numbers]
        found |= max(of_classes, key=lambda one: one["classes"], default={})
    coloured = arrived.shape[1] == recipe.shape[0] == 3
    return found | _levels(arrived, wanted[place], coloured=coloured)


def _plainly(probe: Any) -> Any:
    """Return a recipe that shows pictures as they are: what it does in ``show`` it does to all of them."""
    from figment.networks.layers.packing import pack

    object.__setattr__(probe, "show", lambda _nets, images: pack(images, probe.packing))
    return probe


def _plain(probe: Any, nets: Any, images: Tensor, labels: Tensor) -> Arrival | None:
    """Return what the discriminator is called with for pictures outside the rule."""

    def stop(shown: Tensor, told: Tensor | None) -> tuple[Tensor, ...]:
        raise _AtTheDoor(shown, told)

    object.__setattr__(probe, "discriminator_inputs", stop)
    try:
        probe.examine(nets, probe.show(nets, images), labels)
    except _AtTheDoor as stopped:
        return Arrival(*stopped.args)
    return None


def _rule(probe: Any, nets: Any, batch: Batch, fakes: Tensor, trainer: Trainer) -> list[Arrival]:
    """Return all that the discriminator is called with in its rule, taken apart into batches."""
    usual, found = type(probe).discriminator_inputs, []

    def note(images: Tensor, labels: Tensor | None) -> tuple[Tensor, ...]:
        size = len(batch.images) // probe.packing
        told = [None] * len(images) if labels is None else labels.split(size)
        found.extend(Arrival(*one) for one in zip(images.split(size), told, strict=False))
        return usual(probe, images, labels)

    object.__setattr__(probe, "discriminator_inputs", note)
    with suppress(Exception):  # what has come until then is enough
        probe.discriminator_terms(nets, batch, fakes, trainer.clock)
    return found


def _fits(came: Arrival, meant: Arrival) -> bool:
    """Whether what came has the shape of what was meant to."""
    return came.images.shape == meant.images.shape


def _intact(came: Arrival, meant: Arrival) -> float:
    """Return the share of pictures that come as they are, in whatever order."""
    if not _fits(came, meant):
        return 0.0
    ours, theirs = (x.images.detach().float().cpu() for x in (came, meant))
    apart = (ours - theirs[_matched(ours, theirs)]).square().mean((1, 2, 3)).sqrt()
    return float((apart <= FAINT * max(float(theirs.std()), _EMPTY)).float().mean())


def _numbers(labels: Tensor, classes: int) -> bool:
    """Whether classes are told as one number each."""
    if labels.ndim != 1 or labels.is_floating_point() or not len(labels):
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
        found["detail"] = detail[0] / detail[1] / max(found["spread"], _EMPTY)
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
