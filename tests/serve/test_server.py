"""A server in a process of its own: connections that hang, and the end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from figment.serve.server import _warn

REQUEST = b"GET /api/models/dcgan/image?seed=%d HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[subprocess.Popen, int]]:
    here = Path(__file__).parent
    paths = os.pathsep.join([str(here), str(here.parents[1] / "src")])
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    words = [sys.executable, str(here / "serving.py")]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    timer = threading.Timer(60, process.kill)  # then the line is empty
    timer.start()
    line = process.stdout.readline()
    timer.cancel()
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


def test_a_client_that_does_not_take_its_answer_is_closed(server):
    _, port = server
    with socket.socket() as client:
        client.settimeout(20)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)  # the server buffers little
        client.connect(("127.0.0.1", port))
        client.sendall(REQUEST.replace(b"dcgan/image?seed=%d", b"large/grid?count=100"))
        found = client.recv(1024)
        assert found.startswith(b"HTTP/1.1 200")
        whole = int(found.lower().partition(b"content-length: ")[2].split()[0])
        time.sleep(3)  # of which one is given
        with suppress(ConnectionError):
            while piece := client.recv(1 << 16):
                found += piece
    assert len(found) < whole > 300_000
    assert asked(port, 4).startswith(b"HTTP/1.1 200 OK")


def test_a_request_before_the_answer_to_another_is_left(server):
    _, port = server
    with connected(port) as connection:
        connection.sendall(REQUEST % 1 + 2 * (REQUEST % 2))
        found = b""
        while piece := connection.recv(1 << 16):
            found += piece
    head, _, body = found.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200") and b"connection: close" in head.lower()
    assert len(body) == int(head.lower().partition(b"content-length: ")[2].split()[0])


@pytest.mark.parametrize(
    ("host", "token", "warned"),
    [("0.0.0.0", "", True), ("0.0.0.0", "word", False), ("127.0.0.1", "", False)],
)
def test_a_server_for_a_network_without_a_token_is_warned_of(capsys, host, token, warned: bool):
    _warn(host, token)
    said = capsys.readouterr().err
    assert said.count("\n") == warned and ("--token" in said) == warned


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
