"""Threads that work for the event loop, one thing at a time each."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any


class Worker:
    """A thread that does what it is given, in order; it does not keep the process from ending."""

    def __init__(self, name: str) -> None:
        self.busy = False
        """Whether it is at something now."""
        self._given: queue.SimpleQueue[tuple[Callable[[], Any], asyncio.Future] | None]
        self._given = queue.SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def do(self, what: Callable[[], Any]) -> asyncio.Future:
        """Return the future of what a function returns or raises.

        Where the future is cancelled before its turn, the function is not called.
        """
        future = asyncio.get_running_loop().create_future()
        self._given.put((what, future))
        return future

    def stop(self) -> None:
        """End the thread when all that it was given is done."""
        self._given.put(None)

    def _work(self) -> None:
        while (given := self._given.get()) is not None:
            what, future = given
            if future.cancelled():
                continue
            self.busy = True
            try:
                result, tell = what(), _succeed
            except BaseException as error:  # it is whoever waits that is told
                result, tell = error, _fail
            self.busy = False
            with suppress(RuntimeError):  # the loop has ended
                future.get_loop().call_soon_threadsafe(tell, future, result)
            del what, future, result


def _succeed(future: asyncio.Future, result: Any) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: asyncio.Future, error: BaseException) -> None:
    """Tell an error as an exception that a task may raise: others would end the loop, or be lost."""
    if not isinstance(error, Exception) or isinstance(error, StopIteration):
        error = RuntimeError(repr(error))
    if not future.done():
        future.set_exception(error)
