"""What the tests of augmentation share."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from figment import mesh


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.fixture
def both_halves(monkeypatch: pytest.MonkeyPatch):
    """Play a function as process 0 and 1 of two, from equal seeds; its rows one after another."""

    def play(function: Callable[[slice], Tensor], *, of: int) -> Tensor:
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
def marked() -> Callable[..., Tensor]:
    """N equal pictures [N, 1, 8, 8] that no flip or quarter turn leaves as they are."""

    def pictures(n: int) -> Tensor:
        return (torch.arange(64.0).view(1, 1, 8, 8) / 32 - 1).expand(n, 1, 8, 8)

    return pictures
