"""Minibatch standard deviation: a constant map that tells how much a group of images varies."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class MinibatchStddev(nn.Module):
    """Maps [N, C, H, W] -> [N, C + F, H, W]: behind them, F maps of the spread within a group.

    The standard deviation of each number over a group of images, averaged over positions and over
    each of F equal shares of the channels: Karras et al. 2018 (ProGAN), section 3, F = 1. Groups are
    strided, as in the authors' code: image i is in group i mod N/g. ``group`` is the largest size; a
    batch that it does not divide takes the largest size below that does (1 where N is prime: no
    information). The variance is that of the group itself (divided by g), plus 1e-8. On several
    processes each one's share of the batch is the batch.
    """

    def __init__(self, group: int = 4, features: int = 1) -> None:
        super().__init__()
        self.group, self.features = group, features

    def forward(self, x: Tensor) -> Tensor:
        n, c = x.shape[:2]
        size = group_size(n, self.group)
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        groups = wide.reshape(size, n // size, self.features, c // self.features, -1)
        spread = (groups.var(dim=0, correction=0) + 1e-8).sqrt()  # [N/g, F, C/F, HW]
        maps = spread.mean(dim=(2, 3)).repeat(size, 1).to(x.dtype)  # [N, F]
        return torch.cat([x, maps[:, :, None, None].expand(-1, -1, *x.shape[2:])], dim=1)

    def extra_repr(self) -> str:
        return f"group={self.group}, features={self.features}"


def group_size(batch: int, largest: int) -> int:
    """Return the largest divisor of ``batch`` that is at most ``largest``."""
    return max(size for size in range(1, min(batch, largest) + 1) if batch % size == 0)


def with_spread(x: Tensor, group: int = 4) -> Tensor:
    """Return maps [N, C, H, W] with one more behind them, the spread of its group: [N, C + 1, H, W].

    As ``MinibatchStddev``, but that a group are neighbours in the batch, not every so manieth: so groups
    stay whole when a batch is shared between processes or cut into micro-batches of whole groups.
    """
    size = group_size(len(x), group)
    groups = x.float().flatten(1).unflatten(0, (-1, size))  # [N/g, g, C H W]
    spread = (groups.var(dim=1, correction=0) + 1e-8).sqrt().mean(1)  # [N/g]
    maps = spread.repeat_interleave(size)[:, None, None, None].expand(-1, 1, *x.shape[2:])
    return torch.cat([x, maps.to(x.dtype)], dim=1)
