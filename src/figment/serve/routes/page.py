"""The page, and the files that it is made of."""

from __future__ import annotations

import functools
import hashlib
import mimetypes
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from figment import page
from figment.serve.caching import unchanged
from figment.serve.refusals import Refusal
from figment.serve.routes.catalogue import summary
from figment.serve.service import Service, Serving

router = APIRouter(include_in_schema=False)
POLICY = "frame-ancestors 'none'; object-src 'none'"
"""Beside the policy that stands in the page itself."""
KINDS = {".js": "text/javascript", ".webmanifest": "application/manifest+json"}
COVER = "api/models/{name}/image?seed=0&format=webp&v={version}"


@router.get("/")
async def index(request: Request, service: Serving) -> Response:
    """The page."""
    html = page.page(config(request, service)).encode()
    return _file(request, html, "text/html", {"Content-Security-Policy": POLICY})


@router.get("/manifest.webmanifest")
async def manifest(request: Request, service: Serving) -> Response:
    """What makes the page installable."""
    return _file(request, page.manifest(config(request, service)).encode(), KINDS[".webmanifest"])


@router.get("/icon.svg")
async def icon(request: Request) -> Response:
    """The page's icon."""
    return _file(request, files()["icon.svg"], "image/svg+xml")


@router.get("/page/{name:path}")
async def file(request: Request, name: str) -> Response:
    """A file of the page: one of those that it has, whatever the name says."""
    found = files().get(f"page/{name}")
    if found is None:
        raise Refusal(404, "there is nothing here")
    ending = f".{name.rpartition('.')[2]}"
    kind = KINDS.get(ending) or mimetypes.guess_type(f"x{ending}")[0] or "application/octet-stream"
    return _file(request, found, kind)


@functools.cache
def files() -> dict[str, bytes]:
    """Return the page's files by their names in addresses."""
    return page.files()


def config(request: Request, service: Service) -> dict[str, Any]:
    """Return what the page is told of its models."""
    models = []
    for model in service.models.values():
        about = summary(model)
        place = {key: about[key] for key in ("name", "title", "sentence")}
        place |= {"at": f"api/models/{model.name}/"}
        if about["version"]:
            place["cover"] = COVER.format(name=model.name, version=about["version"])
        models.append(place)
    title = request.app.state.title
    return {"host": "server", "models": models, **({"title": title} if title else {})}


def _file(
    request: Request, content: bytes, kind: str, more: dict[str, str] | None = None
) -> Response:
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", **(more or {})}
    return unchanged(request, headers) or Response(content, media_type=kind, headers=headers)
