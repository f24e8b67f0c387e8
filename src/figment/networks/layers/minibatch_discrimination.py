"""Minibatch discrimination: each image carries how near the others of its batch are."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from figment import mesh
from figment.networks.layers.calibration import Calibrated

CHUNK = 1 << 25
"""Distances held at a time (128 MiB in float32); of a larger batch they are computed again going back."""


class MinibatchDiscrimination(Calibrated):
    """Features [N, A] -> [N, A + B]: behind them, for each of B kernels, the nearness to the batch.

    With M_i = x_i T, a matrix [B, C], kernel b of image i adds sum_j exp(-|M_ib - M_jb|_1): Salimans et
    al. 2016, section 3.2. T [A, B, C] is the only parameter; there is no bias, the next layer has one.

    The paper's sum runs over the whole batch, i itself (a constant 1) among it; public code leaves it
    out (``include_self=False``). ``reduce="mean"`` divides by the number of terms, so that the feature
    means the same at any batch size. T starts from N(0, ``std``): from N(0, 1), as in torchgan, every
    distance is so large that all features and gradients vanish. ``calibrate`` sets its scale by data
    in place of that.

    Reals and fakes must come as batches of their own: a mixed batch would give the label away. On
    several processes each one's share of the batch is the batch.
    """

    def __init__(
        self,
        features: int,
        kernels: int,
        dimensions: int = 16,
        *,
        include_self: bool = True,
        reduce: Literal["sum", "mean"] = "sum",
        std: float = 0.05,
    ) -> None:
        super().__init__()
        self.include_self, self.reduce = include_self, reduce
        self.weight = nn.Parameter(std * torch.randn(features, kernels, dimensions))

    def forward(self, x: Tensor) -> Tensor:
        near = nearness(self.project(x))
        if not self.include_self:
            near = near - 1
        if self.reduce == "mean":
            near = near / max(1, len(x) - (not self.include_self))
        return torch.cat([x, near.to(x.dtype)], dim=1)  # [N, A + B]

    def project(self, x: Tensor) -> Tensor:
        """Return the rows M_i of `x` [N, A], by kernel: [B, N, C]."""
        rows = (x @ self.weight.flatten(1)).unflatten(1, self.weight.shape[1:])  # [N, B, C]
        return rows.to(torch.promote_types(rows.dtype, torch.float32)).transpose(0, 1)

    def calibrate(self, x: Tensor) -> None:
        """Scale each kernel so that an image's nearest other is 2 away, on average over ``x`` [N, A].

        What the authors' code for CIFAR-10 does with its first batch. Needs two images or more.
        """
        rows = self.project(x)
        distances = torch.cdist(rows, rows, p=1)  # [B, N, N]
        distances.diagonal(dim1=1, dim2=2).fill_(torch.inf)
        nearest = distances.amin(dim=2).mean(dim=1)  # [B]
        mesh.average([nearest])
        self.weight.mul_((2 / nearest.clamp(min=1e-12))[:, None])

    def extra_repr(self) -> str:
        features, kernels, dimensions = self.weight.shape
        return f"{features}, {kernels}, {dimensions}, reduce={self.reduce}"


def nearness(rows: Tensor) -> Tensor:
    """Return sum_j exp(-|M_i - M_j|_1), j = i included, for each kernel: [B, N, C] -> [N, B].

    Holds at most ``CHUNK`` of the B·N² distances, and never the B·N²·C differences. Differentiable to
    any order.
    """
    kernels, count, _ = rows.shape
    step = max(1, CHUNK // (kernels * count))
    if step >= count:
        return _nearness(rows, rows).mT
    parts = [
        checkpoint(_nearness, part, rows, use_reentrant=False, preserve_rng_state=False)
        for part in rows.split(step, dim=1)
    ]
    return torch.cat(parts, dim=1).mT


def _nearness(a: Tensor, b: Tensor) -> Tensor:
    """[B, n, C], [B, N, C] -> [B, n]."""
    return torch.exp(-_Distances.apply(a, b)).sum(dim=2)


class _Distances(torch.autograd.Function):
    """`torch.cdist` with p = 1: [B, n, C], [B, N, C] -> [B, n, N], and derivatives beyond the first.

    The library's kernels are several times as fast as sums of differences, but cannot be differentiated
    twice: with `create_graph` the gradient is made of plain sums.
    """

    @staticmethod
    def forward(ctx, a: Tensor, b: Tensor) -> Tensor:
        ctx.save_for_backward(a, b)
        return torch.cdist(a, b, p=1)

    @staticmethod
    def backward(ctx, *grads: Tensor) -> tuple[Tensor, ...]:
        a, b = ctx.saved_tensors
        if torch.is_grad_enabled() or a.device.type == "mps":  # MPS lacks the library's derivative
            return _slopes(a, b, *grads)
        with torch.enable_grad():
            ends = a.detach().requires_grad_(), b.detach().requires_grad_()
            distances = torch.cdist(*ends, p=1)
        return torch.autograd.grad(distances, ends, grads)


def _slopes(a: Tensor, b: Tensor, grad: Tensor) -> tuple[Tensor, Tensor]:
    """The derivatives of the distances times `grad` [B, n, N], for `a` and `b`."""
    to_a, to_b = [], []
    for mine, other in zip(a.unbind(2), b.unbind(2), strict=True):
        slope = grad * (mine[:, :, None] - other[:, None]).sign()  # [B, n, N]
        to_a.append(slope.sum(2))
        to_b.append(-slope.sum(1))
    return torch.stack(to_a, dim=2), torch.stack(to_b, dim=2)
