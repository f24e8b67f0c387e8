"""The application: routes, refusals in one line of JSON, and what is done beside requests."""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from figment.errors import UserError
from figment.progress import say
from figment.serve.counters import Counters
from figment.serve.door import Door, refused
from figment.serve.limits import Limits
from figment.serve.models import Model
from figment.serve.refusals import Gone, Refusal
from figment.serve.routes import catalogue, films, page, pictures, projections
from figment.serve.service import Service, refuse_repeated

LOOK = 5.0
"""Seconds between two looks for new weights."""
DESCRIPTION = "Pictures of trained generators, by seed. The same seed is always the same picture."
REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": description,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["detail"],
                    "properties": {"detail": {"type": "string"}},
                }
            }
        },
    }
    for status, description in {
        400: "The request cannot be read.",
        401: "The token is missing or wrong.",
        403: "It comes from another site's page.",
        404: "There is no such model.",
        408: "The body did not come in in time.",
        413: "The body is too large.",
        421: "This server does not answer to that host.",
        422: "A parameter is wrong; the sentence says which, and what it may be.",
        503: "There is too much to do: ask again after Retry-After seconds.",
    }.items()
}


def application(
    models: Mapping[str, Model],
    *,
    limits: Limits | None = None,
    counters: Counters | None = None,
    token: str = "",
    hosts: Iterable[str] = (),
    title: str = "",
) -> FastAPI:
    """Return the application that serves ``models``, by name.

    ``token``: what clients have to send, if anything. ``hosts``: names in Host headers that are answered,
    all of them where it is empty. ``title`` is the page's.
    """
    from importlib.metadata import version

    limits, counters = limits or Limits(), counters or Counters()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        service = app.state.service = Service(models, limits, counters)
        looking = asyncio.create_task(_look(service))
        try:
            yield
        finally:
            looking.cancel()
            service.stop()

    app = FastAPI(
        title="figment",
        version=version("figment-gan"),
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # its page would load its script from elsewhere
        redoc_url=None,
        responses=REFUSALS,
        dependencies=[Depends(refuse_repeated)],
    )
    app.state.title = title
    for part in (pictures, films, projections, catalogue, page):
        app.include_router(part.router)
    for error, answer in ANSWERS.items():
        app.add_exception_handler(error, answer)
    app.add_middleware(Door, limits=limits, counters=counters, token=token, hosts=hosts)
    return app


async def _look(service: Service) -> None:
    """Open anew, every few seconds, the models whose weights have changed."""
    while True:
        await asyncio.sleep(LOOK)
        for model in service.models.values():
            try:
                if await service.reading.do(model.refresh):
                    say(f"{model.name} has new weights")
            except (UserError, OSError) as error:  # what is open goes on being served
                if model.opened is not None:
                    say(f"{model.name} keeps its weights: {error}")


async def _refusal(request: Request, refusal: Any) -> Response:
    return refused(refusal)


async def _user_error(request: Request, error: Any) -> Response:
    return refused(Refusal(422, str(error)))


async def _gone(request: Request, error: Any) -> Response:
    return Response(status_code=499)  # which nobody reads


async def _http_error(request: Request, error: Any) -> Response:
    detail = str(error.detail)
    if error.status_code == 404:
        detail = "there is nothing here: /openapi.json lists what there is"
    return refused(Refusal(error.status_code, detail, dict(error.headers or {})))


async def _invalid(request: Request, error: Any) -> Response:
    """Return the first thing that is wrong with a request, in one line."""
    first = error.errors()[0]
    where = [str(part) for part in first["loc"][1:]]  # the first says in which part of the request
    place = ".".join(where)[:80] or "the body"
    bound = next(iter(first.get("ctx", {}).values()), "")
    said = SAID.get(first["type"], "{place} is wrong: {message}")
    detail = said.format(
        place=place, bound=bound, message=first["msg"].removeprefix("Value error, ")
    )
    given = first.get("input")
    if isinstance(given, str | int | float) and first["type"] not in ("extra_forbidden", "missing"):
        detail += f", not {str(given)[:60]}"
    return refused(Refusal(422, "".join(c if c.isprintable() else "\ufffd" for c in detail)))


SAID = {
    "extra_forbidden": "{place} is no parameter of this address: leave it out",
    "missing": "{place} is missing",
    "json_invalid": "the body is no JSON",
    "value_error": "{place} must be {message}",
    "int_parsing": "{place} must be a whole number",
    "int_type": "{place} must be a whole number",
    "float_parsing": "{place} must be a number",
    "float_type": "{place} must be a number",
    "finite_number": "{place} must be a finite number",
    "greater_than": "{place} must be above {bound}",
    "greater_than_equal": "{place} must be {bound} or more",
    "less_than": "{place} must be below {bound}",
    "less_than_equal": "{place} must be at most {bound}",
    "literal_error": "{place} must be {bound}",
    "list_type": "{place} must be a list",
    "bool_parsing": "{place} must be true or false",
}
"""Sentences for what pydantic finds, by the type of its errors."""


async def _broken(request: Request, error: Exception) -> Response:
    """Say that it is this program's mistake, and to whoever runs it, which."""
    print("".join(traceback.format_exception(error)), file=sys.stderr)
    return JSONResponse({"detail": "something went wrong in this server"}, 500)


ANSWERS: dict[Any, Any] = {
    Refusal: _refusal,
    UserError: _user_error,
    Gone: _gone,
    HTTPException: _http_error,
    RequestValidationError: _invalid,
    Exception: _broken,
}
"""What exceptions are answered with."""
