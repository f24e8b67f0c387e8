from __future__ import annotations

import os
import threading
import time
from functools import partial

import pytest

from figment.data import workers
from figment.data.workers import available_cores, in_order
from figment.errors import UserError


def test_results_come_in_order():
    def work(number: int) -> int:
        time.sleep(0.002 * (number % 3))
        return number

    assert list(in_order(partial(work, number) for number in range(10))) == list(range(10))
    assert list(in_order([])) == []


def test_only_a_few_pieces_are_ever_under_way(monkeypatch):
    monkeypatch.setattr(workers, "available_cores", lambda: 3)
    begun = []
    results = in_order(partial(begun.append, number) for number in range(1000))
    for taken in range(1, 50):
        next(results)
        assert len(begun) <= taken + 6
    results.close()
    assert len(begun) < 100


def test_the_work_is_shared_by_several_threads(monkeypatch):
    monkeypatch.setattr(workers, "available_cores", lambda: 2)
    meeting = threading.Barrier(2, timeout=10)
    assert len(list(in_order([meeting.wait, meeting.wait]))) == 2


def test_an_error_ends_the_work():
    begun = []

    def work(number: int) -> None:
        begun.append(number)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        list(in_order(partial(work, number) for number in range(1000)))
    assert len(begun) <= 2 * available_cores() + 2


def test_processes_do_the_same_work_elsewhere(monkeypatch):
    monkeypatch.setattr(workers, "available_cores", lambda: 2)
    assert list(in_order([partial(pow, 2, n) for n in range(9)], processes=True)) == [
        2**n for n in range(9)
    ]
    found = set(in_order([os.getpid] * 6, processes=True))
    assert os.getpid() not in found and 1 <= len(found) <= 2
    for number in found:  # gone with the work
        with pytest.raises(ProcessLookupError):
            os.kill(number, 0)


def test_an_error_in_a_process_is_raised_here(monkeypatch):
    monkeypatch.setattr(workers, "available_cores", lambda: 1)
    with pytest.raises(ValueError, match="invalid literal"):
        list(in_order([partial(int, "x")], processes=True))
    with pytest.raises(UserError, match="a process that decoded pictures has died"):
        list(in_order([partial(os._exit, 3)], processes=True))


def test_what_a_process_prints_is_not_taken_for_an_answer(monkeypatch):
    monkeypatch.setattr(workers, "available_cores", lambda: 1)
    assert list(in_order([partial(print, "hello"), os.getppid], processes=True)) == [
        None,
        os.getpid(),
    ]
