"""Does a run that is killed again and again end like an undisturbed one, to the byte?

    python benchmarks/kill.py [--kills 20] [--processes 1] [--images 30000] [--seed 0]

Trains a small DCGAN on the built-in flowers once undisturbed, then once more with SIGKILL to all its
processes while it packs, trains, saves its state and writes its report, each time going on with `figment
resume`, or starting again where no run folder was there yet. Prints a table of the kills and compares
state, last snapshot and log; exit code 1 if a byte differs or a half-written file is left.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from figment.training.log import MEASURED, read_log

WORDS = ["flowers:512", "--recipe", "dcgan", "--resolution", "32", "--width", "16", "--batch", "32"]
WORDS += ["--tick", "640", "--save-every", "640", "--precision", "float32"]
WORDS += ["--metric-every", "640", "--features", "small", "--metric-count", "64"]


def start(words: list[str], processes: int, cache: Path) -> subprocess.Popen:
    launch = [sys.executable, "-m"]
    if processes > 1:
        launch += [
            "torch.distributed.run",
            "--standalone",
            f"--nproc-per-node={processes}",
            "-m",
            "--",
        ]
    threads = str(max(1, (os.cpu_count() or 1) // processes))
    return subprocess.Popen(
        [*launch, "figment", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "FIGMENT_CACHE": str(cache), "OMP_NUM_THREADS": threads},
    )


def finish(process: subprocess.Popen) -> None:
    out, _ = process.communicate()
    if process.returncode:
        sys.exit(f"a run failed with exit code {process.returncode}:\n{out}")


def kill(process: subprocess.Popen, comes: Callable[[], bool], wait: float) -> bool:
    """Kill it with its children, some seconds after a moment comes; return whether it was still at work."""
    while process.poll() is None and not comes():
        time.sleep(0.0005)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(wait)
    if process.poll() is not None:
        finish(process)
        return False
    for pid in family(process.pid):  # torchrun's workers are no members of its process group
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.communicate()
    return True


class Moment(NamedTuple):
    """Something that a run does, and how one sees from outside that it is doing it."""

    name: str
    comes: Callable[[Path, Path], Callable[[], bool]]
    """(run, cache) -> whether it has come."""
    longest: float
    """Seconds that may pass before the kill."""


def _packing(run: Path, cache: Path) -> Callable[[], bool]:
    shutil.rmtree(cache, ignore_errors=True)  # so that it packs again
    return lambda: any(cache.glob("*.partial"))


def _training(run: Path, cache: Path) -> Callable[[], bool]:
    log, before = run / "log.jsonl", last_image(run)
    return lambda: log.exists() and last_image(run) > before


def _saving(run: Path, cache: Path) -> Callable[[], bool]:
    return lambda: any((run / "state").glob(".*.tmp"))


def _reporting(run: Path, cache: Path) -> Callable[[], bool]:
    return lambda: any(run.glob(".re*.tmp")) or any(run.glob(".README*.tmp"))


PACKING, TRAINING = Moment("packing", _packing, 0.02), Moment("training", _training, 1.0)
SAVING, REPORTING = Moment("saving", _saving, 0.01), Moment("reporting", _reporting, 0.005)


def moments(kills: int) -> list[Moment]:
    """So many, in the order in which a run comes to them: a fifth packing, a seventh reporting."""
    first, last = max(1, kills // 5), max(1, kills // 7)
    middle = [(TRAINING, SAVING)[number % 2] for number in range(kills - first - last)]
    return [PACKING] * first + middle + [REPORTING] * last


def family(pid: int) -> list[int]:
    """A process and all that descend from it, parents first (Linux)."""
    children = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            children += [int(child) for child in (task / "children").read_text().split()]
    return [pid, *(each for child in children for each in family(child))]


def last_image(run: Path) -> int:
    lines = read_log(run)
    return lines[-1]["images"] if lines else 0


def differences(one: Path, other: Path) -> list[str]:
    last = sorted((one / "snapshots").iterdir())[-1].name
    parts = ["state/latest.safetensors", f"snapshots/{last}", "recipe.json"]
    found = [part for part in parts if (one / part).read_bytes() != (other / part).read_bytes()]
    logs = [
        json.dumps([{k: v for k, v in line.items() if k not in MEASURED} for line in read_log(run)])
        for run in (one, other)
    ]
    return found + (["log.jsonl"] if logs[0] != logs[1] else [])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--images", type=int, default=30_000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as home:
        whole, killed, cache = Path(home) / "whole", Path(home) / "killed", Path(home) / "cache 2"
        words = ["train", *WORDS, "--images", str(args.images)]
        began = time.perf_counter()
        finish(start([*words, "--run", str(whole)], args.processes, Path(home) / "cache 1"))
        seconds = time.perf_counter() - began
        print(f"undisturbed: {args.images:,} images, {args.processes} process(es), {seconds:.0f} s")
        kills = 0
        for moment in moments(args.kills):
            again = (killed / "recipe.json").exists()
            go_on = ["resume", str(killed)] if again else [*words, "--run", str(killed)]
            comes = moment.comes(killed, cache)
            at_work = kill(
                start(go_on, args.processes, cache), comes, rng.uniform(0, moment.longest)
            )
            kills += at_work
            state = f"kill {kills:2}" if at_work else "it ended "
            print(
                f"  {state}: {go_on[0]:6} {moment.name:9} log at {last_image(killed):,}", flush=True
            )
        if (killed / "recipe.json").exists():
            finish(start(["resume", str(killed)], args.processes, cache))
        else:
            finish(start([*words, "--run", str(killed)], args.processes, cache))
        found = differences(whole, killed)
        found += [str(path) for path in killed.rglob(".*.tmp")]
        print(
            f"{kills} kills; " + ("differs in " + ", ".join(found) if found else "the same bytes")
        )
        sys.exit(bool(found))


if __name__ == "__main__":
    main()
