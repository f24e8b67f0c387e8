"""Latents by address: seed 7 is the same latent in any batch, on any device, in any version."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from figment.randomness import stream


def latents_of(seeds: Sequence[int], size: int, truncation: float | None = None) -> Tensor:
    """Return standard normal latents [N, L], one a seed, float32, on the CPU.

    With ``truncation`` t they follow the normal distribution cut off at -t and t, without rescaling
    (Brock et al. 2019, section 3.1). One uniform number a coordinate goes through the inverse of the
    distribution function, so that a seed's latent moves smoothly with t.
    """
    uniform = np.stack([_uniform(seed, size) for seed in seeds])  # [N, L] in [0, 1)
    u = torch.from_numpy(uniform).clamp(2.0**-53, 1 - 2.0**-53)
    if truncation is not None:
        low = torch.special.ndtr(torch.tensor(-truncation, dtype=torch.float64))
        u = low + u * (1 - 2 * low)
    return torch.special.ndtri(u).float()


@lru_cache(1 << 12)
def _uniform(seed: int, size: int) -> np.ndarray:
    """Return a seed's uniform numbers [L]: to be read only.

    Kept, since a training draws the same first seeds at every line and every grid, of points 2,500 of them,
    and a stream takes longer to begin than they take to judge.
    """
    return stream("latent", seed).random(size)
