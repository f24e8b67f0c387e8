from __future__ import annotations

import asyncio

import numpy as np
import pytest
import torch
from asking import run_with

from figment.serve.limits import Limits
from figment.serve.routes import projections

ADDRESS = "/api/models/dcgan/project?steps=5"


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(projections, "CANDIDATES", 64)


def test_a_picture_that_the_generator_made_is_found(models):
    async def found(client):
        picture = (await client.get("/api/models/dcgan/image?seed=7")).content
        plain = await client.post(ADDRESS, content=picture)
        form = await client.post(ADDRESS, files={"picture": ("../../x.png", picture)})
        latent = plain.json()["latent"]
        drawn = await client.post("/api/models/dcgan/draw?format=raw", json={"latents": [latent]})
        raw = await client.get("/api/models/dcgan/image?seed=7&format=raw")
        return plain.json(), form.json(), drawn.content, raw.content

    plain, form, drawn, given = run_with(models, found)
    assert plain["distance"] < 0.1 < plain["start"] and plain["class"] is None
    assert form == plain
    apart = np.frombuffer(drawn, np.uint8).astype(int) - np.frombuffer(given, np.uint8)
    assert abs(apart).mean() < 3


def test_a_system_that_finds_latents_itself_is_not_told_how_to_search(
    models, monkeypatch: pytest.MonkeyPatch
):
    own = lambda generator, target: torch.zeros(1, generator.recipe.latent)  # noqa: E731
    monkeypatch.setattr("figment.sampling.project.code_of", own)

    async def asked(client):
        picture = (await client.get("/api/models/dcgan/image?seed=7")).content
        ways = [ADDRESS.replace("steps=5", more) for more in ("steps=5", "seed=1", "")]
        return [await client.post(way, content=picture) for way in ways]

    steps, seed, plain = run_with(models, asked)
    assert (steps.status_code, seed.status_code, plain.status_code) == (422, 422, 200)
    assert "finds the latent of a picture itself" in steps.text


def test_a_search_ends_when_its_time_is_over(models):
    async def late(client):
        picture = (await client.get("/api/models/dcgan/image?seed=7")).content
        answer = await client.post(ADDRESS, content=picture)
        return answer, client.service.projecting.busy

    answer, busy = run_with(models, late, limits=Limits(project_seconds=0.0))
    assert answer.status_code == 422 and "ask for fewer steps" in answer.json()["detail"]
    assert not busy


def test_a_search_is_refused_when_the_server_ends(models):
    async def ended(client):
        picture = (await client.get("/api/models/dcgan/image?seed=7")).content
        found = asyncio.create_task(client.post(ADDRESS.replace("5", "300"), content=picture))
        async with asyncio.timeout(20):
            while not client.service.projecting.busy and not found.done():
                await asyncio.sleep(0.002)
            client.service.refuse_waiting()
            return await found, await client.get("/api/models/dcgan/image?seed=8")

    for answer in run_with(models, ended):
        assert answer.status_code == 503 and "stopping" in answer.json()["detail"]


def test_one_is_looked_for_at_a_time(models):
    async def second(client):
        client.service.projecting.busy = True
        return await client.post(ADDRESS, content=b"x")

    answer = run_with(models, second)
    assert answer.status_code == 503 and answer.headers["retry-after"] == "10"
