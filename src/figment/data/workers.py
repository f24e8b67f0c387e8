"""Work on consecutive stretches of a source, on all cores, in order and in bounded memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def in_order(work: Callable[[int, int], Result], count: int, stretch: int) -> Generator[Result]:
    """Yield ``work(start, stop)`` for consecutive stretches of ``range(count)``, in order.

    Threads, because Pillow and numpy let go of the interpreter where the time is spent, and because
    they need no ``__main__`` guard and no pickling anywhere. At most two stretches a core are under
    way, so memory does not grow with ``count``.
    """
    cores = available_cores()
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(cores, thread_name_prefix="figment-data") as pool:
        try:
            for start in range(0, count, stretch):
                waiting.append(pool.submit(work, start, min(start + stretch, count)))
                if len(waiting) >= 2 * cores:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def available_cores() -> int:
    """Return how many cores this process may use, at most 32."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        cores = os.cpu_count() or 1
    return min(32, cores)
