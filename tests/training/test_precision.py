"""Which number format is chosen: by products in turns, so that a busy moment decides nothing."""

from __future__ import annotations

import pytest
import torch

from figment.training import devices

CPU = torch.device("cpu")


@pytest.mark.parametrize(("half", "chosen"), [(3.0, "bfloat16"), (1.4, "float32")])
def test_the_faster_of_both_though_the_machine_was_busy_at_first(
    monkeypatch: pytest.MonkeyPatch, half: float, chosen: str
):
    asked = []

    def rate(kind: torch.dtype, side: int = 1024, repeats: int = 5) -> float:
        asked.append(kind)
        busy = len(asked) <= 3  # a neighbour took the processor for the first three products
        return (half if kind == torch.bfloat16 else 1.0) / (10 if busy else 1)

    monkeypatch.setattr(devices, "multiplies_bfloat16", lambda: True)
    monkeypatch.setattr(devices, "matrix_rate", rate)
    assert devices.faster_precision.__wrapped__(CPU) == chosen
    assert asked[:4] == [torch.bfloat16, torch.float32] * 2
