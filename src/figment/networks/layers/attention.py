"""Self-attention: every position of a map looks at all others."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from figment.networks.layers.wrapping import Wrap, identity


class SelfAttention(nn.Module):
    """Maps [N, C, H, W] -> x + gamma · o(attention · g(x)), the same shape.

    Zhang et al. 2019 (SAGAN), eqs. 1 to 3, in the form of BigGAN's code: queries theta and keys phi of
    C/8 channels, values g of C/2, all 1x1 convolutions without bias; keys and values max-pooled 2x2
    (a last odd row or column is pooled by itself), no scale before the softmax. gamma starts at 0, so
    the layer starts as the identity. ``wrap`` goes around the convolutions: spectral norm in the paper.
    C = 256 gives 81,921 parameters; memory grows with N·(H·W)²/4. Written as plain products, not with
    torch's fused attention, which cannot be differentiated twice.
    """

    def __init__(self, channels: int, *, pool: bool = True, wrap: Wrap = identity) -> None:
        super().__init__()
        eighth, half = max(1, channels // 8), max(1, channels // 2)
        self.pool = pool
        self.theta = wrap(_pointwise(channels, eighth))
        self.phi = wrap(_pointwise(channels, eighth))
        self.g = wrap(_pointwise(channels, half))
        self.o = wrap(_pointwise(half, channels))
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        values = self.pooled(self.g(x)).flatten(2)  # [N, C/2, keys]
        seen = values @ self.attention(x).mT  # [N, C/2, HW]
        return x + self.gamma * self.o(seen.unflatten(2, x.shape[2:]))

    def attention(self, x: Tensor) -> Tensor:
        """Return how much each position looks at each key: [N, H·W, keys], rows of sum 1."""
        queries = self.theta(x).flatten(2)  # [N, C/8, HW]
        keys = self.pooled(self.phi(x)).flatten(2)  # [N, C/8, keys]
        return (queries.mT @ keys).softmax(dim=2)

    def pooled(self, x: Tensor) -> Tensor:
        """Return `x` at half the size, rounded up, if this layer pools."""
        return F.max_pool2d(x, 2, ceil_mode=True) if self.pool else x


def _pointwise(wide_in: int, wide_out: int) -> nn.Conv2d:
    return nn.Conv2d(wide_in, wide_out, 1, bias=False)
