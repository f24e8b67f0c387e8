"""Pictures: of a seed, of many seeds as one, of latents."""

from __future__ import annotations

import math
import secrets
from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
import torch
from fastapi import APIRouter, Body, Query, Request
from starlette.responses import Response

from figment.serve import asked
from figment.serve.caching import cache_headers, unchanged
from figment.serve.drawing import Drawing, Second, Seeds
from figment.serve.encoding import MEDIA_TYPES, encoded, raw, side_by_side
from figment.serve.limits import LARGEST_SEED
from figment.serve.models import Opened
from figment.serve.refusals import Refusal
from figment.serve.service import Drawn, Serving

router = APIRouter(prefix="/api/models/{model}")
PICTURE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The picture. PNG has its seed in the text chunk Seed.",
        "content": {media: {} for media in MEDIA_TYPES.values()},
    },
    304: {"description": "The client has it already."},
}


@router.get("/image", response_class=Response, responses=PICTURE)
async def image(
    request: Request, service: Serving, opened: Drawn, how: Annotated[asked.Image, Query()]
) -> Response:
    """One picture: that of a seed, or a new one."""
    seed = secrets.randbelow(LARGEST_SEED + 1) if how.seed is None else how.seed
    wanted = of_seeds(opened, [seed], how.class_, how.truncation)
    headers = {"Cache-Control": "no-store"}
    if how.seed is not None:
        headers = cache_headers(opened, "image", how.model_dump())
        if kept := unchanged(request, headers):
            return kept
    (pixels,) = await service.unless_gone(request, service.batcher.draw(opened, wanted))
    text = words(opened, seed, how.class_, how.truncation)
    data = await service.encoding.do(lambda: encoded(pixels, how.format, text))
    return Response(data, media_type=MEDIA_TYPES[how.format], headers=headers | shown(pixels, seed))


@router.get("/grid", response_class=Response, responses=PICTURE)
async def grid(
    request: Request, service: Serving, opened: Drawn, how: Annotated[asked.Grid, Query()]
) -> Response:
    """The pictures of seeds that follow each other, as one."""
    if how.seed + how.count - 1 > LARGEST_SEED:
        raise Refusal(422, f"the last seed is at most {LARGEST_SEED}: begin with a smaller one")
    seeds = range(how.seed, how.seed + how.count)
    wanted = of_seeds(opened, seeds, how.class_, how.truncation)
    headers = cache_headers(opened, "grid", how.model_dump())
    if kept := unchanged(request, headers):
        return kept
    pixels = await service.unless_gone(request, service.batcher.draw(opened, wanted))
    columns = min(how.columns or math.ceil(math.sqrt(how.count)), how.count)
    text = words(opened, how.seed, how.class_, how.truncation)
    text["Seed"] = f"{how.seed} to {seeds[-1]}" if how.count > 1 else text["Seed"]
    data = await service.encoding.do(
        lambda: encoded(side_by_side(pixels, columns), how.format, text)
    )
    return Response(data, media_type=MEDIA_TYPES[how.format], headers=headers)


@router.post("/draw", response_class=Response, responses={200: PICTURE[200]})
async def draw(
    request: Request,
    service: Serving,
    opened: Drawn,
    what: Annotated[asked.Draw, Body()],
    how: Annotated[asked.DrawHow, Query()],
) -> Response:
    """The pictures of latents: side by side as one, or their bytes."""
    wanted = of_latents(opened, what)
    pixels = await service.unless_gone(request, service.batcher.draw(opened, wanted))
    accepts = request.headers.get("accept", "")
    kind = how.format or ("raw" if MEDIA_TYPES["raw"] in accepts else "png")
    data = await service.encoding.do(lambda: _together(pixels, kind))
    return Response(data, media_type=MEDIA_TYPES[kind], headers=shown(pixels))


def of_seeds(
    opened: Opened, seeds: Sequence[int], label: str | None, truncation: float | None
) -> Seeds:
    """Return what is drawn of these seeds. Raises UserError for an unknown class."""
    number = None if label is None else opened.generator.numbered(label)
    return Seeds(opened.generator, seeds, number, truncation)


def of_latents(opened: Opened, what: asked.Draw) -> Drawing:
    """Return what a client's latents ask for. Raises Refusal where they do not fit the generator."""
    latents = _tensor(opened, what.latents)
    classes = len(opened.generator.classes)
    if bool(classes) != (what.labels is not None):
        need = f"a class from 0 to {classes - 1} for each latent" if classes else "null"
        raise Refusal(422, f"labels must be {need} for this generator")
    labels = None
    if what.labels is not None:
        if len(what.labels) != len(latents) or max(what.labels) >= classes:
            raise Refusal(422, f"labels must be a class from 0 to {classes - 1} for each latent")
        labels = torch.tensor(what.labels)
    if not opened.styled and (what.truncation is not None or what.second is not None):
        raise Refusal(422, "this generator has no styles: leave truncation and second out")
    second = None
    if what.second is not None:
        second = Second(_tensor(opened, what.second.latents), what.second.layer)
        if len(second.latents) != len(latents) or second.layer > opened.about["styles"]["layers"]:
            raise Refusal(422, "second must have as many latents, and a layer of the generator")
    return Drawing(latents, labels, what.truncation, second)


def words(opened: Opened, seed: int, label: str | None, truncation: float | None) -> dict[str, str]:
    """Return what a file says of its picture, by keyword."""
    found = {"Seed": str(seed), "Model": opened.name, "Version": opened.version}
    found |= {"Class": label} if label else {}
    return found | ({"Truncation": f"{truncation:g}"} if truncation is not None else {})


def shown(pixels: np.ndarray, seed: int | None = None) -> dict[str, str]:
    """Return headers that say what was drawn: the shape of the pixels, and the seed."""
    *count, channels, height, width = pixels.shape
    found = {"X-Figment-Shape": ",".join(map(str, (*count, height, width, channels)))}
    return found | ({} if seed is None else {"X-Figment-Seed": str(seed)})


def _together(pixels: np.ndarray, kind: Any) -> bytes:
    if kind == "raw":
        return raw(pixels)
    return encoded(side_by_side(pixels, len(pixels)), kind, {})


def _tensor(opened: Opened, latents: list[list[float]]) -> torch.Tensor:
    size = opened.generator.recipe.latent
    if any(len(row) != size for row in latents):
        raise Refusal(422, f"each latent must have {size} numbers")
    return torch.tensor(latents, dtype=torch.float32)
