"""Micro-batches: a network runs over a batch in parts, so that memory holds the activations of one.

Only what maps images one by one runs in parts; every loss still sees the whole batch, so batches of any
size give what they would give if memory held them. The forward passes keep nothing, and backward runs
each part again, one after the other, with its gradient (Chen et al. 2016, "Training deep nets with
sublinear memory cost"): a third more arithmetic.

A part draws the random numbers of its own images (``figment.randomness_per_image``), and starts from
the buffers that the first one found, so that a step of spectral norm's iteration is one step a pass.
What moves by averages, as batch norm's statistics do, ends at the mean over the parts; the batch that
such a norm sees is the part, which is why networks with batch norm are not the same in parts.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from figment.compiling import call
from figment.randomness import random_state, set_random_state

Function = Callable[..., Tensor]


@dataclass
class _Now:
    """What is so in this process at this moment."""

    size: int = 0
    """Most images of a part; 0: no parts."""
    group: int = 1
    """How many images in a row are judged together: a part has a multiple of them, if it can."""
    nets: Sequence[nn.Module] = ()
    """Networks whose buffers a pass may change."""
    part: int = 0
    parts: int = 1
    """The part that is being computed, of so many."""


_now = _Now()


@contextmanager
def micro_batches(size: int, nets: Sequence[nn.Module], group: int = 1) -> Generator[None]:
    """Let ``in_parts`` take at most ``size`` images at once inside, in whole groups; 0: all."""
    global _now
    before, _now = _now, _Now(size, group, nets)
    try:
        yield
    finally:
        _now = before


def part_of(rows: int) -> tuple[int, slice]:
    """Return how many rows the batch has of which this part has ``rows``, and which of them they are."""
    return rows * _now.parts, slice(rows * _now.part, rows * (_now.part + 1))


def own_rows(tensor: Tensor) -> Tensor:
    """Return the rows of a batch's tensor that belong to the part being computed; all without parts."""
    return tensor.tensor_split(_now.parts)[_now.part]


def whole(rows: int) -> bool:
    """Return whether ``in_parts`` takes so many rows at once, and so keeps their graph."""
    return _now.parts > 1 or not 0 < _now.size < rows


def in_parts(function: Function, *inputs: Tensor) -> Tensor:
    """Return function(*inputs), computed a micro-batch at a time where the trainer asks for that.

    All tensors have one row an image (or a pack). ``function`` must treat every row alone, and may be
    differentiated once: a penalty on a slope goes in whole. Of what it holds beside, such as labels, it
    takes ``own_rows``.
    """
    rows = inputs[0].shape[0]  # len() is a number in a trace, and would fix the batch of an export
    if whole(rows):
        return call(function, *inputs)
    run = _Run(function, _now, _parts(rows, _now.size, _now.group), inputs[0].device)
    if not torch.is_grad_enabled():
        return run.all(inputs)
    anchor = torch.zeros((), device=inputs[0].device, requires_grad=True)
    return _InParts.apply(run, anchor, *inputs)


def _parts(rows: int, most: int, group: int) -> int:
    """The smallest number of equal parts with at most so many rows each, of whole groups if there are."""
    equal = [count for count in range(-(-rows // most), rows + 1) if rows % count == 0]
    return next((count for count in equal if rows // count % group == 0), equal[0])


class _Run:
    """One call of a function, part by part, as often as it is needed."""

    def __init__(self, function: Function, now: _Now, parts: int, device: torch.device) -> None:
        self.function, self.now, self.parts, self.device = function, now, parts, device
        buffers = [buffer for net in now.nets for buffer in net.buffers()]
        self.averaged = [buffer for buffer in buffers if buffer.is_floating_point()]
        self.counted = [buffer for buffer in buffers if not buffer.is_floating_point()]
        self.before = self.state()
        self.random = random_state(device)
        self.low, self.dtype = (
            torch.is_autocast_enabled(device.type),
            torch.get_autocast_dtype(device.type),
        )

    def state(self) -> list[Tensor]:
        """Return copies of all buffers."""
        return [buffer.clone() for buffer in (*self.averaged, *self.counted)]

    @torch.no_grad()
    def set_state(self, values: list[Tensor]) -> None:
        """Give all buffers these values."""
        if values:
            torch._foreach_copy_([*self.averaged, *self.counted], values)

    @torch.no_grad()
    def all(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return the function of all rows; nothing is kept for a backward pass."""
        before = self.before[: len(self.averaged)]
        means = [buffer.clone() for buffer in before]
        outputs = []
        for part in range(self.parts):
            outputs.append(self.one(part, self.rows(part, inputs)))
            if means:  # of changes: what no pass changes stays as it is, to the bit
                changes = torch._foreach_sub(self.averaged, before)
                torch._foreach_add_(means, changes, alpha=1 / self.parts)
        if means:
            torch._foreach_copy_(self.averaged, means)
        return torch.cat(outputs)

    def rows(self, part: int, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Return the part's rows of tensors."""
        return [tensor.tensor_split(self.parts)[part] for tensor in tensors]

    def one(self, part: int, inputs: Sequence[Tensor]) -> Tensor:
        """Return the function of one part, from the state in which the whole was called."""
        global _now
        self.set_state(self.before)
        set_random_state(self.device, self.random)
        outside, _now = _now, _Now(self.now.size, self.now.group, self.now.nets, part, self.parts)
        try:
            with torch.autocast(self.device.type, self.dtype, self.low):
                return call(self.function, *inputs)
        finally:
            _now = outside


class _InParts(torch.autograd.Function):
    """(run, anchor, *inputs) -> the function of all rows; the anchor makes sure that it has a gradient."""

    @staticmethod
    def forward(ctx: Any, run: _Run, anchor: Tensor, *inputs: Tensor) -> Tensor:
        ctx.run = run
        ctx.save_for_backward(*inputs)
        return run.all(inputs)

    @staticmethod
    def backward(ctx: Any, *ups: Tensor) -> tuple[Tensor | None, ...]:
        """Run each part again with its graph; weights gather their gradients as it goes."""
        if torch.is_grad_enabled():
            raise RuntimeError(
                "what runs in parts is differentiated once: put the whole penalty in"
            )
        run: _Run = ctx.run
        inputs, wanted = ctx.saved_tensors, ctx.needs_input_grad[2:]
        after, random = run.state(), random_state(run.device)
        gradients: list[list[Tensor]] = []
        for part in range(run.parts):
            leaves = [
                row.detach().requires_grad_(wants)
                for row, wants in zip(run.rows(part, inputs), wanted, strict=True)
            ]
            with torch.enable_grad():
                output = run.one(part, leaves)
            if output.requires_grad:
                torch.autograd.backward(output, run.rows(part, ups)[0])
            gradients.append([_slope(leaf) for leaf in leaves])
        run.set_state(after)
        set_random_state(run.device, random)
        whole = [torch.cat(parts) for parts in zip(*gradients, strict=True)]
        return None, None, *(g if wants else None for g, wants in zip(whole, wanted, strict=True))


def _slope(leaf: Tensor) -> Tensor:
    return torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
