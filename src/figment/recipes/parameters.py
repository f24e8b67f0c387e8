"""How many parameters a recipe's networks have."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING

from figment.errors import UserError
from figment.recipe import Recipe

if TYPE_CHECKING:
    from torch import nn

CLASSES = 10
"""Classes for which a conditional recipe is counted that takes as many as the data have: CIFAR-10's."""


def count(recipe: Recipe) -> dict[str, int]:
    """Return the number of trainable parameters of each network that learns, built without memory."""
    sizes = {name: _size(net) for name, net in _built(recipe).items()}
    return {name: size for name, size in sizes.items() if size}


def coders(recipe: Recipe) -> dict[str, int]:
    """Return the number of trainable parameters of encoder and decoder, {} of a system without.

    An autoencoder's are one network, called its generator, of which samples need the decoder alone.
    """
    parts = dict(_built(recipe)["generator"].named_children())
    both = ("encoder", "decoder")
    return {name: _size(parts[name]) for name in both} if parts.keys() >= {*both} else {}


def _built(recipe: Recipe) -> nn.ModuleDict:
    """Return the networks, without memory."""
    import torch

    if recipe.classed and not recipe.class_count():
        recipe = replace(recipe, classes=CLASSES)
    with torch.device("meta"):
        return recipe.networks()


def _size(net: nn.Module) -> int:
    return sum(weight.numel() for weight in net.parameters() if weight.requires_grad)


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
