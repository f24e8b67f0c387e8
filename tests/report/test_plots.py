"""The axes of plots."""

from __future__ import annotations

import pytest

from figment.report.plots import ticks


@pytest.mark.parametrize("ends", [(-1e308, 1e308), (0.0, 5e-324), (0.0, float("inf"))])
def test_numbers_of_a_broken_log_have_no_ticks(ends: tuple[float, float]):
    assert ticks(*ends) == []


def test_ticks_are_round_and_within():
    assert ticks(0.0, 1.0) == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
