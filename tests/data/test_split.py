from __future__ import annotations

import numpy as np
import pytest

from figment.data.split import at_random as split
from figment.errors import UserError


def test_the_two_parts_are_the_whole():
    kept, out = split(1000, 0.05, 0)
    assert len(out) == 50
    assert np.array_equal(np.sort(np.concatenate([kept, out])), np.arange(1000))
    assert (np.diff(kept) > 0).all() and (np.diff(out) > 0).all()


def test_the_held_out_are_scattered_and_follow_the_seed():
    _, out = split(10_000, 0.05, 0)
    assert abs(out.mean() - 5000) < 400
    assert not np.array_equal(out, split(10_000, 0.05, 1)[1])
    assert np.array_equal(out, split(10_000, 0.05, 0)[1])


def test_few_examples_are_all_trained_on_and_many_keep_out_at_most_2000():
    assert len(split(199, 0.05, 0)[1]) == 0
    assert len(split(200, 0.05, 0)[1]) == 10
    assert len(split(100_000, 0.05, 0)[1]) == 2_000
    assert len(split(1000, 0.0, 0)[1]) == 0


def test_something_is_left_to_train_on():
    assert len(split(200, 0.99, 0)[0]) == 2
    with pytest.raises(UserError, match=r"held_out 0\.999 of 200 leaves nothing to train on"):
        split(200, 0.999, 0)
