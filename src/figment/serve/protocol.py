"""Connections: how many there are at most, and how long each may leave the server waiting.

uvicorn's protocol bounds neither headers nor slow readers, and does not tell a request that its client has
gone where others have come after it on the same connection. Here a connection has one request at a time:
who sends another before the answer (pipelining, which no browser does) is answered the first, and closed.
That is what HTTP lets servers do, and such clients ask again. Connections that are not in the middle of a
request are the first to go when there are too many, the oldest of them: whoever asks at once is answered.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from figment.serve.counters import Counters
from figment.serve.limits import Limits


class Crowd:
    """The open connections of a server that keep it waiting, each with since when, the oldest first."""

    def __init__(self, limits: Limits, counters: Counters) -> None:
        self.limits, self.counters = limits, counters
        self.idle: dict[Connection, float] = {}
        """No request, or not all of its headers, has come in."""
        self.sending: dict[Connection, float] = {}
        """The answer is out, but the request's body still comes in."""
        self.stalled: dict[Connection, float] = {}
        """The client does not take what was sent to it."""

    def sweep(self) -> None:
        """Close connections that have kept the server waiting for too long."""
        now, limits = time.monotonic(), self.limits
        for waiting, most in (
            (self.idle, limits.head_seconds),
            (self.sending, limits.stalled_seconds),
            (self.stalled, limits.stalled_seconds),
        ):
            for connection, since in list(waiting.items()):
                if now - since < most:
                    break
                connection.abort()

    def forget(self, connection: Connection) -> None:
        """Keep no more account of a connection."""
        for waiting in (self.idle, self.sending, self.stalled):
            waiting.pop(connection, None)


class Connection(HttpToolsProtocol):
    """A client's connection."""

    def __init__(self, *, crowd: Crowd, **how: Any) -> None:
        super().__init__(**how)
        self.crowd = crowd
        self.head = 0
        """Bytes that came in since the last request was complete, until all its headers are there."""
        self.incoming = False
        """Whether a request's body is still to come."""
        self.ahead = False
        """Whether another request came before the answer: no more is taken in."""

    def abort(self) -> None:
        """Close at once, whatever is still to be sent; the answer, if one is being made, is for nobody."""
        self.crowd.forget(self)
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self.flow.resume_writing()
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        crowd = self.crowd
        crowd.counters.connections.set(len(self.connections))
        crowd.idle[self] = time.monotonic()
        if len(self.connections) > crowd.limits.connections:
            crowd.counters.refused.labels("connections").inc()
            oldest = next(iter(crowd.idle))
            if oldest is self:
                self._refuse(503, "too many connections: ask again", "retry-after: 1\r\n")
            else:
                oldest.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.crowd.forget(self)
        super().connection_lost(exc)
        self.crowd.counters.connections.set(len(self.connections))

    def data_received(self, data: bytes) -> None:
        if self.ahead:
            return
        if self in self.crowd.idle:
            self.head += len(data)
        super().data_received(data)
        if self.head > self.crowd.limits.head and self in self.crowd.idle:
            self._refuse(431, f"a request's headers may have {self.crowd.limits.head:,} bytes")

    def on_message_begin(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self.ahead, self.cycle.keep_alive = True, False
        super().on_message_begin()  # what is left of this piece of data does not mix with the first

    def on_headers_complete(self) -> None:
        if self.ahead:
            return
        self.crowd.idle.pop(self, None)
        self.head, self.incoming = 0, True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not self.ahead:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self.ahead:
            return
        self.incoming = False
        super().on_message_complete()
        if self.crowd.sending.pop(self, None) is not None:
            self.crowd.idle[self] = time.monotonic()

    def on_response_complete(self) -> None:
        now = time.monotonic()
        if self.transport.is_closing():  # as soon as the client has taken the rest
            self.crowd.stalled.setdefault(self, now)
        elif self.incoming:
            self.crowd.sending[self] = now
        else:
            self.crowd.idle[self] = now
        super().on_response_complete()

    def pause_writing(self) -> None:
        self.crowd.stalled[self] = time.monotonic()
        super().pause_writing()

    def resume_writing(self) -> None:
        if not self.transport.is_closing():
            self.crowd.stalled.pop(self, None)
        super().resume_writing()

    def _refuse(self, status: int, detail: str, more: str = "") -> None:
        """Answer what is no request yet, and close."""
        body = json.dumps({"detail": detail})
        words = {431: "Request Header Fields Too Large", 503: "Service Unavailable"}
        head = f"HTTP/1.1 {status} {words[status]}\r\ncontent-type: application/json\r\n{more}"
        head += f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self.crowd.forget(self)
        self.crowd.stalled[self] = time.monotonic()
        self.transport.write((head + body).encode())
        self.transport.close()
