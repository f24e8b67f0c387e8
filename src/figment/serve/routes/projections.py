"""The search for the latent of a picture that a client sends."""

from __future__ import annotations

import copy
import threading
import time
from typing import Annotated, Any

import torch
from fastapi import APIRouter, Query, Request
from starlette.datastructures import UploadFile
from torch import Tensor

from figment.data.decode import decode, header
from figment.data.opening import why
from figment.data.square import Form
from figment.metrics.features.small import open_small
from figment.pixels import to_float
from figment.sampling.generator import Generator
from figment.sampling.project import Projection, perceiver, project, refuse_found
from figment.serve import asked
from figment.serve.models import Opened
from figment.serve.refusals import Busy, Refusal
from figment.serve.service import Drawn, Service, Serving

router = APIRouter(prefix="/api/models/{model}")
CANDIDATES, STARTS = 256, 2
"""Fewer than ``figment project`` takes, since somebody waits."""
MOST_PIXELS = 50_000_000
"""Of a picture that is sent: more than any camera's, seconds to decode."""
UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            "image/*": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["picture"],
                    "properties": {"picture": {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}


@router.post("/project", openapi_extra=UPLOAD)
async def project_picture(
    request: Request, service: Serving, opened: Drawn, how: Annotated[asked.Project, Query()]
) -> dict[str, Any]:
    """The latent whose picture comes nearest to one that is sent: a file as the body, or in a form.

    ``distance`` is that of features of a small network, over the mean distance of two samples; ``start`` is
    what it was before the search.
    """
    label = None if how.class_ is None else opened.generator.numbered(how.class_)
    data = await _sent(request)
    if service.projecting.busy:
        service.counters.refused.labels("project").inc()
        raise Busy("another picture is being looked for: ask again", 10)
    watch = Watch(service.limits.project_seconds)
    try:
        work = _found(service, opened, data, how, label, watch)
        found = await service.unless_gone(request, work, service.limits.project_seconds + 5)
    finally:
        watch.stopped.set()
    return {
        "latent": found.latent.tolist(),
        "label": found.label,
        "class": None if found.label is None else opened.generator.classes[found.label],
        "distance": found.distance,
        "start": found.start,
    }


class Watch:
    """Ends a search that takes too long, or that nobody waits for, between two passes of a network."""

    def __init__(self, seconds: float) -> None:
        self.until = time.monotonic() + seconds
        self.seconds = seconds
        self.stopped = threading.Event()

    def __call__(self, *_: object) -> None:
        if self.stopped.is_set():
            raise Busy("this server is stopping: ask again")
        if time.monotonic() > self.until:
            raise Refusal(422, f"the search took over {self.seconds:.0f} s: ask for fewer steps")


async def _sent(request: Request) -> bytes:
    """Return the picture's bytes in a request. Raises Refusal where there are none."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        data = await request.body()
    else:
        async with request.form(max_files=1, max_fields=8) as form:
            picture = form.get("picture")
            data = await picture.read() if isinstance(picture, UploadFile) else b""
    if not data:
        raise Refusal(422, "send a picture file as the body, or as picture in a form")
    return data


async def _found(
    service: Service,
    opened: Opened,
    data: bytes,
    how: asked.Project,
    label: int | None,
    watch: Watch,
) -> Projection:
    def search() -> Projection:
        target = read(data, opened.generator)
        if how.model_fields_set & {"steps", "seed"}:
            refuse_found(opened.generator, target)
        generator = watched(opened.generator, watch)
        extractor = open_small(torch.device("cpu"), torch.float32)
        what: dict[str, Any] = {"label": label, "steps": how.steps, "seed": how.seed}
        what |= {"starts": STARTS, "candidates": CANDIDATES}
        return project(generator, target, perceiver(extractor), **what)

    return await service.projecting.do(search)


def watched(generator: Generator, watch: Watch) -> Generator:
    """Return a copy of a generator, on the CPU, that asks ``watch`` before each pass."""
    net = copy.deepcopy(generator.net).cpu()
    net.register_forward_pre_hook(watch)
    return Generator(generator.recipe, net, generator.classes)


def read(data: bytes, generator: Generator) -> Tensor:
    """Return the picture in the bytes of a file as the generator knows pictures: [C, R, R] in [-1, 1].

    Raises Refusal where it is none, or too large to be decoded: its header tells.
    """
    recipe = generator.recipe
    try:
        width, height = header(data)[1]
        if width * height > MOST_PIXELS:
            raise Refusal(
                413, f"the picture has {width:,} x {height:,} pixels, of {MOST_PIXELS:,} at most"
            )
        pixels = decode(data, Form(recipe.resolution, recipe.channels, recipe.fit))
    except Refusal:
        raise
    except Exception as error:  # Pillow raises many kinds
        raise Refusal(422, f"this cannot be read as a picture: {why(error, data)}") from None
    return to_float(torch.tensor(pixels))
