"""What the routes share: models, the thread that draws, limits and counters."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Path, Request

from figment.errors import nearest
from figment.serve.batching import Batcher
from figment.serve.counters import Counters
from figment.serve.limits import Limits
from figment.serve.models import Model, Opened
from figment.serve.refusals import Busy, Gone, Refusal
from figment.serve.workers import Worker

T = TypeVar("T")
LISTED = 20


class Service:
    """One server's parts. Belongs to one event loop."""

    def __init__(self, models: Mapping[str, Model], limits: Limits, counters: Counters) -> None:
        self.models, self.limits, self.counters = models, limits, counters
        self.batcher = Batcher(limits, counters)
        self.encoding = Worker("encoding")
        self.filming = Worker("filming")
        self.projecting = Worker("projecting")
        self.reading = Worker("reading")
        """What reads run folders."""
        self.stopping = False
        """Whether this server takes no more connections."""
        self.over = asyncio.get_running_loop().create_future()
        """Done when this server answers no more than refusals."""
        self.films = asyncio.Semaphore(limits.films)
        self.states: dict[str, tuple[float, asyncio.Future[dict[str, Any]]]] = {}
        """Of runs, as they were read last, and when."""

    def refuse_waiting(self) -> None:
        """Refuse what has not been answered, and all that comes: the server stops."""
        self.batcher.refuse_waiting()
        if not self.over.done():
            self.over.set_result(None)

    def stop(self) -> None:
        """End what can be ended; who still waits is refused."""
        self.refuse_waiting()
        self.batcher.close()
        for worker in (self.encoding, self.filming, self.projecting, self.reading):
            worker.stop()

    async def unless_gone(
        self, request: Request, work: Coroutine[Any, Any, T], seconds: float | None = None
    ) -> T:
        """Return what ``work`` returns; it is cancelled where the client goes, or it takes too long.

        Raises Gone, Busy.
        """
        task = asyncio.ensure_future(work)
        watch = asyncio.ensure_future(_gone(request))
        try:
            await asyncio.wait(
                {task, watch, self.over},
                timeout=seconds or self.limits.request_seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if task.done():
                return task.result()
            if watch.done():
                raise Gone
            if self.over.done():
                raise Busy("this server is stopping: ask again")
            self.counters.refused.labels("time").inc()
            raise Busy("this took too long: ask again, or for less")
        finally:
            for each in (task, watch):
                each.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await each


async def _gone(request: Request) -> None:
    """Return when the client has closed its connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


# What requests depend on is async, though it waits for nothing: FastAPI calls functions in other threads.
async def service_of(request: Request) -> Service:
    """Return the service that a request came to."""
    return request.app.state.service


Serving = Annotated[Service, Depends(service_of)]


async def model_of(service: Serving, model: Annotated[str, Path(max_length=200)]) -> Model:
    """Return the model that an address names. Raises Refusal where there is none."""
    found = service.models.get(model)
    if found is None:
        names = ", ".join(list(service.models)[:LISTED])
        hint = nearest(model, service.models)
        raise Refusal(404, f"there is no model {model[:80]}.{hint} The models are {names}.")
    return found


Chosen = Annotated[Model, Depends(model_of)]


async def opened_of(model: Chosen) -> Opened:
    """Return the generator of a model. Raises Busy while it has none."""
    if model.opened is None:
        raise Busy(f"{model.name} is in training and has no snapshot yet: ask again", 10)
    return model.opened


Drawn = Annotated[Opened, Depends(opened_of)]


async def refuse_repeated(request: Request) -> None:
    """Raise Refusal where a parameter is given twice: only one of them would count."""
    seen: set[str] = set()
    several = {"class"} if request.url.path.endswith("/walk") else set()
    for name, _ in request.query_params.multi_items():
        if name in seen - several:
            raise Refusal(422, f"{name[:80]} is given twice: give it once")
        seen.add(name)
