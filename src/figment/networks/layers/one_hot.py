"""A class as numbers beside a latent, or as constant maps beside an image's channels."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def one_hot(labels: Tensor, classes: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return labels [N], int64 in [0, K), as rows of a single 1: [N, K].

    Mixtures of classes [N, K], floats that sum to 1, are such rows already and come back as they are.
    """
    return labels.to(dtype) if labels.is_floating_point() else F.one_hot(labels, classes).to(dtype)


def beside(x: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Return ``x`` with the class of each row as K further channels.

    Latents [N, L] -> [N, L + K]; images [N, C, H, W] -> [N, C + K, H, W], where map k is 1 everywhere
    for class k and 0 for the others: Mirza & Osindero 2014, in the form for convolutions. With no
    classes it is ``x`` itself. A gradient penalty is to be taken for the images before this.
    """
    if classes == 0:
        return x
    rows = one_hot(labels, classes, x.dtype)  # [N, K]
    maps = rows.reshape(*rows.shape, *[1] * (x.ndim - 2)).expand(-1, -1, *x.shape[2:])
    return torch.cat([x, maps], dim=1)
