"""The steps of an unrolled player, as functions of state and gradient that can be differentiated."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from torch import Tensor, zeros_like
from torch.optim import Adam, Optimizer

from figment.errors import UserError

Inner = Literal["adam", "fresh-adam", "sgd"]
"""Adam from the player's own moments, Adam from zero, or plain gradient steps."""
State = tuple[Tensor, ...]
"""A weight and, with Adam, its two moments."""
Advance = Callable[[State, Tensor, int], State]
"""(state, gradient, steps taken before) -> the state a step later."""

TINY = 1e-30
"""Added to v: a square root has no slope at 0, where a unit that never was active leaves it."""


def start(optimizer: Optimizer, inner: Inner, lr: float | None) -> list[tuple[State, Advance]]:
    """Return each weight's state before the first step, detached, and how it takes a step.

    In the order of the optimiser's weights, which it leaves alone. ``lr`` None: its own rates. Raises
    UserError where an inner Adam has no Adam to take after.
    """
    if inner != "sgd" and not _plain_adam(optimizer):
        raise UserError(
            "unrolling through Adam needs a discriminator that learns by Adam: unroll with sgd"
        )
    return [
        _start_of(weight, optimizer.state.get(weight, {}), group, inner, lr)
        for group in optimizer.param_groups
        for weight in group["params"]
    ]


def gradient_step(state: State, gradient: Tensor, taken: int, *, lr: float) -> State:
    """Return the weight after w - η g."""
    return (state[0] - lr * gradient,)


def adam_step(
    state: State,
    gradient: Tensor,
    taken: int,
    *,
    lr: float,
    betas: tuple[float, float],
    eps: float,
    weight_decay: float = 0.0,
    decoupled: bool = False,
) -> State:
    """Return weight and moments after Adam's step ``taken`` + 1 (Kingma and Ba 2015, alg. 1).

    To rounding it is the step of ``torch.optim.Adam``, and its slope is finite at v = 0 too.
    """
    weight, mean, square = state
    (beta1, beta2), number = betas, taken + 1
    if decoupled:
        weight = weight * (1 - lr * weight_decay)
    elif weight_decay:
        gradient = gradient + weight_decay * weight
    mean = beta1 * mean + (1 - beta1) * gradient
    square = beta2 * square + (1 - beta2) * gradient.square()
    root = (square / (1 - beta2**number) + TINY).sqrt()
    return weight - lr / (1 - beta1**number) * mean / (root + eps), mean, square


def _start_of(
    weight: Tensor, own: dict[str, Any], group: dict[str, Any], inner: Inner, lr: float | None
) -> tuple[State, Advance]:
    first = weight.detach().requires_grad_()
    rate = group["lr"] if lr is None else lr
    if inner == "sgd":
        return (first,), partial(gradient_step, lr=rate)
    step = partial(
        adam_step,
        lr=rate,
        betas=group["betas"],
        eps=group["eps"],
        weight_decay=group["weight_decay"],
        decoupled=group["decoupled_weight_decay"],
    )
    if inner == "fresh-adam" or not own:
        return (first, zeros_like(weight), zeros_like(weight)), step
    before = int(own["step"])
    state = (first, own["exp_avg"], own["exp_avg_sq"])
    return state, lambda state, gradient, taken: step(state, gradient, before + taken)


def _plain_adam(optimizer: Optimizer) -> bool:
    odd = any(group.get("amsgrad") or group.get("maximize") for group in optimizer.param_groups)
    return isinstance(optimizer, Adam) and not odd
