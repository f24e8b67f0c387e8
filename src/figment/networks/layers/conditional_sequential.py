"""Layers in sequence, some of which take a condition, such as the class, beside their input."""

from __future__ import annotations

from torch import Tensor, nn

from figment.networks.layers.conditional_norm import ConditionalBatchNorm
from figment.networks.layers.residual import UpBlock


class ConditionalSequential(nn.Sequential):
    """``nn.Sequential`` whose conditional norms, and blocks with such norms, also get the condition."""

    def forward(self, input: Tensor, *condition: Tensor) -> Tensor:
        x = input
        for layer in self:
            takes = isinstance(layer, ConditionalBatchNorm | UpBlock)
            x = layer(x, *condition) if takes else layer(x)
        return x
