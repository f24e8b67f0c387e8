"""Two small old runs, served in this process."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from asking import CLASSES, PLAIN, asking
from fastapi import FastAPI

from figment.serve import kept
from figment.serve.app import application
from figment.serve.models import How, Model, open_models


@pytest.fixture(autouse=True)
def a_minute() -> Iterator[None]:
    """What waits for ever fails where it waits, after a minute."""

    def late(*_: Any) -> None:
        raise TimeoutError("this test has taken a minute")

    if not hasattr(signal, "SIGALRM"):  # Windows
        yield
        return
    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="session")
def models(session_cache: Path) -> dict[str, Model]:
    """Both of them, drawn by torch, without sliders, which take a thousand pictures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIGMENT_CACHE", str(session_cache))
        patch.setattr(kept, "directions", lambda generator: [])
        return open_models([CLASSES, PLAIN], How(engine="torch", device="cpu"))


@pytest.fixture(scope="session")
def app(models: dict[str, Model]) -> FastAPI:
    """An application that serves them as it is by itself."""
    return application(models)


@pytest.fixture
def ask(models: dict[str, Model], app: FastAPI) -> Callable[..., httpx.Response]:
    """Return what sends one request, to an application with other settings if ``serving`` has any."""

    def one(address: str, method: str = "GET", *, serving: dict | None = None, **how: Any):
        async def send() -> httpx.Response:
            async with asking(models, None if serving else app, **(serving or {})) as client:
                return await client.request(method, address, **how)

        return asyncio.run(send())

    return one
