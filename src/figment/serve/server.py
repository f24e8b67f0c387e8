"""Running the application: a listening socket, connections with bounds, an end in time."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, NoReturn

import uvicorn
from fastapi import FastAPI

from figment.errors import UserError
from figment.progress import say
from figment.serve.app import application
from figment.serve.counters import Counters
from figment.serve.limits import Limits
from figment.serve.models import Model
from figment.serve.protocol import Connection, Crowd

LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")
SPARE = 200
"""Files beside connections that the process may have open."""
LINGER, TURNS = 0.25, 20
"""Seconds, and turns of the event loop, for which it still takes in what was sent before it was to stop: a
loop with much to do looks at its sockets but a few times in so many seconds."""
GRACE = 4
"""Seconds from the signal to stop until what still runs is given up."""


def run(
    models: Mapping[str, Model],
    *,
    host: str,
    port: int,
    limits: Limits,
    token: str = "",
    hosts: tuple[str, ...] = (),
    title: str = "",
) -> NoReturn:
    """Serve until a signal to stop, answer what is asked for by then, and end the process with 0.

    On a loopback address only its own names are answered to, besides ``hosts``. Raises UserError where the
    address cannot be listened on.
    """
    _allow_files(limits.connections + SPARE)
    names = hosts if host not in LOOPBACK else (*LOOPBACK, *hosts)
    counters = Counters()
    how = {"token": token, "hosts": names, "title": title}
    app = application(models, limits=limits, counters=counters, **how)
    listening = _listen(host, port)
    _warn(host, token)
    print(f"figment serves {', '.join(models)} at {_address(listening, host, token)}", flush=True)
    server = Server(app, limits, counters)
    server.run(sockets=[listening])
    # There is nothing to save. Taking torch apart takes seconds, threads in its code cannot be ended.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


class Server(uvicorn.Server):
    """uvicorn's server, with connections of ours, and an end that leaves time for answers."""

    def __init__(self, app: FastAPI, limits: Limits, counters: Counters) -> None:
        self.app, self.limits = app, limits
        self.crowd = Crowd(limits, counters)
        how: dict[str, Any] = {"http": partial(Connection, crowd=self.crowd)}
        super().__init__(
            uvicorn.Config(
                app,
                **how,
                ws="none",
                lifespan="on",
                log_level="critical",  # mistakes of ours are told by ``app``
                access_log=False,
                server_header=False,
                proxy_headers=False,  # anybody can write them
                timeout_keep_alive=int(limits.head_seconds),
                timeout_graceful_shutdown=GRACE,
            )
        )

    async def on_tick(self, counter: int) -> bool:
        if counter % 10 == 0:  # a second
            self.crowd.sweep()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        service = self.app.state.service
        service.stopping = True
        loop = asyncio.get_running_loop()
        late = loop.call_later(self.limits.stop_seconds, service.refuse_waiting)
        await asyncio.sleep(LINGER)
        for _ in range(TURNS):
            await asyncio.sleep(0)
        await super().shutdown(sockets)
        late.cancel()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Stop at SIGINT and SIGTERM. uvicorn would raise the signal again once it has stopped."""
        signals = (signal.SIGINT, signal.SIGTERM)
        before = {each: signal.signal(each, self.handle_exit) for each in signals}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens. Raises UserError where the address is taken, or none."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(2048)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(
            f"cannot listen on {host} port {port} ({reason}): choose another --port or --host"
        ) from None
    return listening


def _warn(host: str, token: str) -> None:
    """Say that anybody may ask, where not only this machine can and there is no token."""
    if host not in LOOPBACK and not token:
        say(
            "warning: whoever reaches this machine may have pictures drawn: --token WORD lets in only who"
            " knows it, --host 127.0.0.1 only this machine"
        )


def _address(listening: socket.socket, host: str, token: str) -> str:
    port = listening.getsockname()[1]
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}/" + (f"?token={token}" if token else "")


def _allow_files(wanted: int) -> None:
    """Let the process have that many files open, as far as the system lets it."""
    try:
        import resource
    except ImportError:  # Windows, which sets no such bound
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
