"""What reaches the discriminator, beside the reals that were loaded: mistakes on the way are seen at once.

A recipe of one's own may scale, invert or mislabel what it is given, which shows in the samples only
after hundreds of rounds, as something else. So at every measurement a batch of reals is sent on its way
to the discriminator, and stopped at its door.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from figment.randomness import seed_of

if TYPE_CHECKING:
    from figment.rounds import Batch, Clock, Playable
    from figment.training.trainer import Trainer

MOST = 64
"""Pictures that are looked at."""
_EMPTY = 1e-4  # deviation below which there is nothing to compare
_EVEN = 0.01  # deviation of pictures' means below which levels are compared pixel by pixel
_LIKE = 0.9  # correlation from which one picture is another one in other levels
_NO_PICTURE = 0.1234  # what stands for fakes, to be told from reals of any one value


class _AtTheDoor(Exception):
    """Carries what the discriminator was to be called with: pictures and classes."""


@torch.no_grad()
def shown(trainer: Trainer) -> dict[str, float]:
    """Return how what the discriminator is shown of reals stands to them, as columns of the log.

    "shown/difference": root mean square difference, over the reals' deviation, 0 where all is well;
    "shown/scale" and "shown/shift": the reals times the first plus the second, of values in [-1, 1], are
    what is shown, 1 and 0; of colours "shown/saturation", over the reals', 1, and "shown/channels", 1 where
    they come in another order; "shown/detail", differences of neighbouring pixels, over the reals', 1;
    "shown/kept", the share of different pictures of the batch that come at all, 1; of classes
    "shown/classes", the share of pictures that are told with their own, and "shown/classes_as_one", how far
    all pictures of a class are told with the same one. {} where the recipe has no discriminator, learns
    points, or is fed by other ways than ``discriminator_inputs``.
    """
    clock, recipe = trainer.clock, trainer.recipe.at(trainer.clock)
    if recipe.kind != "images" or not hasattr(recipe, "discriminator_inputs"):
        return {}
    buffers = [(buffer, buffer.clone()) for buffer in trainer.nets.buffers()]
    devices = [trainer.device] if trainer.device.type == "cuda" else []
    try:
        with torch.random.fork_rng(devices):
            return _compared(recipe, trainer.nets, trainer.feed.batch(recipe, clock), clock)
    finally:
        for buffer, before in buffers:
            buffer.copy_(before)


def _compared(recipe: Any, nets: nn.ModuleDict, batch: Batch, clock: Clock) -> dict[str, float]:
    fakes = torch.full_like(batch.images, _NO_PICTURE)
    seed = seed_of("shown", recipe.seed, clock.images)
    torch.manual_seed(seed)
    meant, of_fakes = recipe.show(nets, batch.images), recipe.show(nets, fakes)
    torch.manual_seed(seed)
    stopped = _stopped(recipe, nets, batch, fakes, clock, of_fakes)
    if stopped is None or stopped[0].shape != meant.shape:
        return {}
    came, labels = (None if part is None else part[:MOST] for part in stopped)
    assert came is not None
    meant, own = meant[:MOST].float(), batch.labels[:MOST]
    place = _matched(came.float(), meant)
    found = {"shown/kept": round(len(place.unique()) / len(place), 6)}
    if labels is not None and recipe.class_count() > 1:
        found |= _classes(labels, own[place])
    return found | _levels(came.float(), meant[place])


def _stopped(
    recipe: Playable,
    nets: nn.ModuleDict,
    batch: Batch,
    fakes: Tensor,
    clock: Clock,
    of_fakes: Tensor,
) -> tuple[Tensor, Tensor | None] | None:
    """Return the pictures and classes with which the discriminator is called first for reals, or None."""
    probe: Any = replace(recipe)  # ty: ignore[invalid-argument-type]
    usual = probe.discriminator_inputs

    def stop(images: Tensor, labels: Tensor | None) -> tuple[Tensor, ...]:
        if images.shape == of_fakes.shape and torch.equal(images, of_fakes):
            return usual(images, labels)
        raise _AtTheDoor(images, labels)

    object.__setattr__(probe, "discriminator_inputs", stop)
    try:
        probe.discriminator_terms(nets, batch, fakes, clock)
    except _AtTheDoor as stopped:
        images, labels = stopped.args
        return images, labels
    return None


def _matched(came: Tensor, meant: Tensor) -> Tensor:
    """Return which of the meant pictures [N] each that came is most like; in doubt its own."""
    ours, theirs = _unit(came), _unit(meant)
    likeness = (ours @ theirs.T).abs()
    best = likeness.max(1)
    own = likeness.diagonal()
    numbers = torch.arange(len(came), device=came.device)
    return torch.where((own < _LIKE) & (best.values > _LIKE), best.indices, numbers)


def _unit(images: Tensor) -> Tensor:
    rows = images.mean(1).flatten(1)  # brightness: channels may be in another order
    rows = rows - rows.mean(1, keepdim=True)
    return rows / rows.norm(dim=1, keepdim=True).clamp(min=_EMPTY)


def _levels(came: Tensor, meant: Tensor) -> dict[str, float]:
    """Return how pictures [N, C, R, R] that came differ from those that were meant to."""
    spread = max(float(meant.std()), _EMPTY)
    ours, theirs = came.mean((1, 2, 3)), meant.mean((1, 2, 3))  # neither blur nor grey is a scale
    if float(theirs.std(correction=0)) < _EVEN:
        ours, theirs = came, meant
    centred = theirs - theirs.mean()
    scale = float((centred * ours).mean() / centred.square().mean().clamp(min=_EMPTY**2))
    found = {
        "difference": float((came - meant).square().mean().sqrt()) / spread,
        "scale": scale,
        "shift": float(came.mean()) - scale * float(meant.mean()),
    }
    detail = [float(x.diff(dim=3).abs().mean()) for x in (came, meant)]
    if detail[1] > _EMPTY:
        found["detail"] = detail[0] / detail[1] / max(abs(scale), _EMPTY)
    if meant.shape[1] == 3:
        colour = [float((x - x.mean(1, keepdim=True)).std()) for x in (came, meant)]
        if colour[1] > _EMPTY:
            found["saturation"] = colour[0] / colour[1]
        orders = [(came[:, order] - meant).square().mean() for order in _ORDERS]
        least = min(range(len(orders)), key=lambda k: float(orders[k]))
        found["channels"] = float(least > 0 and float(orders[least]) < 0.5 * float(orders[0]))
    return {f"shown/{name}": round(value, 6) for name, value in found.items()}


_ORDERS = ([0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1], [0, 2, 1], [1, 0, 2])


def _classes(told: Tensor, own: Tensor) -> dict[str, float]:
    """Return how the classes [N] that pictures are told with stand to their own."""
    same = float((told == own).double().mean())
    counts = [told[own == k].bincount().max() for k in own.unique()]
    as_one = float(torch.stack(counts).sum()) / len(own)
    return {"shown/classes": same, "shown/classes_as_one": round(as_one, 6)}
