"""A server in a process of its own: connections that hang, and the end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

REQUEST = b"GET /api/models/dcgan/image?seed=%d HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[subprocess.Popen, int]]:
    here = Path(__file__).parent
    paths = os.pathsep.join([str(here), str(here.parents[1] / "src")])
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    words = [sys.executable, str(here / "serving.py")]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    line = process.stdout.readline()
    yield process, int(line.rsplit(":", 1)[1].strip("/\n"))
    process.kill()
    process.wait()
    process.stdout.close()


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def told(connection: socket.socket) -> bytes:
    """All that comes until the server closes, or the answer is whole."""
    found = b""
    while piece := connection.recv(1 << 16):
        found += piece
        head, _, body = found.partition(b"\r\n\r\n")
        if body and len(body) >= int(head.lower().partition(b"content-length: ")[2].split()[0]):
            break
    return found


def asked(port: int, seed: int) -> bytes:
    with connected(port) as connection:
        connection.sendall(REQUEST % seed)
        return told(connection)


def test_connections_that_hang_are_closed_and_others_answered(server):
    _, port = server
    began = time.monotonic()
    silent, slow = connected(port), connected(port)
    slow.sendall(b"GET / HTTP/1.1\r\nHost: loc")
    assert asked(port, 1).startswith(b"HTTP/1.1 200 OK")
    for connection in (silent, slow):
        with connection:
            assert connection.recv(1) == b""
    assert 0.9 < time.monotonic() - began < 15


def test_too_many_connections_cost_the_oldest_that_asks_for_nothing(server):
    _, port = server
    crowd = [connected(port) for _ in range(60)]
    assert asked(port, 2).startswith(b"HTTP/1.1 200 OK")
    for connection in crowd:
        connection.close()


def test_headers_without_an_end_are_refused(server):
    _, port = server
    with connected(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
        try:
            for _ in range(40):
                connection.sendall(b"x" * (1 << 14))
            answer = connection.recv(1 << 16)
        except ConnectionError:  # it was refused and closed while more was sent
            return
        assert answer == b"" or answer.startswith(b"HTTP/1.1 431")


def test_an_upload_of_any_size_is_refused_and_the_connection_stays_of_use(server):
    _, port = server
    with connected(port) as connection:
        head = b"POST /api/models/dcgan/project HTTP/1.1\r\nHost: localhost\r\n"
        connection.sendall(head + b"Content-Length: 100000000\r\n\r\n")
        assert told(connection).startswith(b"HTTP/1.1 413")
        piece = bytes(1 << 20)
        for _ in range(95):
            connection.sendall(piece)
        connection.sendall(bytes(100_000_000 - 95 * len(piece)) + REQUEST % 3)
        assert told(connection).startswith(b"HTTP/1.1 200")


def test_a_signal_to_stop_answers_what_was_asked(server):
    process, port = server
    with ThreadPoolExecutor(8) as threads:
        answers = [threads.submit(asked, port, seed) for seed in range(8)]
        time.sleep(0.3)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        found = [answer.result() for answer in answers]
    assert process.wait(10) == 0 and time.monotonic() - began < 10
    statuses = [answer.split(b" ")[1] for answer in found]
    assert set(statuses) <= {b"200", b"503"} and b"200" in statuses
    with pytest.raises(OSError):
        connected(port)
