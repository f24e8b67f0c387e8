"""How many parameters a recipe's networks have."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from importlib.resources import files
from typing import Any

from figment.errors import UserError
from figment.recipe import Recipe

CLASSES = 10
"""Classes for which a conditional recipe is counted that takes as many as the data have: CIFAR-10's."""


def count(recipe: Recipe) -> dict[str, int]:
    """Return the number of trainable parameters of each network that learns, built without memory."""
    import torch
    from torch.overrides import TorchFunctionMode

    class Undrawn(TorchFunctionMode):
        """First weights are not drawn: without memory that takes ten times as long as with it."""

        def __torch_function__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            if func in (torch.Tensor.normal_, torch.Tensor.uniform_):
                return args[0]
            if getattr(func, "__module__", "") == "torch.nn.init":
                return kwargs["tensor"]
            return func(*args, **(kwargs or {}))

    if recipe.classed and not recipe.class_count():
        recipe = replace(recipe, classes=CLASSES)
    with Undrawn(), torch.device("meta"):
        nets = recipe.networks()
    sizes = {
        name: sum(weight.numel() for weight in net.parameters() if weight.requires_grad)
        for name, net in nets.items()
    }
    return {name: size for name, size in sizes.items() if size}


def refuse_too_large(recipe: Recipe, memory: int, processes: int = 1) -> None:
    """Raise UserError where the weights and one batch alone take more than so many bytes of memory.

    Counted before anything is built: weights, their gradients and average, reals and fakes, at 4 bytes.
    """
    try:
        weights = sum(count(recipe).values())
    except (RuntimeError, OverflowError):  # more numbers than can be counted
        weights = 1 << 60
    images = recipe.batch // processes * math.prod(recipe.shape)
    needed = 4 * (weights * (2 + (recipe.ema > 0)) + 2 * images)
    if needed > memory:
        raise UserError(
            f"this takes {needed / 2**30:,.0f} GiB of memory at the least and there are "
            f"{memory / 2**30:,.1f}: lower --batch or --resolution, or the units of the layers (--width, "
            "--hidden, --latent)"
        )


def known() -> dict[str, dict[str, int]]:
    """Return the built-in systems' counts by name, from a file that a test keeps true."""
    return json.loads((files("figment.recipes") / "parameters.json").read_text(encoding="utf-8"))
