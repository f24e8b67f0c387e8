from __future__ import annotations

import threading
import time

import pytest

from figment.data import workers
from figment.data.workers import available_cores, in_order


def test_results_come_in_order_and_cover_everything():
    def work(start: int, stop: int) -> tuple[int, int]:
        time.sleep(0.002 * (start % 3))
        return start, stop

    assert list(in_order(work, 10, 3)) == [(0, 3), (3, 6), (6, 9), (9, 10)]
    assert list(in_order(work, 0, 3)) == []


def test_only_a_few_stretches_are_ever_under_way(monkeypatch):
    monkeypatch.setattr(workers, "available_cores", lambda: 3)
    begun = []
    results = in_order(lambda start, stop: begun.append(start), 1000, 1)
    for taken in range(1, 50):
        next(results)
        assert len(begun) <= taken + 6
    results.close()
    assert len(begun) < 100


def test_the_work_is_shared_by_several_threads(monkeypatch):
    monkeypatch.setattr(workers, "available_cores", lambda: 2)
    meeting = threading.Barrier(2, timeout=10)
    assert list(in_order(lambda start, stop: meeting.wait() >= 0, 2, 1)) == [True, True]


def test_an_error_ends_the_work():
    begun = []

    def work(start: int, stop: int) -> None:
        begun.append(start)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        list(in_order(work, 1000, 1))
    assert len(begun) <= 2 * available_cores() + 2
