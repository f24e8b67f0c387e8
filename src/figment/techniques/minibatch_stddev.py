"""Minibatch standard deviation: how much pictures vary, as a feature (Karras et al. 2018)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from figment.techniques import slopes
from figment.techniques.minibatch_discrimination import whole_slopes
from figment.techniques.technique import Technique

if TYPE_CHECKING:
    from torch import nn

    from figment.networks.layers.head import Head


GROUP = 4
"""Pictures whose spread is told; of a batch that it does not divide fewer (``layers.minibatch_stddev``)."""


@dataclass(frozen=True, kw_only=True)
class Fields(slopes.Fields):
    minibatch_stddev: bool = False
    """Tell the discriminator how much the pictures of a group of four vary."""


class MinibatchStddev(Technique[Fields]):
    def on(self, r: Fields) -> bool:
        return r.minibatch_stddev

    def check(self, r: Fields) -> None:
        if self.on(r):
            whole_slopes(r, "minibatch_stddev")

    def head(self, r: Fields, head: Head) -> Head:
        from torch import nn

        from figment.networks.layers import minibatch_stddev as layer
        from figment.networks.layers.head import compared

        def with_deviation(features: int) -> nn.Module:
            # [N, F] -> [N, F, 1, 1] -> [N, F + 1, 1, 1] -> [N, F + 1]
            maps = [nn.Unflatten(1, (-1, 1, 1)), layer.MinibatchStddev(GROUP), nn.Flatten()]
            return compared(maps, head(features + 1))

        return with_deviation
