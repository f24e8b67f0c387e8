"""Steps of descent that can be differentiated, with the graph of each step kept, or traced again.

``torch.utils.checkpoint`` saves nothing here: because a step takes a gradient itself, it ends up holding
what the graph holds. Measured on an MLP with Adam, in tensors of all weights' size a step: the graph
11, ``checkpoint`` 9, ``Retraced`` 3, which is the state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from figment.turns.inner import Advance, State

PIECE = 1 << 18
"""Numbers that are taken through an optimiser's arithmetic at a time."""


class Slope(Protocol):
    """The gradients of a loss, as a function of the weights and of the fakes that it looks at."""

    def __call__(
        self, weights: Sequence[Tensor], fakes: Tensor, *, create_graph: bool
    ) -> Sequence[Tensor]: ...


def kept_step(
    slope: Slope, advances: Sequence[Advance], states: Sequence[State], fakes: Tensor, taken: int
) -> list[State]:
    """Return each weight's state after step ``taken`` + 1, as a function of the states and the fakes."""
    gradients = slope([state[0] for state in states], fakes, create_graph=True)
    each = zip(advances, states, gradients, strict=True)
    return [advance(state, gradient, taken) for advance, state, gradient in each]


def retraced_step(
    slope: Slope, advances: Sequence[Advance], states: Sequence[State], fakes: Tensor, taken: int
) -> list[State]:
    """Return what ``kept_step`` returns, for less memory: all but the states is computed twice.

    ``slope`` must give the same the second time.
    """
    flat = [tensor for state in states for tensor in state]
    return _states(Retraced.apply(slope, advances, taken, fakes, *flat), advances)


class Retraced(torch.autograd.Function):
    """(slope, advances, taken, fakes, *states) -> *states a step on."""

    @staticmethod
    def forward(
        ctx: Any,
        slope: Slope,
        advances: Sequence[Advance],
        taken: int,
        fakes: Tensor,
        *flat: Tensor,
    ) -> tuple[Tensor, ...]:
        ctx.slope, ctx.advances, ctx.taken = slope, advances, taken
        ctx.save_for_backward(fakes, *flat)
        ctx.set_materialize_grads(False)
        states = _states(flat, advances)
        with torch.enable_grad():
            weights = [_leaf(state[0]) for state in states]
            gradients = slope(weights, fakes.detach(), create_graph=False)
        flat_after: list[Tensor] = []
        for advance, state, gradient in zip(advances, states, gradients, strict=True):

            def ahead(*values: Tensor, advance: Advance = advance) -> Sequence[Tensor]:
                return advance(values[:-1], values[-1], taken)

            flat_after += _in_pieces(ahead, (*state, gradient), len(state))
        return tuple(flat_after)

    @staticmethod
    @torch.enable_grad()
    def backward(ctx: Any, *ups: Tensor | None) -> tuple[Tensor | None, ...]:
        """Weight by weight through the optimiser's arithmetic, then once through the gradient."""
        fakes, *flat = ctx.saved_tensors
        states, fakes = _states(flat, ctx.advances), _leaf(fakes)
        weights = [_leaf(state[0]) for state in states]
        gradients = ctx.slope(weights, fakes, create_graph=True)
        downs: list[Tensor] = []
        into_gradients: list[Tensor] = []
        each = zip(ctx.advances, states, gradients, _states(ups, ctx.advances), strict=True)
        for advance, state, gradient, up in each:
            *down, into = _pull_step(advance, ctx.taken, state, gradient.detach(), up)
            downs += down
            into_gradients.append(into)
        *through, into_fakes = _pull(
            list(zip(gradients, into_gradients, strict=True)), [*weights, fakes]
        )
        width = len(states[0])
        for number, more in enumerate(through):
            downs[number * width] += more
        return None, None, None, into_fakes, *downs


def _pull_step(
    advance: Advance, taken: int, state: State, gradient: Tensor, up: Sequence[Tensor | None]
) -> list[Tensor]:
    """Return the gradients by state and gradient, for those by the state a step on."""
    width = len(state)
    asked = [number for number, back in enumerate(up) if back is not None]

    def pull(*values: Tensor) -> Sequence[Tensor]:
        leaves = [_leaf(value) for value in values[: width + 1]]
        after = advance(tuple(leaves[:-1]), leaves[-1], taken)
        outputs = [after[number] for number in asked]
        return _pull(list(zip(outputs, values[width + 1 :], strict=True)), leaves)

    backs = [back for back in up if back is not None]
    return _in_pieces(pull, (*state, gradient, *backs), width + 1)


def _in_pieces(
    function: Callable[..., Sequence[Tensor]], tensors: Sequence[Tensor], count: int
) -> list[Tensor]:
    """Return the ``count`` results of a function of tensors of one shape, value by value.

    A few rows at a time, so that what lies between takes no room.
    """
    results = [torch.empty_like(tensors[0]) for _ in range(count)]
    whole = [torch.atleast_1d(tensor) for tensor in (*tensors, *results)]
    rows = max(1, PIECE * len(whole[0]) // whole[0].numel())
    for pieces in zip(*(tensor.split(rows) for tensor in whole), strict=True):
        values = function(*pieces[: len(tensors)])
        for result, value in zip(pieces[len(tensors) :], values, strict=True):
            result.copy_(value)
    return results


def _states(flat: Sequence[Any], advances: Sequence[Advance]) -> list[tuple[Any, ...]]:
    """Group tensors by the weight whose state they are."""
    width = len(flat) // len(advances)
    return [tuple(flat[start : start + width]) for start in range(0, len(flat), width)]


def _leaf(tensor: Tensor) -> Tensor:
    return tensor.detach().requires_grad_()


def _pull(outputs: Sequence[tuple[Tensor, Tensor]], inputs: Sequence[Tensor]) -> list[Tensor]:
    """Return the gradients by the inputs for (output, its gradient) pairs, 0 where none arrives.

    An output may be constant, as the slope by a critic's last bias is.
    """
    moving = [(output, gradient) for output, gradient in outputs if output.requires_grad]
    if not moving:
        return [torch.zeros_like(value) for value in inputs]
    found = torch.autograd.grad(
        [output for output, _ in moving],
        inputs,
        [gradient for _, gradient in moving],
        materialize_grads=True,
    )
    return list(found)
