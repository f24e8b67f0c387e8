"""Pieces of work on all cores, their results in order and in bounded memory."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO, TypeVar

from figment.errors import UserError

Result = TypeVar("Result")
Piece = Callable[[], Result]


def in_order(pieces: Iterable[Piece], *, processes: bool = False) -> Generator:
    """Yield the results of pieces of work, in their order; an error ends the work and is raised.

    At most two pieces a core are under way, and no more are taken from ``pieces``, so memory does not
    grow with their number. Threads do the work: Pillow and numpy let go of the interpreter where most
    of the time is spent. With ``processes`` each thread hands its pieces, which must pickle, to a
    process of its own: that takes half a second to start and is twice as fast on small pictures.
    """
    cores = available_cores()
    waiting: deque[Future] = deque()
    elsewhere = Processes()
    run = elsewhere.run if processes and sys.executable else _here
    with (
        contextlib.closing(elsewhere),
        ThreadPoolExecutor(cores, thread_name_prefix="figment-data") as pool,
    ):
        try:
            for piece in pieces:
                waiting.append(pool.submit(run, piece))
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


class Processes:
    """A process for every thread that asks. ``multiprocessing`` would run the user's script again."""

    def __init__(self) -> None:
        self.mine = threading.local()
        self.all: list[subprocess.Popen] = []

    def run(self, piece: Piece[Result]) -> Result:
        """Return what a piece of work returns in this thread's process, or raise what it raised."""
        if not hasattr(self.mine, "process"):
            self.mine.process = _start()
            self.all.append(self.mine.process)
        process = self.mine.process
        try:
            pickle.dump(piece, process.stdin, pickle.HIGHEST_PROTOCOL)
            process.stdin.flush()
            done, result = pickle.load(process.stdout)
        except (EOFError, OSError):
            raise UserError(
                "a process that decoded pictures has died, perhaps because memory ran out: try again, "
                "or with fewer cores (taskset -c 0 figment ...)"
            ) from None
        if not done:
            raise result
        return result

    def close(self) -> None:
        for process in self.all:
            process.communicate()  # ends its input, which ends it


def serve() -> None:
    """Do the pieces of work that come in, until there are no more: the life of such a process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    warnings.simplefilter("ignore")  # about single files: what matters is listed instead
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing that prints may end up among the answers
    _answer(sys.stdin.buffer, answers)


def _answer(questions: BinaryIO, answers: BinaryIO) -> None:
    while True:
        try:
            piece = pickle.load(questions)
        except EOFError:
            return
        try:
            answer = True, piece()
        except Exception as error:  # the parent raises it, whatever it is
            answer = False, error
        pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()


def _start() -> subprocess.Popen:
    code = "from figment.data.workers import serve; serve()"
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    return subprocess.Popen(  # -P: modules of the current folder, which may be the pictures', are not its
        [sys.executable, "-P", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
    )


def _here(piece: Piece[Result]) -> Result:
    return piece()
