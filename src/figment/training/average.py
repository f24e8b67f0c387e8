"""The averaged generator: the one that samples are drawn from."""

from __future__ import annotations

import copy

import torch
from torch import nn

from figment.randomness import seed_of
from figment.rounds import Playable

STANDING = 1024
"""Latents over which an average gathers the statistics of its batch norms."""


def averaged(net: nn.Module) -> nn.Module:
    """Return a copy of ``net`` that does not learn."""
    return copy.deepcopy(net).requires_grad_(False)


def decay(images: int, half_life: float) -> float:
    """Return the factor that halves a weight's share after ``half_life`` images."""
    return 0.5 ** (images / half_life) if half_life > 0 else 0.0


def keep_share(before: int, now: int, half_life: int, warm_up: float) -> float:
    """Return the share of itself that the average keeps from ``before`` to ``now`` images seen.

    The half-life is at most ``warm_up`` times the images seen.
    """
    return decay(now - before, min(half_life, warm_up * now))


@torch.no_grad()
def follow(average: nn.Module, net: nn.Module, *, keep: float) -> None:
    """Move the average towards ``net``: parameters by 1 - ``keep``, buffers all the way."""
    torch._foreach_lerp_(list(average.parameters()), list(net.parameters()), 1 - keep)
    for mine, other in zip(average.buffers(), net.buffers(), strict=True):
        mine.copy_(other)


@torch.no_grad()
def with_own_statistics(recipe: Playable, average: nn.Module) -> nn.Module:
    """Return a copy in evaluation mode whose batch norm statistics are its own.

    Running statistics belong to the weights that gathered them, not to an average of weights; here they
    are gathered again over STANDING fixed latents ("standing statistics", Brock et al.
    2019, appendix). Networks without batch norm are only copied.
    """
    net = copy.deepcopy(average)
    norms = [m for m in net.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    if norms:
        net.train()
        device = next(net.parameters()).device
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the plain mean over all batches
        batch = min(64, max(2, recipe.batch))
        for start in range(0, STANDING, batch):
            seeds = [seed_of("settle", start + i) for i in range(batch)]
            latents = recipe.latents(seeds).to(device)
            recipe.generate(net, latents, recipe.labels_for(seeds, device))
    return net.eval()
