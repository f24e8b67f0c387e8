"""ETags: what an answer would be, known before it is drawn."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from fastapi import Request
from starlette.responses import Response

from figment.serve.models import Opened

GOOD = "max-age=31536000, immutable"


def etag_of(opened: Opened, what: str, asked: dict[str, Any]) -> str:
    """Return the strong ETag of what a generator draws for these parameters."""
    known = json.dumps([opened.version, what, asked], sort_keys=True)
    return f'"{hashlib.sha256(known.encode()).hexdigest()[:32]}"'


def cache_headers(opened: Opened, what: str, asked: dict[str, Any]) -> dict[str, str]:
    """Return the headers by which an answer may be kept.

    With the model's version among the parameters (``v``) for good, since the address then means this
    picture alone; without it a cache has to ask again each time, which costs no drawing. "private": a
    server may be behind a token.
    """
    keep = GOOD if asked.get("v") == opened.version else "no-cache"
    return {"ETag": etag_of(opened, what, asked), "Cache-Control": f"private, {keep}"}


def unchanged(request: Request, headers: dict[str, str]) -> Response | None:
    """Return 304 where the client has this answer already, None where it has not."""
    given = request.headers.get("if-none-match", "")
    tags = [tag.strip().removeprefix("W/") for tag in given.split(",")]
    if headers["ETag"] in tags or given.strip() == "*":
        return Response(status_code=304, headers=headers)
    return None
