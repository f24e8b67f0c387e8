"""What is there: the models, what each is, how its run stands; health and counters."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import JSONResponse, Response

from figment.serve.caching import unchanged
from figment.serve.live import grid_at, live
from figment.serve.refusals import Refusal
from figment.serve.service import Chosen, Drawn, Service, Serving

router = APIRouter()
FRESH = 2.0
"""Seconds for which a run's state is not read again."""
TEXT = "text/plain; version=0.0.4; charset=utf-8"


@router.get("/healthz")
async def healthz(service: Serving) -> JSONResponse:
    """Whether the server takes work."""
    if service.stopping:
        return JSONResponse({"status": "stopping"}, 503, {"Retry-After": "5"})
    return JSONResponse({"status": "ok"})


@router.get("/metrics", response_class=Response)
async def metrics(service: Serving) -> Response:
    """What the server counts, for Prometheus."""
    counters = service.counters
    counters.waiting.set(service.batcher.seconds)
    for model in service.models.values():
        if model.opened is not None:
            counters.cost.labels(model.name).set(model.opened.cost)
    return Response(counters.text(), media_type=TEXT)


@router.get("/api/models")
async def models(service: Serving) -> dict[str, Any]:
    """The models that are served."""
    return {"models": [summary(model) for model in service.models.values()]}


@router.get("/api/models/{model}")
async def about(request: Request, opened: Drawn) -> Response:
    """What a model is and how it is drawn from: model.json."""
    headers = {"ETag": f'"{opened.version}"', "Cache-Control": "private, no-cache"}
    return unchanged(request, headers) or JSONResponse(opened.about, headers=headers)


@router.get("/api/models/{model}/live")
async def state(service: Serving, model: Chosen) -> dict[str, Any]:
    """How a run stands that may still be in training. To be asked for every few seconds."""
    if model.run is None:
        raise Refusal(404, f"{model.name} is a file of weights: it has no training to look at")
    return await _state(service, model)


@router.get(
    "/api/models/{model}/samples/{images}.png",
    response_class=Response,
    responses={200: {"content": {"image/png": {}}}},
)
async def sample(
    service: Serving, model: Chosen, images: Annotated[int, Path(ge=0, lt=10**18)]
) -> Response:
    """A grid of samples that a run has kept of its training."""
    run = model.run
    data = None if run is None else await service.reading.do(lambda: grid_at(run, images))
    if data is None:
        raise Refusal(404, f"{model.name} has no samples at {images} images")
    return Response(data, media_type="image/png", headers={"Cache-Control": "private, max-age=60"})


def summary(model: Any) -> dict[str, Any]:
    """Return what a list of models says of one."""
    about = model.opened.about if model.opened else {}
    return {
        "name": model.name,
        "title": about.get("title", model.name),
        "url": f"api/models/{model.name}",
        "sentence": about.get("card", {}).get("sentence", ""),
        "resolution": about.get("resolution"),
        "classes": about.get("classes", []),
        "version": about.get("version"),
        "engine": about.get("engine"),
        "training": model.training,
    }


async def _state(service: Service, model: Any) -> dict[str, Any]:
    """Return a run's state, read once for all who ask within a moment."""
    now = time.monotonic()
    known = service.states.get(model.name)
    if known is None or now - known[0] > FRESH or known[1].cancelled():
        work = service.reading.do(lambda: live(model.run, model.name))
        known = service.states[model.name] = (now, work)
    return await asyncio.shield(known[1])
