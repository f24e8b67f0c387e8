"""Does a run that is killed again and again end like an undisturbed one, to the byte?

    python benchmarks/kill.py [--kills 10] [--processes 1] [--seed 0]

Trains a small DCGAN on the built-in flowers once undisturbed, then once more with SIGKILL to all its
processes at random moments (start-up, packing, planning, training, saving), each time going on with
`figment resume`, or starting again where no run folder was there yet. Prints a table of the kills and
compares state, last snapshot and log; exit code 1 if a byte differs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from figment.training.log import MEASURED, read_log

WORDS = ["flowers:512", "--recipe", "dcgan", "--resolution", "32", "--width", "16", "--batch", "32"]
WORDS += ["--tick", "640", "--save-every", "1600", "--precision", "float32"]
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


def kill(process: subprocess.Popen, after: float) -> bool:
    """Kill it with all its children after some seconds; return whether it was still at work."""
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        for pid in family(process.pid):  # torchrun's workers are no members of its process group
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.communicate()
        return True
    finish(process)
    return False


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
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--images", type=int, default=30_000)
    parser.add_argument(
        "--stride", type=float, default=0.3, help="longest time between kills, of a run"
    )
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as home:
        whole, killed = Path(home) / "whole", Path(home) / "killed"
        words = ["train", *WORDS, "--images", str(args.images)]
        began = time.perf_counter()
        finish(start([*words, "--run", str(whole)], args.processes, Path(home) / "cache 1"))
        seconds = time.perf_counter() - began
        print(f"undisturbed: {args.images:,} images, {args.processes} process(es), {seconds:.0f} s")
        kills = 0
        while kills < args.kills:
            again = (killed / "recipe.json").exists()
            go_on = ["resume", str(killed)] if again else [*words, "--run", str(killed)]
            after = rng.uniform(0.2, args.stride * seconds)
            process = start(go_on, args.processes, Path(home) / "cache 2")
            if not kill(process, after):
                break
            kills += 1
            print(
                f"  kill {kills:2}: {go_on[0]:6} after {after:5.1f} s, log at {last_image(killed):,}"
            )
        if (killed / "recipe.json").exists():
            finish(start(["resume", str(killed)], args.processes, Path(home) / "cache 2"))
        else:
            finish(start([*words, "--run", str(killed)], args.processes, Path(home) / "cache 2"))
        found = differences(whole, killed)
        print(
            f"{kills} kills; " + ("differs in " + ", ".join(found) if found else "the same bytes")
        )
        sys.exit(bool(found))


if __name__ == "__main__":
    main()
