"""Walks: films of the way from picture to picture."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from figment.sampling.film import check_film, save_film
from figment.sampling.pictures import to_image
from figment.sampling.walk import SMALLEST, along, enlarged, stops
from figment.serve import asked
from figment.serve.caching import cache_headers, unchanged
from figment.serve.drawing import Drawing
from figment.serve.models import Opened
from figment.serve.refusals import Busy, Refusal
from figment.serve.service import Drawn, Service, Serving

router = APIRouter(prefix="/api/models/{model}")
MEDIA_TYPES = {"webp": "image/webp", "gif": "image/gif", "mp4": "video/mp4"}
FILM: dict[int | str, dict[str, Any]] = {
    200: {"description": "The film.", "content": {media: {} for media in MEDIA_TYPES.values()}},
    304: {"description": "The client has it already."},
}


@router.get("/walk", response_class=Response, responses=FILM)
async def walk(
    request: Request, service: Serving, opened: Drawn, how: Annotated[asked.Walk, Query()]
) -> Response:
    """A film of the way past the pictures of seeds, as ``figment walk`` makes it."""
    _check(opened, service, how)
    latents, labels = stops(opened.generator, how.seeds, how.class_, how.truncation)
    way, mixed = along(latents, how.frames, loop=how.loop, labels=labels)
    if mixed is not None and bool((mixed == mixed[:1]).all()):  # one class stays all the way
        mixed = mixed.argmax(1)
    wanted = Drawing(way, mixed, how.truncation if opened.styled else None)
    headers = cache_headers(opened, "walk", how.model_dump())
    if kept := unchanged(request, headers):
        return kept
    data = await service.unless_gone(request, _filmed(service, opened, wanted, how))
    return Response(data, media_type=MEDIA_TYPES[how.format], headers=headers)


def _check(opened: Opened, service: Service, how: asked.Walk) -> None:
    """Raise UserError or Refusal where the film cannot be made, or is too large."""
    if max(len(how.seeds), len(how.class_)) < 2:
        raise Refusal(422, "a walk needs two stops: give two seeds, or two classes")
    check_film(Path(f"walk.{how.format}"))
    resolution = opened.about["resolution"]
    side = resolution * -(-SMALLEST // resolution)
    most = service.limits.film_pixels // side**2
    if how.frames > most:
        raise Refusal(422, f"a walk of this generator has at most {most} frames")


async def _filmed(service: Service, opened: Opened, wanted: Drawing, how: asked.Walk) -> bytes:
    if service.films.locked():
        service.counters.refused.labels("films").inc()
        raise Busy("other films are being made: ask again", 5)
    async with service.films:
        pixels = await service.batcher.draw(opened, wanted)
        return await service.filming.do(lambda: film_of(pixels, how.format, how.fps, how.loop))


def film_of(pixels: np.ndarray, kind: str, fps: int, loop: bool) -> bytes:
    """Return pictures [F, C, R, R] as the bytes of a film of a kind, small ones enlarged."""
    frames = [enlarged(to_image(each)) for each in pixels]
    with tempfile.TemporaryDirectory(prefix="figment-") as place:
        return save_film(frames, Path(place) / f"walk.{kind}", fps=fps, loop=loop).read_bytes()
