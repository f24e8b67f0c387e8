"""Does unrolling fit into memory, round after round? Where the Cats study's attempt died.

    python benchmarks/unrolled_memory.py [DATA] [--rounds 30] [--steps 5] [--inner adam] [--plain]

The study's own networks (27.9 M parameters each, batch 100, 64 px in colour), the discriminator unrolled
by K steps. Prints, for each round, its seconds, the most memory that the process held in it, and losses.
The peak of a round needs Linux (/proc); elsewhere it is that of all rounds so far.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from figment.data import open_dataset
from figment.recipes.mlp import CATS_COLOUR, MLP
from figment.training.devices import peak_memory, set_up
from figment.training.trainer import Trainer
from figment.turns import Play
from figment.turns.unrolled import Unrolled

CPU = torch.device("cpu")


@dataclass(frozen=True, kw_only=True)
class UnrolledMLP(MLP):
    """The Cats study's MLP GAN, unrolled."""

    play: Play = "unrolled"
    way: Unrolled
    """How it is unrolled."""

    def turns(self) -> Unrolled:
        return self.way


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", nargs="?", default="flowers:1000")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--inner", choices=("adam", "fresh-adam", "sgd"), default="adam")
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--plain", action="store_true", help="without checkpoints")
    args = parser.parse_args()
    set_up(CPU)
    way = Unrolled(steps=args.steps, inner=args.inner, checkpoint=not args.plain)
    recipe = UnrolledMLP(way=way, precision="float32")
    recipe = replace(
        recipe,
        batch=args.batch,
        generator_lr=CATS_COLOUR.generator_lr,
        discriminator_lr=CATS_COLOUR.discriminator_lr,
    )
    trainer = Trainer(recipe, open_dataset(args.data, resolution=64, channels=3), CPU)
    print(
        f"K = {args.steps}, {args.inner}, batch {args.batch}, {torch.get_num_threads()} threads\n"
    )
    print("| round | seconds | peak GiB | loss of D | of G, unrolled |")
    print("|---|---|---|---|---|")
    for number in range(1, args.rounds + 1):
        forget_peak()
        start = time.perf_counter()
        seen = trainer.round()
        seconds = time.perf_counter() - start
        losses = " | ".join(
            f"{seen[f'loss/{player}']:.4f}" for player in ("discriminator", "generator")
        )
        print(f"| {number} | {seconds:.1f} | {peak():.2f} | {losses} |", flush=True)


def forget_peak() -> None:
    """Let the kernel measure the peak of this process's memory anew from here on."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak() -> float:
    """Return the most memory in GiB that this process has held since ``forget_peak``."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return peak_memory(CPU)
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found.group(1)) / 2**20 if found else peak_memory(CPU)


if __name__ == "__main__":
    main()
