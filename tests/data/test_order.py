from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from figment.data import Dataset, Order, evenly_spaced, gather, order
from figment.randomness import stream


def test_an_epoch_is_the_permutation_of_its_address():
    expected = np.concatenate([stream("order", 5, epoch).permutation(7) for epoch in range(3)])
    assert Order(7, 5).indices(0, 21).tolist() == expected.tolist()
    assert Order(7, 5).indices(3, 15).tolist() == expected[3:18].tolist()
    assert Order(7, 5).indices(14, 0).tolist() == []


@settings(max_examples=50)
@given(st.integers(1, 20), st.integers(0, 9), st.lists(st.integers(0, 50), min_size=1, max_size=9))
def test_any_way_of_asking_gives_the_same(n, seed, counts):
    step_by_step, position = Order(n, seed), 0
    parts = []
    for count in counts:
        parts.append(step_by_step.indices(position, count))
        position += count
    assert np.concatenate(parts).tolist() == Order(n, seed).indices(0, position).tolist()


def test_every_example_is_shown_once_an_epoch():
    shown = Order(10, 0).indices(40, 30).reshape(3, 10)
    assert (np.sort(shown, axis=1) == np.arange(10)).all()
    assert (shown[0] != shown[1]).any()
    assert (Order(10, 1).indices(40, 30) != shown.ravel()).any()


def test_two_epochs_are_kept_and_no_more(monkeypatch):
    drawn = []
    monkeypatch.setattr(
        order, "stream", lambda *address: drawn.append(address[2]) or stream(*address)
    )
    one = Order(10, 0)
    for position in (0, 5, 8, 3, 12, 9, 15):  # batches that straddle epochs 0 and 1
        one.indices(position, 4)
    assert drawn == [0, 1]
    one.indices(25, 10)
    assert drawn == [0, 1, 2, 3]
    assert sorted(one._epochs) == [2, 3]


def test_senseless_questions_are_refused():
    with pytest.raises(ValueError, match="at least 1 example, not 0"):
        Order(0, 0)
    with pytest.raises(ValueError, match="cannot be negative, not -1 and 3"):
        Order(3, 0).indices(-1, 3)


def test_gather_copies_the_chosen_rows(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (9, 3, 4, 4), np.uint8)
    np.save(tmp_path / "rows.npy", pixels)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    data = Dataset("a", "a", mapped, np.arange(9) % 2, ("x", "y"), "")
    rows, labels = gather(data, np.array([8, 0, 8, 3]))
    assert type(rows) is np.ndarray
    assert rows.dtype == np.uint8 and labels.dtype == np.int64
    assert rows.flags.c_contiguous and rows.flags.writeable and rows.flags.owndata
    assert (rows == pixels[[8, 0, 8, 3]]).all()
    assert labels.tolist() == [0, 0, 0, 1]
    points = Dataset("p", "p", np.eye(9, 2, dtype=np.float32), np.zeros(9, np.int64), (), "")
    assert gather(points, np.array([1, 0]))[0].tolist() == [[0, 1], [1, 0]]
    assert points.shape == (2,)


def test_evenly_spaced_rows_hold_both_ends():
    assert evenly_spaced(np.arange(10, 35), 4).tolist() == [10, 18, 26, 34]
    assert evenly_spaced(np.arange(3), 10).tolist() == [0, 1, 2]
    assert evenly_spaced(np.arange(0), 10).tolist() == []


@given(st.integers(1, 5000), st.integers(2, 300))
def test_no_row_is_taken_twice(n, most):
    chosen = evenly_spaced(np.arange(n), most)
    assert len(set(chosen.tolist())) == min(n, most)
    assert chosen[0] == 0 and chosen[-1] == n - 1
