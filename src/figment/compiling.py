"""Compiling: in a training that asks for it, networks run as `torch.compile` makes them.

What is compiled is what ``figment.microbatch.in_parts`` calls: a network, or a method of one. A compiled
network cannot be differentiated twice, so that for penalties on slopes the whole slope is compiled:
network and gradient in one function, whose own gradient torch can make.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from figment.errors import UserError
from figment.randomness import random_state, set_random_state

Function = Callable[..., Tensor]

BACKEND = "inductor"
FORMS = 64
"""Forms of one function that are kept: other shapes, other weights that learn. Then it runs uncompiled."""


@dataclass
class _Now:
    """What is so in this process at this moment."""

    on: bool = False
    """Whether networks run compiled."""
    sloped: bool = False
    """Whether passes are differentiated twice."""


_now = _Now()
_faithful: WeakKeyDictionary[nn.Module, dict[Function, bool]] = WeakKeyDictionary()
"""Of networks' methods, whether torch compiles their slopes, and rightly: found by trying."""
NEAR = 1e-3
"""How far gradients of compiled slopes may be from the others', as a share of their length."""
NOISE = 0.05
"""Spread of what is added to weights for that trial."""


@contextmanager
def compiled(on: bool) -> Generator[None]:
    """Let ``call`` compile networks inside, where ``on``."""
    global _now
    before, _now = _now, _Now(on)
    try:
        yield
    finally:
        _now = before


@contextmanager
def slopes() -> Generator[None]:
    """Let ``call`` return what can be differentiated by its first input, and that slope by the weights."""
    global _now
    before, _now = _now, _Now(_now.on, sloped=True)
    try:
        yield
    finally:
        _now = before


def active() -> bool:
    """Return whether networks run compiled at this moment."""
    return _now.on


def call(function: Function, *inputs: Tensor) -> Tensor:
    """Return function(*inputs), compiled where that is wanted and it is a network, or a method of one."""
    net = function if isinstance(function, nn.Module) else getattr(function, "__self__", None)
    if not (active() and isinstance(net, nn.Module)):
        return function(*inputs)
    method = type(net).forward if net is function else function.__func__  # ty: ignore[missing-attribute]
    if not (_now.sloped and torch.is_grad_enabled()):
        return _forward(method, BACKEND)(net, *inputs)
    if not _faithful.get(net, {}).get(method, True):
        return function(*inputs)
    one = _Pass(net, method, inputs[0].device)
    return _Sloped.apply(one, one.forward(inputs[0].detach(), *inputs[1:]), *inputs)


def refuse_uncompilable(device: torch.device) -> None:
    """Raise UserError where this machine cannot compile for the device."""
    if trouble := why_not(device):
        raise UserError(f"--compile does not work here ({trouble}): leave it out")


@cache
def why_not(device: torch.device) -> str:
    """Return why this machine cannot compile for the device, found by trying; "" where it can."""
    x = torch.ones(8, device=device, requires_grad=True)
    try:
        with torch.enable_grad(), torch.autocast(device.type, enabled=False):
            torch.compile(_trial, backend=BACKEND)(x).backward()
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return f"{type(error).__name__}: {lines[0][:120] if lines else 'no reason given'}"
    return ""


def _trial(x: Tensor) -> Tensor:
    return (x * 2 + 1).square().sum()


class _Pass:
    """One pass through a network that is to be differentiated twice."""

    def __init__(self, net: nn.Module, method: Function, device: torch.device) -> None:
        self.net, self.method, self.device = net, method, device
        self.random = random_state(device)
        self.changed: list[tuple[Tensor, Tensor]] = []
        """Buffers that the pass has changed, such as spectral norm's, and what they were before."""

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return what the network makes of inputs."""
        before = [(buffer, buffer._version, buffer.clone()) for buffer in self.net.buffers()]
        made = _forward(self.method, BACKEND)(self.net, *inputs)
        self.changed = [(buffer, was) for buffer, count, was in before if buffer._version != count]
        return made

    def slope(self, up: Tensor, *inputs: Tensor) -> Tensor:
        """Return the slope by the first input, from the random numbers and buffers of ``forward``."""
        after = random_state(self.device)
        self.rewind()
        with torch.enable_grad():
            found = self._slope(up, *inputs)
        set_random_state(self.device, after)
        return found

    @torch.no_grad()
    def rewind(self) -> None:
        """Go back to the random numbers and the buffers from before the pass."""
        set_random_state(self.device, self.random)
        for buffer, before in self.changed:
            buffer.copy_(before)

    def _slope(self, up: Tensor, *inputs: Tensor) -> Tensor:
        known = _faithful.setdefault(self.net, {})
        if known.get(self.method) is None:
            known[self.method] = self._compiles(up, *inputs)
            self.rewind()
        if known[self.method]:
            try:
                return _slope(BACKEND)(self.method, self.net, up, *inputs)
            except _refusals():  # of more forms than are kept
                known[self.method] = False
                self.rewind()
        return _slope_of(self.method, self.net, up, *inputs)

    def _compiles(self, up: Tensor, *inputs: Tensor) -> bool:
        """Return whether the compiled slope has the gradients of the other: torch can lose some unseen.

        Layers that bring derivatives of their own are what it loses them by. Tried on a copy with other
        weights: those of a new network are often zeros, and so are gradients then.
        """
        net = deepcopy(self.net)
        weights = [weight for weight in net.parameters() if weight.requires_grad]
        if not weights:
            return False
        with torch.no_grad():
            for weight in weights:
                weight.add_(NOISE * torch.randn_like(weight))
        up = up.detach().requires_grad_(up.requires_grad)
        first, *rest = (tensor.detach() for tensor in inputs)
        state, buffers, found = random_state(self.device), deepcopy(net.state_dict()), []
        for slope in (_slope_of, _slope(BACKEND)):
            set_random_state(self.device, state)
            net.load_state_dict(buffers)
            try:
                total = slope(self.method, net, up, first.requires_grad_(), *rest).square().sum()
                found += [torch.autograd.grad(total, weights, materialize_grads=True)]
            except _refusals():
                return False
        one, other = (torch.cat([each.flatten() for each in gradients]) for gradients in found)
        return bool(torch.linalg.vector_norm(other - one) <= NEAR * torch.linalg.vector_norm(one))


class _Sloped(torch.autograd.Function):
    """(pass, what it made, *inputs) -> what it made, to be differentiated by the first input as well.

    What it made reaches the weights by itself, and the inputs only from here: so a slope by the inputs
    does not go back through the compiled pass, which cannot be differentiated twice.
    """

    @staticmethod
    def forward(ctx: Any, one: _Pass, made: Tensor, *inputs: Tensor) -> Tensor:
        ctx.one = one
        ctx.save_for_backward(*inputs)
        return made.view_as(made)

    @staticmethod
    def backward(ctx: Any, *ups: Tensor) -> tuple[Tensor | None, ...]:
        inputs = ctx.saved_tensors
        return None, ups[0], ctx.one.slope(ups[0], *inputs), *(None for _ in inputs[1:])


def _refusals() -> tuple[type[Exception], ...]:
    """Return what torch raises where it cannot compile a function as a whole."""
    from torch._dynamo import exc

    return exc.TorchDynamoException, exc.FailOnRecompileLimitHit


def _slope_of(method: Function, net: nn.Module, up: Tensor, *inputs: Tensor) -> Tensor:
    (slope,) = torch.autograd.grad(method(net, *inputs), inputs[0], up, create_graph=True)
    return slope


@cache
def _forward(method: Function, backend: str) -> Function:
    return _compile(method, backend)


@cache
def _slope(backend: str) -> Function:
    return _compile(_slope_of, backend, fullgraph=True)


def _compile(function: Function, backend: str, *, fullgraph: bool = False) -> Function:
    """Return the compiled form; random numbers are those that it would draw uncompiled."""
    import torch._dynamo

    logging.getLogger("torch._dynamo").setLevel(logging.ERROR)
    settings: Any = torch._dynamo.config
    settings.suppress_errors = settings.trace_autograd_ops = True
    settings.recompile_limit = FORMS
    options: Any = {"fallback_random": True} if backend == "inductor" else None
    made = torch.compile(
        function, backend=backend, fullgraph=fullgraph, dynamic=False, options=options
    )

    def quiet(*args: Any) -> Tensor:
        with (
            warnings.catch_warnings()
        ):  # of what is not compiled, which costs time and nothing else
            warnings.simplefilter("ignore")
            return made(*args)

    return quiet
