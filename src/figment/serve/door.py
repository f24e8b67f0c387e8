"""The door: who may ask at all, how much may be sent in, and what every answer says of itself.

One piece of ASGI around the whole application, so that nothing is reached by another way.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from figment.serve.counters import Counters
from figment.serve.limits import Limits
from figment.serve.refusals import Busy, Refusal

COOKIE = "figment"
OPEN = ("/healthz",)
"""What is answered without the token: it says nothing but that the server is there."""
PIECE = 64 << 10
"""Bytes of an answer that are handed to the connection at once."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
"""What answers say unless they say otherwise; the page has a policy of its own."""


class Door:
    """Lets requests through to ``app``, or answers them itself with a refusal."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        limits: Limits,
        counters: Counters,
        token: str = "",
        hosts: Iterable[str] = (),
    ) -> None:
        self.app, self.limits, self.counters = app, limits, counters
        self.token = token.encode()
        self.hosts = frozenset(hosts)
        """Names in a Host header that are answered, all where it is empty."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, answer = time.perf_counter(), Answer(send)
        try:
            kept_out = self._kept_out(scope)
            body = _Body(receive, self.limits, self._most(scope))
            await (kept_out or self.app)(scope, body.receive, answer.send)
        except asyncio.CancelledError:  # the server ends, and waits no longer
            if not answer.status:
                await refused(Busy("this server is stopping: ask again"))(
                    scope, receive, answer.send
                )
        finally:
            route = getattr(scope.get("route"), "path", "none")
            self.counters.requests.labels(route, str(answer.status)).inc()
            self.counters.latency.labels(route).observe(time.perf_counter() - began)

    def _most(self, scope: Scope) -> int:
        """Return the bytes of a body that are taken."""
        return self.limits.upload if scope["path"].endswith("/project") else self.limits.body

    def _kept_out(self, scope: Scope) -> Response | None:
        """Return what a request is answered that is not let in, None for one that is."""
        headers = Headers(scope=scope)
        try:
            self._check_host(headers)
            self._check_origin(scope["method"], headers)
            self._check_length(headers, self._most(scope))
            return self._let_in(scope, headers)
        except Refusal as refusal:
            return refused(refusal)

    def _check_host(self, headers: Headers) -> None:
        """Refuse names that are not ours: a page elsewhere may have its name point to this machine."""
        host = _without_port(headers.get("host", ""))
        if self.hosts and host not in self.hosts:
            raise Refusal(
                421, "this server does not answer to that host: start it with --hosts NAME"
            )

    def _check_origin(self, method: str, headers: Headers) -> None:
        """Refuse that another site's page has its visitors' browsers send work here."""
        origin = headers.get("origin")
        if method in ("GET", "HEAD") or origin is None:
            return
        if origin.partition("://")[2].lower() != headers.get("host", "").lower():
            raise Refusal(403, "requests from other sites' pages are not answered")

    def _check_length(self, headers: Headers, most: int) -> None:
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdecimal() or len(length) > 15:
            raise Refusal(400, "content-length must be a number of bytes")
        if int(length) > most:
            raise Refusal(413, f"a body may have at most {most:,} bytes: send a smaller one")

    def _let_in(self, scope: Scope, headers: Headers) -> Response | None:
        """Check the token, and take it out of the query, so that nothing further in sees it.

        A page that is opened with the token in its address keeps it in a cookie and is sent on to the
        address without it.
        """
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        in_query = [value for name, value in query if name == "token"]
        rest = urlencode([pair for pair in query if pair[0] != "token"])
        if in_query:
            scope["query_string"] = rest.encode()
        if not self.token or scope["path"] in OPEN:
            return None
        if not any(map(self._right, (*in_query, *_tokens(headers)))):
            scheme = {"WWW-Authenticate": "Bearer"}
            raise Refusal(
                401, "the token is missing or wrong: send it as Authorization: Bearer", scheme
            )
        if in_query and scope["method"] == "GET" and scope["path"] == "/":
            answer = Response(status_code=303, headers={"Location": f"./?{rest}" if rest else "./"})
            answer.set_cookie(COOKIE, self.token.decode(), httponly=True, samesite="strict")
            return answer
        return None

    def _right(self, token: str) -> bool:
        return hmac.compare_digest(token.encode("utf-8", "surrogateescape"), self.token)


class Answer:
    """Passes an answer on, with headers that all have, in pieces that show whether they are read."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")
            await self._pass(message)
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        for start in range(0, max(len(body), 1), PIECE):
            last = start + PIECE >= len(body)
            piece = {"body": body[start : start + PIECE], "more_body": more or not last}
            await self._pass({**message, **piece})

    async def _pass(self, message: Message) -> None:
        try:
            await self._send(message)
        except RuntimeError as error:
            if "handler is closed" not in str(error):  # uvloop's, of a client that has just gone
                raise


class _Body:
    """A request's body, counted and timed as it comes in."""

    def __init__(self, receive: Receive, limits: Limits, most: int) -> None:
        self._receive, self._limits, self._most = receive, limits, most
        self._seen, self._whole = 0, False
        self._until: float | None = None

    async def receive(self) -> Message:
        if self._whole:
            return await self._receive()
        now = asyncio.get_running_loop().time()
        self._until = self._until or now + self._limits.body_seconds
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, "the body did not come in in time: send it again") from None
        self._seen += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        if self._seen > self._most:
            raise HTTPException(413, f"a body may have at most {self._most:,} bytes")
        return message


def refused(refusal: Refusal) -> JSONResponse:
    """Return a refusal as an answer: ``{"detail": "…"}``."""
    return JSONResponse({"detail": refusal.detail}, refusal.status, refusal.headers)


def _tokens(headers: Headers) -> list[str]:
    """Return what may be the token in a request's headers."""
    found: list[str] = []
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        found.append(value.strip())
    try:
        cookie: Any = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return found
    return [*found, cookie.value] if cookie else found


def _without_port(host: str) -> str:
    """Return the name in a Host header, in small letters."""
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isdecimal() else host.lower()
