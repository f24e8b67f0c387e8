"""Freezing: layers of the discriminator that stay as another training left them.

Mo et al. 2020, arXiv:2002.10964 (FreezeD): its layers next to the picture know edges and textures already;
learning the others alone keeps few pictures from being learned by heart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from figment.errors import UserError
from figment.settings import Settings
from figment.techniques.technique import Technique, at_least_zero

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class Fields(Settings):
    freeze_layers: int = 0
    """Layers of the discriminator, from the picture on, that stay as --from has them (FreezeD)."""


def _layers(net: nn.Module) -> Iterator[list[nn.Parameter]]:
    """Yield the weights of each module that has some of its own, from the picture on."""
    from torch.nn.utils.parametrize import ParametrizationList

    from figment.networks.layers.discriminator import FeatureDiscriminator

    parts = net.from_picture() if isinstance(net, FeatureDiscriminator) else net.children()
    for module in (module for part in parts for module in part.modules()):
        if isinstance(module, ParametrizationList):
            continue  # it belongs to the module around it
        behind = getattr(module, "parametrizations", None)
        owners = [module, *(behind.values() if behind is not None else ())]
        weights = [weight for owner in owners for weight in owner.parameters(recurse=False)]
        if weights:
            yield weights


class Freeze(Technique[Fields]):
    def on(self, r: Fields) -> bool:
        return r.freeze_layers > 0

    def check(self, r: Fields) -> None:
        at_least_zero(r, "freeze_layers")

    def describe(self, r: Fields) -> list[str]:
        layers = "layer" if r.freeze_layers == 1 else "layers"
        return [f"{r.freeze_layers} {layers} of the discriminator frozen"]

    def networks(self, r: Fields, nets: nn.ModuleDict) -> None:
        """Freeze all weights before the first layer that learns; norms belong to what they follow."""
        layers = 0
        for weights in _layers(nets["discriminator"]):
            layers += max(weight.ndim for weight in weights) >= 2  # those of norms have one
            if layers > r.freeze_layers:
                return
            for weight in weights:
                weight.requires_grad_(False)
        raise UserError(
            f"the discriminator has {layers} layers, and the last of them has to learn: set "
            f"--freeze-layers to {layers - 1} at most"
        )
