"""How many pictures does a server give, and how fast, to clients who ask for one after another?

    python benchmarks/serving.py [--seconds 60] [--clients 64] [--systems dcgan W6] [--out FILE]

For each system (published sizes, weights as they are initialised, which take as long as trained ones),
torch and onnxruntime, one picture at a time (``--batch 1``) and in batches: a server of its own process,
warmed up, then so many clients on loopback, each of which asks for a seed of its own as soon as it has its
picture. A 503 is asked again after ``Retry-After``. A table: answers a second; the median and the 99th
percentile of their times; pictures drawn per second of the server's CPU; refusals; other answers, which
are errors; pictures drawn that no client got; the server's memory after a sixth of the time and at the
end. The load of the machine before each row says how much it can be believed. ``--runs DIR`` keeps the
run folders, whose ONNX files are then found again.

The clients are this process, on the same machine. Exit code 1 where an answer was neither a picture nor a
documented 503.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch

from figment.recipes import find
from figment.recipes.parameters import CLASSES
from figment.training import folder

COLUMNS = (
    "system",
    "engine",
    "batch",
    "pictures/s",
    "p50",
    "p99",
    "pictures/CPU-s",
    "503",
    "errors",
)
COLUMNS += ("unread", "MiB", "load")
TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Tally:
    """What the clients saw."""

    times: list[float] = field(default_factory=list)
    busy: int = 0
    errors: int = 0


def write_run(path: Path, system: str) -> Path:
    """Write a run folder of a system, as its training would begin."""
    from dataclasses import replace

    name, recipe = find(system)
    if recipe.classed and not recipe.class_count():
        recipe = replace(recipe, classes=CLASSES)
    classes = [str(number) for number in range(recipe.class_count())]
    data = {"name": "none", "source": "", "path": "", "count": 1, "classes": classes}
    data |= {"shape": list(recipe.shape), "fingerprint": "0" * 64, "held_out": []}
    machine = {"figment": "0", "data": data, "parameters": {}, "budget": {"images": 1}}
    torch.manual_seed(0)
    folder.begin(path, name, recipe, machine)
    folder.write_snapshot(path, recipe, recipe.networks()["generator"], 1)
    return path


def start(run: Path, engine: str, batch: int) -> tuple[subprocess.Popen, int]:
    """Start a server; return it and its port."""
    words = [sys.executable, "-m", "figment", "serve", str(run), "--port", "0", "--engine", engine]
    words += ["--batch", str(batch), "--device", "cpu"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=sys.stderr, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r":(\d+)/", line):
            return process, int(found[1])
    raise SystemExit(f"no server: {process.wait()}")


async def answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:]) if v}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return int(head[0].split(" ")[1]), headers, body


async def client(port: int, name: str, seeds: itertools.count, until: float, tally: Tally) -> None:
    """Ask for pictures, one after another, until the time is over; the last answer is waited for."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < until:
        began = time.perf_counter()
        path = f"/api/models/{name}/image?seed={next(seeds)}"
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        status, headers, body = await answer(reader)
        if status == 200 and body.startswith(b"\x89PNG"):
            tally.times.append(time.perf_counter() - began)
        elif status == 503 and "retry-after" in headers:
            tally.busy += 1
            await asyncio.sleep(float(headers["retry-after"]))
        else:
            tally.errors += 1
    writer.close()


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def mebibytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+)", status)
    return int(found[1]) / 1024 if found else 0.0


async def drawn(port: int) -> float:
    """Return how many pictures the server says that it has drawn."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    _, _, body = await answer(reader)
    writer.close()
    return sum(
        float(n) for n in re.findall(r"figment_pictures_total\{.*\} ([\d.e+]+)", body.decode())
    )


async def load(port: int, pid: int, name: str, clients: int, seconds: float) -> tuple[str, bool]:
    """Return the row of one server, and whether all answers were as documented."""
    seeds = itertools.count()
    warm = Tally()
    until = time.perf_counter() + min(3.0, seconds / 3)
    await asyncio.gather(*(client(port, name, seeds, until, warm) for _ in range(4)))
    tally, memory = Tally(), [0.0]
    before, cpu, began = await drawn(port), cpu_seconds(pid), time.perf_counter()
    asyncio.get_running_loop().call_later(
        seconds / 6, lambda: memory.__setitem__(0, mebibytes(pid))
    )
    until = began + seconds
    await asyncio.gather(*(client(port, name, seeds, until, tally) for _ in range(clients)))
    taken, cpu = time.perf_counter() - began, cpu_seconds(pid) - cpu
    pictures = await drawn(port) - before
    times = sorted(tally.times) or [float("nan")]
    p50, p99 = times[len(times) // 2], times[int(0.99 * len(times))]
    got = len(tally.times)
    row = f"{got / taken:.1f} | {p50:.2f} s | {p99:.2f} s | {pictures / cpu:.1f} | {tally.busy} | "
    row += f"{tally.errors} | {pictures - got:.0f} | {memory[0]:.0f} to {mebibytes(pid):.0f}"
    return row, not tally.errors


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--systems", nargs="+", default=["dcgan", "W6"])
    parser.add_argument("--engines", nargs="+", default=["torch", "onnx"])
    parser.add_argument("--runs", type=Path)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    home = chosen.runs or Path(tempfile.mkdtemp())
    lines, good = [f"| {' | '.join(COLUMNS)} |", "|" + "---|" * len(COLUMNS)], True
    print("\n".join(lines), flush=True)
    for system in chosen.systems:
        path = home / system.lower()
        if not folder.holds_run(path):
            write_run(path, system)
        for engine, batch in itertools.product(chosen.engines, (1, 32)):
            busy = os.getloadavg()[0]
            process, port = start(path, engine, batch)
            how = (port, process.pid, system.lower(), chosen.clients, chosen.seconds)
            row, well = asyncio.run(load(*how))
            process.send_signal(signal.SIGTERM)
            good = well and process.wait() == 0 and good
            lines.append(f"| {system} | {engine} | {batch} | {row} | {busy:.1f} |")
            print(lines[-1], flush=True)
    if chosen.out:
        chosen.out.write_text("\n".join(lines) + "\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
