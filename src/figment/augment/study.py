"""The Flowers study's augmentation: the same flower, seen from another side."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from figment import randomness_per_image as random
from figment.augment.geometry import blit, matrix, resample, rotation, scaling


def study(images: Tensor) -> Tensor:
    """Return images [N, C, H, W] in [-1, 1], each transposed, mirrored and turned as it draws.

    A transpose, a flip from left to right and one upside down, each with probability one half, then a
    turn by U(-90°, 90°). Corners are filled by reflection, so that no black is learnt; the turn reads
    between band-limited samples, as ``ada`` does, and stays sharp. Overshoots are cut off, which a
    generator that ends in tanh could not have. The Flowers study, as augmentation of the data: what it
    does to them, the generator learns to do.
    """
    sharp = images.to(torch.promote_types(images.dtype, torch.float32))
    draw = random.uniform(len(images), 4, like=sharp)
    swap, mirror, upend = (draw[:, :3] < 0.5).to(sharp.dtype).unbind(1)
    zero, one = torch.zeros_like(swap), torch.ones_like(swap)
    transpose = matrix([1 - swap, swap, zero], [swap, 1 - swap, zero], [zero, zero, one])
    flip = scaling(1 - 2 * mirror, 1 - 2 * upend)
    turn = rotation((draw[:, 3] - 0.5) * math.pi)
    with torch.autocast(images.device.type, enabled=False):
        turned = resample(blit(sharp, transpose @ flip), turn)
    return turned.clamp(-1, 1).to(images.dtype)
