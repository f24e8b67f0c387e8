"""Are sharded samples the same bytes on one and two processes, killed or not, in memory that stays flat?

    python benchmarks/shards.py RUN [--count 20000] [--format wds] [--shards 40]

Draws the shards once undisturbed on one process, then twice with two kills (SIGKILL to all processes, once
about a third and two thirds of the shards are there): on one process, and on two, one and two. Prints a
row a series: pictures/s, and the resident memory of the process that took most, after a quarter of its work
and at its most. Exit code 1 if a byte differs or anything else is left in the folder.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

TORCHRUN = ["torch.distributed.run", "--standalone"]


class Series(NamedTuple):
    """One way to come to the same set."""

    name: str
    processes: tuple[int, ...]
    """Of each start; all but the last are killed."""


SERIES = [
    Series("1 process, undisturbed", (1,)),
    Series("1 process, killed twice", (1, 1, 1)),
    Series("2, 1 and 2 processes, killed twice", (2, 1, 2)),
]


class Watched(NamedTuple):
    """What was seen of a start."""

    seconds: float
    early: float
    """GiB of the largest process when a quarter of the shards that this start drew were there."""
    most: float


def start(words: list[str], processes: int) -> subprocess.Popen:
    launch = [sys.executable, "-m"]
    if processes > 1:
        launch += [*TORCHRUN, f"--nproc-per-node={processes}", "-m", "--"]
    return subprocess.Popen(
        [*launch, "figment", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def family(pid: int) -> list[int]:
    """A process and all that descend from it, parents first (Linux)."""
    children = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            children += [int(child) for child in (task / "children").read_text().split()]
    return [pid, *(each for child in children for each in family(child))]


def resident(pid: int) -> float:
    """GiB of memory that a process holds."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**30


def watch(process: subprocess.Popen, there: Callable[[], int], goal: int, last: bool) -> Watched:
    """Look at a start until ``goal`` shards are there, then kill it; the last one until it ends."""
    began, before, early, most = time.monotonic(), there(), 0.0, 0.0
    while process.poll() is None and (last or there() < goal):
        most = max(most, *map(resident, family(process.pid)))
        if not early and there() >= before + max(1, (goal - before) // 4):
            early = most
        time.sleep(0.05)
    seconds = time.monotonic() - began
    if last:
        out, _ = process.communicate()
        if process.returncode:
            sys.exit(f"a start failed with exit code {process.returncode}:\n{out}")
        print(out.strip().splitlines()[-1])
    for pid in [] if last else family(process.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.communicate() if not last else None
    return Watched(seconds, early, most)


def drawn(series: Series, words: list[str], out: Path, shards: int) -> list[Watched]:
    ending = "*.tar" if "wds" in words else "*.parquet"
    seen = []
    for number, processes in enumerate(series.processes, 1):
        process = start([*words, "--out", str(out)], processes)
        goal, last = shards * number // len(series.processes), number == len(series.processes)
        seen.append(watch(process, lambda: len(list(out.glob(ending))), goal, last))
    return seen


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run")
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--format", choices=["wds", "parquet"], default="wds")
    parser.add_argument("--shards", type=int, default=40)
    args = parser.parse_args()
    words = ["sample", args.run, "--count", str(args.count), "--format", args.format]
    words += ["--shards", str(args.shards)]
    differs = False
    with tempfile.TemporaryDirectory() as home:
        for number, series in enumerate(SERIES):
            out = Path(home) / str(number)
            seen = drawn(series, words, out, args.shards)
            rate = args.count / sum(each.seconds for each in seen)
            memory = "; ".join(f"{each.early:.3f} to {each.most:.3f}" for each in seen)
            print(f"{series.name}: {rate:.0f} pictures/s, GiB {memory}", flush=True)
            same = bytes_of(out) == bytes_of(Path(home) / "0")
            differs |= not same
            print("  the same bytes" if same else "  DIFFERENT", flush=True)
    sys.exit(differs)


if __name__ == "__main__":
    main()
