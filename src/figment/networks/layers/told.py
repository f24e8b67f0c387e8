"""A stack of layers of which some are told a condition, such as the class."""

from __future__ import annotations

from torch import Tensor, nn

from figment.networks.layers.conditional_norm import ConditionalBatchNorm
from figment.networks.layers.residual import UpBlock


class Told(nn.Sequential):
    """Layers one after the other, as in ``nn.Sequential``.

    Conditional norms, and blocks that hold such, are given the condition.
    """

    def forward(self, input: Tensor, *condition: Tensor) -> Tensor:
        x = input
        for layer in self:
            takes = isinstance(layer, ConditionalBatchNorm | UpBlock)
            x = layer(x, *condition) if takes else layer(x)
        return x
