"""Does a server that is treated badly refuse as it says, and go on answering others?

    python benchmarks/hostile_requests.py [--connections 10000] [--runs DIR]

A server of an untrained DCGAN, and a polite client that asks for a picture every quarter of a second all
the while, each in a process of its own. Against it: wrong parameters and paths; 200 clients that ask for
large answers and do not read them; 200 that send 600 requests at once; connections that say nothing, by the
thousand; requests that come letter by letter; an upload of 1 GB, told and not told beforehand; a PNG of
300 megapixels; clients that ask and leave; at the end SIGTERM with requests in flight. ``--only`` names
some. A table: what was answered, how the polite client was answered meanwhile, the slowest of its requests,
the server's memory. Exit code 1 where an answer is not a documented one, a polite request fails or takes
over ten seconds, or the end takes over five.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import signal
import socket
import struct
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from figment.training import folder
from serving import answer, mebibytes, start, write_run

MODEL = "/api/models/dcgan"
DOCUMENTED = {200, 304, 400, 404, 405, 408, 413, 421, 422, 431, 503}
PATIENCE, END = 10.0, 5.0
"""Seconds that a polite request, and the end, may take."""
PARAMETERS = [
    *("image?seed=9223372036854775808", "image?seed=-1", "image?seed=NaN", "image?seed=1e9"),
    *("image?seed=1&truncation=NaN", "image?seed=1&truncation=inf", "image?seed=1&format=../../x"),
    *("image?seed=1&size=999999999", "image?seed=1&class=%00", "image?seed=1&class=" + "x" * 9000),
    *("grid?count=-5", "grid?count=999999999", "grid?seed=9223372036854775807&count=2"),
    *(
        "walk?frames=999999",
        "walk?seeds=" + ",".join("1" * 5000),
        "walk?fps=0",
        "samples/%2e%2e.png",
    ),
]
PATHS = [
    "/../../../etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/page/..%2f..%2fapp.py",
    "//etc/passwd",
]
PATHS += [
    "/api/models/..%2f..%2f/image",
    "/api/models/%00/image",
    "/\\..\\..\\x",
    "/api/models/dcgan/../x",
]

Attack = Callable[["Victim"], Awaitable[Counter]]


class Victim:
    """The server."""

    def __init__(self, port: int, pid: int, connections: int) -> None:
        self.port, self.pid, self.connections = port, pid, connections

    async def open(self):
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def ask(self, data: bytes) -> int:
        """Send a request and return the status of the answer; 0 where the server closed."""
        reader, writer = await self.open()
        try:
            writer.write(data)
            return (await answer(reader))[0]
        except (asyncio.IncompleteReadError, ConnectionError):
            return 0
        finally:
            writer.close()


async def polite(port: int) -> None:
    """Ask for a picture every quarter of a second until SIGTERM; a line each: seconds and status."""
    victim, seed, ends = Victim(port, 0, 0), 0, asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ends.set)
    while not ends.is_set():
        seed, began = seed + 1, time.monotonic()
        try:
            status = await victim.ask(get(f"{MODEL}/image?seed={seed}"))
        except OSError:
            status = 0
        print(f"{time.monotonic() - began:.3f} {status}", flush=True)
        await asyncio.sleep(0.25)


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def post(path: str, body: bytes, more: str = "") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{more}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def wrong_words(victim: Victim) -> Counter:
    found: Counter = Counter()
    for path in (*(f"{MODEL}/{each}" for each in PARAMETERS), *PATHS):
        found[await victim.ask(get(path))] += 1
    json = "Content-Type: application/json\r\n"
    for body in (
        b'{"latents": [[NaN]]}',
        b"[" * 200_000,
        b'{"latents": 7}',
        b"\xff" * 99,
        b'{"a":1e99999}',
    ):
        found[await victim.ask(post(f"{MODEL}/draw", body, json))] += 1
    found[await victim.ask(b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")] += 1
    found[await victim.ask(b"\x16\x03\x01 no http\r\n\r\n")] += 1
    return found


async def slow_readers(victim: Victim) -> Counter:
    """200 clients ask for a grid of 100, most of which no buffer takes, and read a kilobyte of it."""

    async def one(number: int) -> str:
        loop, client = asyncio.get_running_loop(), socket.socket()
        client.setblocking(False)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536
        )  # the server's buffer is small too
        with client:
            await loop.sock_connect(client, ("127.0.0.1", victim.port))
            await loop.sock_sendall(client, get(f"{MODEL}/grid?seed={number % 5}&count=100"))
            start = await loop.sock_recv(client, 1024)
            await asyncio.sleep(25)
            status, taken = start[9:12].decode(), len(start)
            whole = int(start.lower().partition(b"content-length: ")[2].split()[0])
            with suppress(ConnectionError):
                async with asyncio.timeout(5):
                    while piece := await loop.sock_recv(client, 1 << 16):
                        taken += len(piece)
            return f"{status}, " + ("cut off" if taken < whole else "whole, then closed")

    async def told(number: int) -> str:
        try:
            return await one(number)
        except TimeoutError:
            return "open"

    return Counter(await asyncio.gather(*(told(number) for number in range(200))))


async def pipeliners(victim: Victim) -> Counter:
    """200 clients that each send 600 requests at once, and read nothing for ten seconds."""

    async def one(number: int) -> str:
        reader, writer = await victim.open()
        writer.transport.pause_reading()
        writer.write(get(f"{MODEL}/grid?seed={number}&count=20") + get("/page/page.css") * 600)
        await asyncio.sleep(10)
        writer.transport.resume_reading()
        try:
            found = await asyncio.wait_for(reader.read(), 30)
        except ConnectionError:
            return "cut off"
        writer.close()
        return f"{found.count(b'HTTP/1.1 ')} answered"

    return Counter(await asyncio.gather(*(one(number) for number in range(200))))


async def silence(victim: Victim) -> Counter:
    """Connections that say nothing."""
    found, open_ones = Counter(), []
    for start_at in range(0, victim.connections, 200):
        some = [victim.open() for _ in range(min(200, victim.connections - start_at))]
        for got in await asyncio.gather(*some, return_exceptions=True):
            found["refused" if isinstance(got, BaseException) else "opened"] += 1
            if not isinstance(got, BaseException):
                open_ones.append(got)
        await asyncio.sleep(0.05)
    await asyncio.sleep(12)
    for reader, writer in open_ones:
        found["still open"] += not (reader.at_eof() or writer.transport.is_closing())
        writer.close()
    return found


async def letter_by_letter(victim: Victim) -> Counter:
    async def one() -> int:
        _, writer = await victim.open()
        with suppress(ConnectionError):
            for letter in get(f"{MODEL}/image?seed=1"):
                writer.write(bytes([letter]))
                await writer.drain()
                await asyncio.sleep(0.5)
                if writer.transport.is_closing():
                    break
        closed = writer.transport.is_closing()
        writer.close()
        return closed

    closed = await asyncio.gather(*(one() for _ in range(100)))
    return Counter("closed" if each else "open" for each in closed)


async def large_upload(victim: Victim) -> Counter:
    """1 GB, once with its length told, once in chunks."""
    found: Counter = Counter()
    piece = bytes(1 << 20)
    for told in (True, False):
        reader, writer = await victim.open()
        how = f"Content-Length: {1000 << 20}" if told else "Transfer-Encoding: chunked"
        head = f"POST {MODEL}/project HTTP/1.1\r\nHost: 127.0.0.1\r\n{how}\r\n\r\n"
        writer.write(head.encode())
        got = asyncio.create_task(answer(reader))
        with suppress(ConnectionError):
            for _ in range(1000):
                writer.write(piece if told else b"%x\r\n%b\r\n" % (len(piece), piece))
                await writer.drain()
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            found[(await got)[0]] += 1
        writer.close()
    return found


async def bombs(victim: Victim) -> Counter:
    """Pictures that are small as files and huge unpacked, and files that are none."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    def png(width: int, height: int) -> bytes:
        header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        rows = zlib.compress(bytes(10_000_000), 9)
        return (
            b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", header)
            + chunk(b"IDAT", rows)
            + chunk(b"IEND", b"")
        )

    found: Counter = Counter()
    for body in (png(20_000, 15_000), png(60_000, 60_000), png(1, 1), b"GIF89a", b"x" * 1000, b""):
        found[await victim.ask(post(f"{MODEL}/project", body))] += 1
    return found


async def leavers(victim: Victim) -> Counter:
    """2,000 clients that ask for a grid and leave at once."""
    for number in range(2000):
        _, writer = await victim.open()
        writer.write(get(f"{MODEL}/grid?count=25&seed={number}"))
        await asyncio.sleep(0.002)
        writer.transport.abort()
    return Counter({"left": 2000})


ATTACKS: dict[str, Attack] = {
    "wrong words and paths": wrong_words,
    "200 slow readers": slow_readers,
    "200 x 600 requests at once": pipeliners,
    "silent connections": silence,
    "letter by letter": letter_by_letter,
    "upload of 1 GB": large_upload,
    "pictures that unpack huge": bombs,
    "clients that leave": leavers,
}


async def attacked(victim: Victim, names: list[str]) -> bool:
    """Run these attacks, print a row each, and return whether all was as documented."""
    good = True
    for name in names:
        attack = ATTACKS[name]
        words = [sys.executable, __file__, "--polite", str(victim.port)]
        other = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
        assert other.stdout is not None
        await other.stdout.readline()  # it has begun
        found = await attack(victim)
        await asyncio.sleep(1)
        other.terminate()
        lines = [line.split() for line in (await other.stdout.read()).decode().splitlines()]
        slowest = max(float(seconds) for seconds, _ in lines)
        served = Counter(int(status) for _, status in lines)
        statuses = {each for each in found if isinstance(each, int)}
        fine = set(served) <= {200, 503} and slowest < PATIENCE and statuses <= DOCUMENTED | {0}
        good &= fine
        row = f"{name} | {told(found)} | {told(served)} | {slowest:.2f} s | {mebibytes(victim.pid):.0f}"
        print(f"| {row} | {'yes' if fine else 'NO'} |", flush=True)
    return good


def told(found: Counter) -> str:
    return ", ".join(f"{count} x {what}" for what, count in sorted(found.items(), key=str))


async def ended(victim: Victim, stop: Callable[[], None], wait: Callable[[], int]) -> bool:
    """Send the signal to stop with requests in flight; return whether all is answered in time."""
    asked = [
        asyncio.create_task(victim.ask(get(f"{MODEL}/grid?count=20&seed={n}"))) for n in range(30)
    ]
    await asyncio.sleep(0.3)
    await victim.ask(get("/healthz"))  # who came before is with the server now
    began = time.monotonic()
    stop()
    found = Counter(await asyncio.gather(*asked))
    code = await asyncio.to_thread(wait)
    taken = time.monotonic() - began
    fine = code == 0 and taken < END and set(found) <= {200, 503}
    said = ", ".join(f"{n} x {what}" for what, n in sorted(found.items(), key=str))
    print(
        f"| SIGTERM | {said}; exit {code} after {taken:.2f} s | | | | | {'yes' if fine else 'NO'} |"
    )
    return fine


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--runs", type=Path)
    parser.add_argument(
        "--polite", type=int, metavar="PORT", help="be the polite client of a server"
    )
    parser.add_argument(
        "--only", nargs="*", choices=ATTACKS, default=list(ATTACKS), help="these attacks"
    )
    chosen = parser.parse_args()
    if chosen.polite:
        asyncio.run(polite(chosen.polite))
        return 0
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, chosen.connections + 1000), hard))
    run = (chosen.runs or Path(tempfile.mkdtemp())) / "dcgan"
    if not folder.holds_run(run):
        write_run(run, "dcgan")
    process, port = start(run, "auto", 32)
    victim = Victim(port, process.pid, chosen.connections)
    print("| attack | answers | polite client | slowest | MiB | as documented |")
    print("|---|---|---|---|---|---|", flush=True)

    async def whole() -> bool:
        good = await attacked(victim, chosen.only)
        stop = lambda: process.send_signal(signal.SIGTERM)  # noqa: E731
        return await ended(victim, stop, process.wait) and good

    try:
        return 0 if asyncio.run(whole()) else 1
    finally:
        process.kill()


if __name__ == "__main__":
    sys.exit(main())
