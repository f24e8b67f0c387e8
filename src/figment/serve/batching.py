"""Requests drawn together: one thread draws, batch after batch, what an event loop's requests ask for.

What waits is counted in seconds of work, by what a picture was measured to take: sixty-four requests are
nothing for one generator and a minute for another. What nobody waits for any more is not drawn. Requests
for many pictures take turns with those for few, so that nobody who wants one picture waits for films.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from figment.serve.counters import Counters
from figment.serve.drawing import Wanted, joined
from figment.serve.limits import Limits
from figment.serve.models import Opened
from figment.serve.refusals import Busy, Refusal
from figment.serve.workers import Worker

FEW = 4
"""Pictures of a request that does not count as one for many."""
NEWEST = 0.2
"""Weight of the newest batch in what a picture takes."""


@dataclass(eq=False)
class Job:
    """A part of a request that fits into a batch."""

    opened: Opened
    wanted: Wanted
    seconds: float
    """What it is expected to take."""
    result: asyncio.Future[np.ndarray]
    since: float = field(default_factory=time.monotonic)
    waiting: bool = True

    @property
    def count(self) -> int:
        return self.wanted.count


class Line:
    """Jobs that wait, the oldest first."""

    def __init__(self) -> None:
        self.jobs: deque[Job] = deque()
        self.seconds = 0.0
        """Work of those that wait, and of those that are being drawn."""

    def taken(self, room: int) -> list[Job]:
        """Take out the first that is still wanted, and those that fit with it into ``room`` pictures."""
        waiting = [job for job in self.jobs if not job.result.done()]
        self.jobs = deque()
        batch: list[Job] = []
        for job in waiting:
            first = batch[0] if batch else job
            alike = job.opened is first.opened and job.wanted.kind == first.wanted.kind
            if job is first or (alike and job.count <= room):
                batch.append(job)
                room -= job.count
                job.waiting = False
            else:
                self.jobs.append(job)
        return batch


class Batcher:
    """Draws what requests ask for, together where it can. Belongs to one event loop."""

    def __init__(self, limits: Limits, counters: Counters) -> None:
        self.limits, self.counters = limits, counters
        self.few, self.many = Line(), Line()
        self.ending = False
        self.worker = Worker("drawing")
        self._more = asyncio.Event()
        self._turn = self.few, self.many
        """Whose turn it is, and whose it is not."""
        self._task = asyncio.create_task(self._run())

    async def draw(self, opened: Opened, wanted: Wanted) -> np.ndarray:
        """Return the pictures, uint8 [N, C, R, R].

        Cancelled, it takes back what has not been drawn. Raises Busy where too much waits already, Refusal
        where it is more than may ever wait.
        """
        count = wanted.count
        seconds, most = count * opened.cost, self.limits.queue_seconds
        if count > 1 and seconds > most:
            raise Refusal(
                422,
                f"{count} pictures of this generator take about {seconds:.0f} s: ask for at most "
                f"{max(1, int(most / opened.cost))}",
            )
        if self.ending:
            raise Busy("this server is stopping: ask again")
        line = self.few if count <= FEW else self.many
        if line.seconds and line.seconds + seconds > most:
            self.counters.refused.labels("queue").inc()
            raise Busy(f"{line.seconds:.1f} s of work wait already: ask again", self.seconds)
        size = self._size(opened)
        parts = [wanted.part(start, start + size) for start in range(0, count, size)]
        jobs = [self._put(line, opened, part) for part in parts]
        parts = await asyncio.gather(*(job.result for job in jobs))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    @property
    def seconds(self) -> float:
        """Work that waits or is being done."""
        return self.few.seconds + self.many.seconds

    def refuse_waiting(self) -> None:
        """Refuse what has not been drawn, and all that comes: the server stops."""
        self.ending = True
        for job in (*self.few.jobs, *self.many.jobs):
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

    def _put(self, line: Line, opened: Opened, wanted: Wanted) -> Job:
        future = asyncio.get_running_loop().create_future()
        job = Job(opened, wanted, wanted.count * opened.cost, future)
        future.add_done_callback(lambda _: self._left(line, job))
        line.seconds += job.seconds
        line.jobs.append(job)
        self._more.set()
        return job

    def _left(self, line: Line, job: Job) -> None:
        """Count a job as no longer waiting, for whatever reason."""
        line.seconds = max(0.0, line.seconds - job.seconds)
        if job.waiting and job.result.cancelled():
            self.counters.dropped.inc(job.count)

    async def _run(self) -> None:
        """Draw batch after batch; whatever goes wrong is told to those who wait, and drawing goes on."""
        while True:
            batch: list[Job] = []
            try:
                batch = await self._next()
                await self._draw(batch)
            except Exception as error:
                for job in batch or self._all():
                    if not job.result.done():
                        job.result.set_exception(error)

    def _all(self) -> list[Job]:
        """Take out all that wait."""
        jobs = [*self.few.jobs, *self.many.jobs]
        self.few.jobs.clear()
        self.many.jobs.clear()
        return jobs

    async def _draw(self, batch: list[Job]) -> None:
        """Draw a batch, and give each job its pictures."""
        opened, wanted = batch[0].opened, [job.wanted for job in batch]
        began = time.perf_counter()
        pictures = await self.worker.do(lambda: _drawn(opened, wanted))
        if len(pictures) != sum(job.count for job in batch):
            raise RuntimeError(
                f"{len(pictures)} pictures were drawn, which is not what was asked for"
            )
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
        """Return the jobs that are drawn next: the first of a line, and those that go with it."""
        while True:
            while not (self.few.jobs or self.many.jobs):
                self._more.clear()
                await self._more.wait()
            line, other = self._turn
            line = line if line.jobs else other
            await self._company(line)
            if batch := line.taken(self._size(line.jobs[0].opened)):
                self._turn = (self.few, self.many) if line is self.many else (self.many, self.few)
                return batch

    async def _company(self, line: Line) -> None:
        """Wait until a batch is full, or the first in a line has waited long enough."""
        first = line.jobs[0]
        most, until = self._size(first.opened), first.since + self.limits.wait
        while sum(job.count for job in line.jobs) < most:
            left = until - time.monotonic()
            if left <= 0:
                return
            self._more.clear()
            try:
                async with asyncio.timeout(left):
                    await self._more.wait()
            except TimeoutError:
                return


def _drawn(opened: Opened, wanted: Sequence[Wanted]) -> np.ndarray:
    return opened.engine.draw(joined([each.drawing() for each in wanted]))
