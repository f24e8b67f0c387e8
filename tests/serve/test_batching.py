from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from asking import run_with

from figment.serve.batching import Batcher
from figment.serve.counters import Counters
from figment.serve.drawing import Drawing
from figment.serve.limits import Limits
from figment.serve.models import Model, Opened
from figment.serve.refusals import Busy, Refusal


class Slow:
    """Draws the number in a latent as a picture of one pixel, slowly, and remembers its batches."""

    name = "slow"

    def __init__(self, seconds: float = 0.02) -> None:
        self.seconds = seconds
        self.batches: list[list[float]] = []

    def draw(self, wanted: Drawing) -> np.ndarray:
        time.sleep(self.seconds)
        numbers = wanted.latents[:, 0]
        if float(numbers.max()) > 250:
            raise ZeroDivisionError
        self.batches.append(numbers.tolist())
        return numbers.to(torch.uint8).numpy()[:, None, None, None]


def opened(engine: Slow, cost: float = 0.001, name: str = "slow") -> Opened:
    nothing: Any = None
    return Opened(name, nothing, engine, {}, "1", cost)


def wanted(*numbers: float, **how: Any) -> Drawing:
    return Drawing(torch.tensor(numbers)[:, None], **how)


async def at_work(batcher: Batcher) -> None:
    """Wait until something is being drawn."""
    async with asyncio.timeout(10):
        while not batcher.worker.busy:
            await asyncio.sleep(0.002)


def drawn(work, **limits: Any) -> Any:
    async def whole():
        batcher = Batcher(replace(Limits(), **limits), Counters())
        try:
            return await work(batcher)
        finally:
            batcher.close()

    return asyncio.run(whole())


def test_requests_are_drawn_together_and_each_gets_its_own():
    engine = Slow()
    model = opened(engine)

    async def many(batcher):
        asked = [batcher.draw(model, wanted(number)) for number in range(40)]
        return [int(found.ravel()[0]) for found in await asyncio.gather(*asked)]

    assert drawn(many) == list(range(40))
    assert [len(batch) for batch in engine.batches] == [32, 8]


def test_a_large_request_is_drawn_in_parts_and_a_slow_generators_batches_are_small():
    engine = Slow()

    async def one(batcher):
        return (await batcher.draw(opened(engine, cost=0.3), wanted(*range(7)))).ravel().tolist()

    assert drawn(one) == list(range(7))
    assert len(engine.batches[0]) == 3  # 1 s of work


def test_only_what_is_alike_goes_together():
    engine = Slow()
    one, two = opened(engine), opened(engine, name="two")

    async def mixed(batcher):
        await asyncio.gather(
            batcher.draw(one, wanted(1)),
            batcher.draw(two, wanted(2)),
            batcher.draw(one, wanted(3, truncation=0.5)),
            batcher.draw(one, wanted(4)),
        )

    drawn(mixed)
    assert sorted(map(sorted, engine.batches)) == [[1, 4], [2], [3]]


def test_what_nobody_waits_for_is_not_drawn():
    engine = Slow(0.05)
    model = opened(engine)

    async def leaving(batcher):
        first = asyncio.create_task(batcher.draw(model, wanted(0)))
        await at_work(batcher)
        gone = [asyncio.create_task(batcher.draw(model, wanted(9))) for _ in range(20)]
        await asyncio.sleep(0.01)
        for task in gone:
            task.cancel()
        await first
        await batcher.draw(model, wanted(1))
        return batcher.seconds, batcher.counters.dropped._value.get()

    left, dropped = drawn(leaving)
    assert engine.batches == [[0], [1]]
    assert left == pytest.approx(0) and dropped == 20


def test_the_queue_is_bounded_in_seconds_of_work():
    engine = Slow(0.05)
    model = opened(engine, cost=1.0)

    async def crowd(batcher):
        asked = (batcher.draw(model, wanted(number)) for number in range(8))
        return await asyncio.gather(*asked, return_exceptions=True)

    found = drawn(crowd, queue_seconds=3.0)
    refused = [each for each in found if isinstance(each, Busy)]
    assert len(refused) == 5 and refused[0].headers == {"Retry-After": "3"}
    with pytest.raises(Refusal, match="ask for at most 3"):
        drawn(lambda batcher: batcher.draw(opened(engine, 1.0), wanted(*range(9))), queue_seconds=3)


def test_who_wants_one_picture_does_not_wait_for_those_who_want_many():
    engine = Slow()
    model = opened(engine)

    async def both(batcher):
        many = [asyncio.create_task(batcher.draw(model, wanted(*range(32)))) for _ in range(6)]
        await asyncio.sleep(0)
        one = asyncio.create_task(batcher.draw(model, wanted(99)))
        await asyncio.gather(one, *many)

    drawn(both)
    assert [99] in engine.batches[:2]


def test_a_mistake_in_drawing_reaches_whoever_asked_and_nobody_else():
    model = opened(Slow())

    async def one_wrong(batcher):
        with pytest.raises(ZeroDivisionError):
            await batcher.draw(model, wanted(255))
        return (await batcher.draw(model, wanted(5))).ravel().tolist()

    assert drawn(one_wrong) == [5]


@pytest.mark.parametrize("wrong", [StopIteration, SystemExit, None])
def test_nothing_that_a_drawing_does_leaves_requests_without_an_answer(wrong):
    class Wrong(Slow):
        def draw(self, wanted):
            if wrong is None:
                return np.zeros((0, 1, 1, 1), np.uint8)
            raise wrong

    async def one_wrong(batcher):
        with pytest.raises(RuntimeError):
            await batcher.draw(opened(Wrong()), wanted(1))
        return (await batcher.draw(opened(Slow()), wanted(5))).ravel().tolist()

    assert drawn(one_wrong) == [5]


def test_a_mistake_in_batching_is_told_to_who_waits_and_drawing_goes_on(monkeypatch):
    async def one_wrong(batcher):
        async def wrong(line):
            monkeypatch.undo()
            raise ZeroDivisionError

        monkeypatch.setattr(batcher, "_company", wrong)
        with pytest.raises(ZeroDivisionError):
            await batcher.draw(opened(Slow()), wanted(1))
        return (await batcher.draw(opened(Slow()), wanted(5))).ravel().tolist(), batcher.seconds

    assert drawn(one_wrong) == ([5], 0)


def test_what_waits_at_the_end_is_refused():
    model = opened(Slow(0.1))

    async def ending(batcher):
        first = asyncio.create_task(batcher.draw(model, wanted(1)))
        await at_work(batcher)
        second = asyncio.create_task(batcher.draw(model, wanted(2)))
        await asyncio.sleep(0.01)
        batcher.refuse_waiting()
        return await asyncio.gather(first, second, return_exceptions=True)

    first, second = drawn(ending)
    assert first.ravel().tolist() == [1] and isinstance(second, Busy)


def served(engine: Slow, cost: float) -> dict[str, Model]:
    """A model that needs no run."""
    model = Model.__new__(Model)
    model.name, model.opened, model.refresh = "slow", opened(engine, cost), lambda: False
    return {"slow": model}


def test_a_client_that_leaves_takes_its_request_with_it(monkeypatch):
    engine = Slow(0.3)
    monkeypatch.setattr(
        "figment.serve.routes.pictures.of_seeds", lambda opened, seeds, *_: wanted(*seeds)
    )

    async def leaving(client):
        address = "/api/models/slow/image?format=raw&seed="
        first = asyncio.create_task(client.get(f"{address}1"))
        await at_work(client.service.batcher)
        app = client._transport.app
        gone = asyncio.Event()
        sent = []

        async def receive():
            if not sent:
                sent.append(1)
                return {"type": "http.request", "body": b"", "more_body": False}
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": "GET", "headers": [], "http_version": "1.1"}
        scope |= {"path": "/api/models/slow/image", "query_string": b"format=raw&seed=9"}
        scope |= {"scheme": "http", "server": ("test", 80), "client": ("test", 1), "root_path": ""}
        left = asyncio.create_task(app({**scope, "raw_path": b""}, receive, send))
        await asyncio.sleep(0.03)
        gone.set()
        await asyncio.gather(first, left)
        return await client.get(f"{address}2")

    assert run_with(served(engine, 0.001), leaving).content == b"\2"
    assert engine.batches == [[1], [2]]


def test_a_full_queue_is_503_with_a_time_to_come_again(monkeypatch):
    monkeypatch.setattr(
        "figment.serve.routes.pictures.of_seeds", lambda opened, seeds, *_: wanted(*seeds)
    )

    async def crowd(client):
        asked = (client.get(f"/api/models/slow/image?seed={seed}") for seed in range(8))
        return await asyncio.gather(*asked)

    found = run_with(served(Slow(0.7), 1.0), crowd, limits=Limits(queue_seconds=3.0))
    assert sorted(answer.status_code for answer in found) == [200] * 3 + [503] * 5
    refused = next(answer for answer in found if answer.status_code == 503)
    assert refused.headers["retry-after"] == "3" and "ask again" in refused.json()["detail"]
