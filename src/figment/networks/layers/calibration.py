"""Data-dependent initialisation: layers that set themselves by the first batch they see."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor, nn


class Calibrated(nn.Module):
    """A layer whose initial weights may be fitted to data."""

    learned = False
    """Whether its weights are those of another training, and stay."""

    def calibrate(self, x: Tensor) -> None:
        """Set the layer's weights by its input ``x``."""
        raise NotImplementedError


def keep_fitted(nets: nn.Module, names: Collection[str]) -> None:
    """Let the layers of these names stay as they are, and no other: another training fitted them."""
    for name, layer in nets.named_modules():
        if isinstance(layer, Calibrated):
            layer.learned = name in names


def fitted_elsewhere(nets: nn.Module) -> list[str]:
    """Return the names of the layers that stay as another training fitted them."""
    named = nets.named_modules()
    return [name for name, layer in named if isinstance(layer, Calibrated) and layer.learned]


@torch.no_grad()
def calibrate(network: nn.Module, *inputs: Tensor) -> None:
    """Fit each layer that can be fitted, in the order in which ``inputs`` reach them; returns nothing.

    One forward pass in the network's present mode: each layer is fitted to what the layers before it,
    fitted already, make of the batch (Salimans & Kingma 2016, section 3). A layer that is reached
    twice is fitted twice. Call it once, before the first move, in a recipe's ``begin``.
    Statistics are averaged over processes, so all agree.
    """
    hooks = [
        module.register_forward_pre_hook(_fit)
        for module in network.modules()
        if isinstance(module, Calibrated) and not module.learned
    ]
    try:
        network(*inputs)
    finally:
        for hook in hooks:
            hook.remove()


def _fit(layer: nn.Module, args: tuple[Tensor, ...]) -> None:
    assert isinstance(layer, Calibrated)
    layer.calibrate(args[0])
