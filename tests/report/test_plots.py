"""The axes of plots."""

from __future__ import annotations

import numpy as np
import pytest

from figment.report.plots import Series, line_chart, ticks


@pytest.mark.parametrize("ends", [(-1e308, 1e308), (0.0, 5e-324), (0.0, float("inf"))])
def test_numbers_of_a_broken_log_have_no_ticks(ends: tuple[float, float]):
    assert ticks(*ends) == []


def test_ticks_are_round_and_within():
    assert ticks(0.0, 1.0) == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]


def test_one_point_shows_as_a_dot():
    one, two = (Series("a", np.arange(n) + 1.0, np.arange(n) + 1.0) for n in (1, 2))
    assert 'class="dots' in line_chart([one], title="t", x_label="x")
    assert 'class="dots' not in line_chart([two], title="t", x_label="x")
