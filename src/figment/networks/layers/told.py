"""A stack of layers of which some are told a condition, such as the class."""

from __future__ import annotations

from torch import Tensor, nn

from figment.networks.layers.conditional_norm import ConditionalBatchNorm


class Told(nn.Sequential):
    """Layers one after the other, as in ``nn.Sequential``; conditional norms are given the condition."""

    def forward(self, input: Tensor, *condition: Tensor) -> Tensor:
        x = input
        for layer in self:
            conditional = isinstance(layer, ConditionalBatchNorm)
            x = layer(x, *condition) if conditional else layer(x)
        return x
