"""What the tests of penalties share."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from figment import mesh


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.fixture
def both_halves(monkeypatch: pytest.MonkeyPatch):
    """Play a function as process 0 and 1 of two, from equal seeds; its rows one after another."""

    def play(function: Callable[[slice], Tensor], *, of: int = 6) -> Tensor:
        parts = []
        for rank in (0, 1):
            monkeypatch.setattr(mesh, "size", lambda: 2)
            monkeypatch.setattr(mesh, "rank", lambda rank=rank: rank)
            torch.manual_seed(1)
            parts.append(function(mesh.rows(of)))
        monkeypatch.undo()
        return torch.cat(parts)

    return play


@pytest.fixture
def small() -> Callable[..., nn.Sequential]:
    """A smooth critic of images [N, 1, 8, 8] whose slope differs from place to place."""
    return critic


def critic(*, norm: bool = False) -> nn.Sequential:
    layers = [nn.Flatten(), nn.Linear(64, 12), nn.Softplus(), nn.Linear(12, 1), nn.Flatten(0)]
    if norm:
        layers.insert(2, nn.BatchNorm1d(12))
    return nn.Sequential(*layers)
