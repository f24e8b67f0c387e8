"""What a network may put around its layers: spectral norm, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from torch import nn

Layer = TypeVar("Layer", bound=nn.Module)
Wrap = Callable[[nn.Module], nn.Module]


def identity(layer: Layer) -> Layer:
    """Return the layer as it is: the wrap that does nothing."""
    return layer
