"""Clients of an application in this process, and the runs that it serves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import torch
from fastapi import FastAPI

from figment.recipe import Recipe
from figment.serve.app import application
from figment.serve.models import Model
from figment.serve.service import Service
from figment.training import folder

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


def write_run(path: Path, name: str, recipe: Recipe, net: torch.nn.Module | None = None) -> Path:
    """Write a run folder with one snapshot: of ``net``, or of a generator that has not been trained."""
    classes = [f"class {number}" for number in range(recipe.class_count())]
    data = {"name": "none", "source": "", "path": "", "count": 1, "classes": classes}
    data |= {"shape": list(recipe.shape), "fingerprint": "0" * 64, "held_out": []}
    machine = {"figment": "0", "data": data, "parameters": {}, "budget": {"images": 1}}
    folder.begin(path, name, recipe, machine)
    folder.write_snapshot(path, recipe, net or recipe.networks()["generator"], 1)
    return path


def run_with(models: dict[str, Model], work: Callable[[Client], Awaitable[Any]], **how: Any) -> Any:
    """Return what an async function returns that is given a client."""

    async def whole() -> Any:
        async with asking(models, **how) as client:
            return await work(client)

    return asyncio.run(whole())
