"""Clients of an application in this process, and the old runs that it serves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from figment.serve.app import application
from figment.serve.models import Model
from figment.serve.service import Service

RUNS = Path(__file__).parents[1] / "old_runs"
CLASSES, PLAIN = RUNS / "few-shot-classes", RUNS / "dcgan"


class Client(httpx.AsyncClient):
    """A client of an application in this process, and that application's service."""

    app: FastAPI
    service: Service


@asynccontextmanager
async def asking(
    models: dict[str, Model], app: FastAPI | None = None, **how: Any
) -> AsyncGenerator[Client]:
    """Give a client of an application that serves the models: of ``app``, or of a new one."""
    app = app or application(models, **how)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with Client(transport=transport, base_url="http://test") as client:
            client.app, client.service = app, app.state.service
            yield client


def run_with(models: dict[str, Model], work: Callable[[Client], Awaitable[Any]], **how: Any) -> Any:
    """Return what an async function returns that is given a client."""

    async def whole() -> Any:
        async with asking(models, **how) as client:
            return await work(client)

    return asyncio.run(whole())
