"""Requests drawn together: one thread draws, batch after batch, what an event loop's requests ask for.

What waits is counted in seconds of work, by what a picture was measured to take: sixty-four requests are
nothing for one generator and a minute for another. What nobody waits for any more is not drawn.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field

import numpy as np

from figment.serve.counters import Counters
from figment.serve.drawing import Drawing, joined
from figment.serve.limits import Limits
from figment.serve.models import Opened
from figment.serve.refusals import Busy, Refusal
from figment.serve.workers import Worker

NEWEST = 0.2
"""Weight of the newest batch in what a picture takes."""


@dataclass(eq=False)
class Job:
    """A part of a request that fits into a batch."""

    opened: Opened
    wanted: Drawing
    seconds: float
    """What it is expected to take."""
    result: asyncio.Future[np.ndarray]
    since: float = field(default_factory=time.monotonic)
    waiting: bool = True

    @property
    def count(self) -> int:
        return len(self.wanted.latents)


class Batcher:
    """Draws what requests ask for, together where it can. Belongs to one event loop."""

    def __init__(self, limits: Limits, counters: Counters) -> None:
        self.limits, self.counters = limits, counters
        self.seconds = 0.0
        """Work that waits or is being done."""
        self.ending = False
        self.worker = Worker("drawing")
        self._jobs: deque[Job] = deque()
        self._more = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    async def draw(self, opened: Opened, wanted: Drawing) -> np.ndarray:
        """Return the pictures, uint8 [N, C, R, R].

        Cancelled, it takes back what has not been drawn. Raises Busy where too much waits already, Refusal
        where it is more than may ever wait.
        """
        count = len(wanted.latents)
        seconds, most = count * opened.cost, self.limits.queue_seconds
        if count > 1 and seconds > most:
            raise Refusal(
                422,
                f"{count} pictures of this generator take about {seconds:.0f} s: ask for at most "
                f"{max(1, int(most / opened.cost))}",
            )
        if self.ending:
            raise Busy("this server is stopping: ask again")
        if self.seconds and self.seconds + seconds > most:
            self.counters.refused.labels("queue").inc()
            raise Busy(f"{self.seconds:.1f} s of work wait already: ask again", self.seconds)
        size = self._size(opened)
        jobs = [
            self._put(opened, wanted.part(start, start + size)) for start in range(0, count, size)
        ]
        parts = await asyncio.gather(*(job.result for job in jobs))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def refuse_waiting(self) -> None:
        """Refuse what has not been drawn, and all that comes: the server stops."""
        self.ending = True
        for job in list(self._jobs):
            if not job.result.done():
                job.result.set_exception(Busy("this server is stopping: ask again"))

    def close(self) -> None:
        """Stop drawing. What is being drawn by then is not waited for."""
        self.refuse_waiting()
        self._task.cancel()
        self.worker.stop()

    def _size(self, opened: Opened) -> int:
        """Return how many pictures of a generator are drawn together at most."""
        return max(1, min(self.limits.batch, int(self.limits.batch_seconds / opened.cost)))

    def _put(self, opened: Opened, wanted: Drawing) -> Job:
        future = asyncio.get_running_loop().create_future()
        job = Job(opened, wanted, len(wanted.latents) * opened.cost, future)
        future.add_done_callback(lambda _: self._left(job))
        self.seconds += job.seconds
        self._jobs.append(job)
        self._more.set()
        return job

    def _left(self, job: Job) -> None:
        """Count a job as no longer waiting, for whatever reason."""
        self.seconds = max(0.0, self.seconds - job.seconds)
        if job.waiting and job.result.cancelled():
            self.counters.dropped.inc(job.count)

    async def _run(self) -> None:
        """Draw batch after batch; what goes wrong with one is told to those who wait for it."""
        while True:
            batch = await self._next()
            opened = batch[0].opened
            wanted = joined([job.wanted for job in batch])
            began = time.perf_counter()
            try:
                pictures = await self.worker.do(lambda o=opened, w=wanted: o.engine.draw(w))
            except Exception as error:
                for job in batch:
                    if not job.result.done():
                        job.result.set_exception(error)
                continue
            taken = time.perf_counter() - began
            opened.cost += NEWEST * (taken / len(pictures) - opened.cost)
            self.counters.batches.observe(len(pictures))
            self.counters.pictures.labels(opened.name).inc(len(pictures))
            start = 0
            for job in batch:
                if not job.result.done():
                    job.result.set_result(pictures[start : start + job.count])
                start += job.count

    async def _next(self) -> list[Job]:
        """Return the jobs that are drawn next: the first that waits, and those that go with it."""
        while True:
            while not self._jobs:
                self._more.clear()
                await self._more.wait()
            await self._company(self._jobs[0])
            batch, rest = self._chosen()
            self._jobs = rest
            if batch:
                return batch

    async def _company(self, first: Job) -> None:
        """Wait until a batch is full, or the first has waited long enough."""
        most, until = self._size(first.opened), first.since + self.limits.wait
        while sum(job.count for job in self._jobs) < most:
            left = until - time.monotonic()
            if left <= 0:
                return
            self._more.clear()
            try:
                async with asyncio.timeout(left):
                    await self._more.wait()
            except TimeoutError:
                return

    def _chosen(self) -> tuple[list[Job], deque[Job]]:
        """Return those that still wait and go together with the first of them, and all others."""
        waiting = [job for job in self._jobs if not job.result.done()]
        if not waiting:
            return [], deque()
        first, room = waiting[0], self._size(waiting[0].opened)
        batch, rest = [], deque()
        for job in waiting:
            fits = job.opened is first.opened and job.wanted.kind == first.wanted.kind
            if job is first or (fits and job.count <= room):
                batch.append(job)
                room -= job.count
                job.waiting = False
            else:
                rest.append(job)
        return batch, rest
