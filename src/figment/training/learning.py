"""Which weights gather gradients while one player learns."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from torch import Tensor, nn


@contextmanager
def learning(weights: list[Tensor], *, among: nn.ModuleDict) -> Generator[None]:
    """Let only ``weights`` gather gradients inside: nothing is computed for the other player's."""
    mine = {id(weight) for weight in weights}
    others = [w for w in among.parameters() if w.requires_grad and id(w) not in mine]
    for weight in others:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in others:
            weight.requires_grad_(True)
