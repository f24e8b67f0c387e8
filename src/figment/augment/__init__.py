"""Augmentation: what becomes of pictures before the discriminator sees them, as batched tensor functions.

Each is [N, C, H, W] in and out, in [-1, 1] with 0 for grey, draws anew for every image, and can be
differentiated twice by the pictures. What has state (the probability of ADA) is a module.
"""

from __future__ import annotations

from figment.augment.ada import BG, BGC, BGCF, BGCFN, BGCFNC, PRESETS, R3GAN, Strengths, ada
from figment.augment.adaptive import AdaptiveProbability
from figment.augment.diffaugment import diffaugment
from figment.augment.study import study

__all__ = [
    "BG",
    "BGC",
    "BGCF",
    "BGCFN",
    "BGCFNC",
    "PRESETS",
    "R3GAN",
    "AdaptiveProbability",
    "Strengths",
    "ada",
    "diffaugment",
    "study",
]
