"""Batch norm without memory: a pass that must leave no trace in the running statistics."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from torch import nn


@contextmanager
def hold_statistics(net: nn.Module) -> Generator[None]:
    """Keep all running statistics of ``net``'s batch norms as they are inside.

    Layers in training still normalise with the batch's own statistics, layers in evaluation with the
    running ones: the output is the same. For the extra passes of penalties, over pictures (interpolates,
    shifted reals) that running statistics must not know.
    """
    norms = [
        module
        for module in net.modules()
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.track_running_stats
    ]
    for norm in norms:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in norms:
            norm.track_running_stats = True
