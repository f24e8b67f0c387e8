"""How fast does one checkout train beside another? Images/s of a few games, the two taking turns.

    python benchmarks/core_speed.py OLD_SRC NEW_SRC [--repeats 5] [--seconds 8]

OLD_SRC and NEW_SRC are checkouts, or their src folders. Every measurement is a process of its own with
that code on its path: a trainer on one thread of the CPU plays two rounds to warm up, then rounds for
--seconds. Old and new alternate, so that both meet the same machine; a pair is an old measurement and
the new one after it. Prints the medians, their ratio (above 1: the new code is faster) and the range of
the pairs' ratios. A difference within that range is noise.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

DATA = "flowers:256"
CASES: dict[str, dict[str, Any]] = {
    "dcgan": {"resolution": 64, "width": 16, "batch": 32},
    "flowers-64": {"resolution": 64, "width": 16, "batch": 16},
    "cats-mlp-unrolled": {"resolution": 32, "hidden": (64, 128), "batch": 32},
}
WARM_UP = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("old", type=Path, metavar="OLD_SRC")
    parser.add_argument("new", type=Path, metavar="NEW_SRC")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=CASES)
    parser.add_argument("--measure", choices=CASES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        print(images_per_second(args.measure, args.seconds))
        return
    old, new = source(args.old), source(args.new)
    print(f"old: {old}\nnew: {new}\n{args.repeats} pairs of {args.seconds:g} s, images/s\n")
    print("| case | old, median | new, median | new/old | of pairs |")
    print("|---|---|---|---|---|", flush=True)
    for case in args.cases:
        print(line(case, old, new, args.repeats, args.seconds), flush=True)


def line(case: str, old: Path, new: Path, repeats: int, seconds: float) -> str:
    """Return the table's line for one case, measured now."""
    pairs = [tuple(measured(src, case, seconds) for src in (old, new)) for _ in range(repeats)]
    before, after = (statistics.median(rates) for rates in zip(*pairs, strict=True))
    ratios = [newer / older for older, newer in pairs]
    return (
        f"| {case} | {before:.1f} | {after:.1f} | {after / before:.3f} | "
        f"{min(ratios):.3f} to {max(ratios):.3f} |"
    )


def source(checkout: Path) -> Path:
    """Return the folder to import from, for a checkout or for that folder itself."""
    for folder in (checkout, checkout / "src"):
        if (folder / "figment" / "__init__.py").exists():
            return folder.resolve()
    sys.exit(f"{checkout} holds no figment: give a checkout or its src folder")


def measured(src: Path, case: str, seconds: float) -> float:
    """Return images/s of one case, played by the code in ``src`` in a process of its own."""
    command = [sys.executable, __file__, str(src), str(src), "--measure", case]
    done = subprocess.run(
        [*command, "--seconds", str(seconds)],
        env=os.environ | {"PYTHONPATH": str(src), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        sys.exit(f"{case} could not be played by {src}")
    return float(done.stdout.split()[-1])


def images_per_second(case: str, seconds: float) -> float:
    """Play a case in this process and return its speed."""
    import torch

    import figment
    from figment.data import open_dataset
    from figment.recipes import SYSTEMS
    from figment.training.devices import set_up
    from figment.training.trainer import Trainer

    wanted = os.environ["PYTHONPATH"]
    if not Path(figment.__file__).resolve().is_relative_to(wanted):
        sys.exit(f"{figment.__file__} was imported, not the code in {wanted}")
    cpu = torch.device("cpu")
    set_up(cpu)
    torch.set_num_threads(1)
    recipe = replace(SYSTEMS[case].recipe, precision="float32", held_out=0.0, **CASES[case])
    recipe.check()
    dataset = open_dataset(
        DATA, resolution=recipe.resolution, channels=recipe.channels, progress=False
    )
    trainer = Trainer(recipe, dataset, cpu)
    for _ in range(WARM_UP):
        trainer.round()
    images, start = trainer.clock.images, time.perf_counter()
    while time.perf_counter() - start < seconds:
        trainer.round()
    return (trainer.clock.images - images) / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
