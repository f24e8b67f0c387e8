"""The guide of a guided latent space: a small classifier of pictures, learned once and frozen.

See ``figment.techniques.guidance``.
"""

from __future__ import annotations

import itertools
import math
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from figment import mesh
from figment.data import Order
from figment.randomness import seed_of
from figment.units import duration

if TYPE_CHECKING:
    from figment.rounds import Pictures

RADIUS = 4.0
"""Distance r of a mode's middle from the origin.

Two modes lie r√2 apart, so a latent is taken for one of another given mode with probability
1 - Φ(r/√2) = .0023: the class can be read off it, and the modes still touch, so that walks between
them cross no void. 100 numbers of deviation 1 are 10 long; with r = 4 they are 10.8.
"""
SIDE = 32
"""Pixels a side of what the classifier looks at; larger pictures are averaged down."""
BATCH = 64
LEARNED = 0.05
"""The classifier has learned enough when its loss over 50 batches is below this."""


def at_modes(latents: Tensor, labels: Tensor) -> Tensor:
    """Return standard normal latents [N, L] moved to their class's mode, r e_k for labels k [N] < L.

    Weights [N, K] of classes in the place of labels are a place between their modes.
    """
    if labels.ndim == 1:
        labels = F.one_hot(labels, latents.shape[1])
    return latents + RADIUS * F.pad(labels, (0, latents.shape[1] - labels.shape[1])).to(latents)


class Guide(nn.Module):
    """The classifier q: images [N, C, R, R] in [-1, 1] -> class logits [N, K], float32.

    Frozen from birth: its weights are those that ``learn`` returns. It has no batch norm and no
    dropout, so it is the same function in every mode.
    """

    accuracy: Tensor
    """Share of the pictures kept from it whose class it tells; of those it saw where none were kept."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        wide = (channels, 32, 64, 128)
        blocks = [
            layer
            for before, after in itertools.pairwise(wide)
            for layer in (nn.Conv2d(before, after, 3, 2, 1), nn.GroupNorm(8, after), nn.ReLU())
        ]
        self.layers = nn.Sequential(*blocks, nn.AdaptiveMaxPool2d(2), nn.Flatten())
        self.verdict = nn.Linear(4 * wide[-1], classes)
        self.register_buffer("accuracy", torch.zeros(()))
        self.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-1] > SIDE:
            x = F.adaptive_avg_pool2d(x, SIDE)
        return self.verdict(self.layers(x)).float()


def imbalance(verdicts: Tensor) -> Tensor:
    """KL(mean verdict || uniform), a scalar in [0, log K], for the class logits [N, K] of a batch.

    The mean is over the rows of all processes. Its gradient reaches this process's rows as if it were
    their mean alone: averaged over the processes, as gradients are, that is the gradient of the whole.
    """
    own = verdicts.softmax(1).mean(0)  # [K]
    whole = own.detach().clone()
    mesh.average([whole])
    mean = own + (whole - own.detach())
    return torch.special.xlogy(mean, mean).sum() + math.log(len(mean))


def learn(
    feed: Pictures,
    device: torch.device,
    *,
    channels: int,
    classes: int,
    seed: int,
    images: int,
    mirror: bool,
) -> Guide:
    """Return a trained guide, and say how well it knows the classes. AdamW, its rate falling to 0.

    It learns from at most ``images`` pictures, repeats counted, shifted and, with ``mirror``, mirrored.
    """
    begun, own = time.perf_counter(), seed_of("guide", seed)
    with torch.random.fork_rng(devices=[]):
        torch.random.default_generator.manual_seed(own)
        guide = Guide(channels, classes).to(device)
    noise = torch.Generator(device).manual_seed(own)
    order, batch = Order(len(feed.rows), seed), min(BATCH, len(feed.rows))
    optimizer = torch.optim.AdamW(guide.requires_grad_(True).parameters(), lr=1e-3)
    losses: list[float] = []
    for start in range(0, images, batch):
        optimizer.param_groups[0]["lr"] = 1e-3 * (1 - start / images)
        pictures, labels = feed.fetch(feed.rows[order.indices(start, batch)])
        with torch.enable_grad():
            loss = F.cross_entropy(guide(_varied(pictures, noise, mirror)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if len(losses) % 50 == 0 and np.mean(losses[-50:]) < LEARNED:
            break
    guide.requires_grad_(False)
    kept = feed.held_out if len(feed.held_out) else feed.rows
    guide.accuracy.fill_(_accuracy(guide, feed, kept))
    whose = "kept from it" if len(feed.held_out) else "it learned from"
    print(
        f"guide: a classifier tells the class of {guide.accuracy:.1%} of {len(kept):,} pictures "
        f"{whose}; it took {duration(time.perf_counter() - begun)}",
        file=sys.stderr,
    )
    return guide


def _varied(images: Tensor, noise: torch.Generator, mirror: bool) -> Tensor:
    """Return a batch shifted by up to an eighth, perhaps mirrored, with noise: no pixel tells the class."""
    side, device = images.shape[-1], images.device
    reach = side // 8
    x, y = torch.randint(2 * reach + 1, (2,), generator=noise, device=device).tolist()
    images = F.pad(images, [reach] * 4, "reflect")[:, :, y : y + side, x : x + side]
    if mirror and torch.rand((), generator=noise, device=device) < 0.5:
        images = images.flip(3)
    return images + 0.1 * torch.randn(images.shape, generator=noise, device=device)


@torch.no_grad()
def _accuracy(guide: Guide, feed: Pictures, rows: np.ndarray) -> float:
    """Share of these pictures whose class the guide tells."""
    right = 0
    for start in range(0, len(rows), 4 * BATCH):
        images, labels = feed.fetch(rows[start : start + 4 * BATCH])
        right += int((guide(images).argmax(1) == labels).sum())
    return right / len(rows)
