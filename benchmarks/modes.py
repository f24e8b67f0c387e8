"""Which technique finds all modes? Ring of 8, grid of 25, and the unrolled GAN's own setting.

    python benchmarks/modes.py train ring|grid|paper [--methods NAME…] [--seeds 0 1 …] [--out modes/]
    python benchmarks/modes.py table ring|grid|paper [--out modes/]
    python benchmarks/modes.py draw [--out modes/] [--to docs/results/]

`train` leaves a run folder for every method and seed; one that is complete is skipped, one that was cut
short goes on where it was. `table` counts the modes of 2,500 samples, `draw` the density through training
as the Cats study's Figure 11 does. Methods differ from "vanilla" in nothing but what METHODS says.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from figment.data import points
from figment.launch import resume, train
from figment.metrics.modes import PointModes, point_modes
from figment.sampling.generator import load_generator

SAMPLES = 2_500
WIDE = 5
"""Times three deviations: the wider circle, 15 σ, in which the paper's setting is judged too."""


class Game(NamedTuple):
    """Data, what all methods share, and for how long."""

    data: str
    centres: np.ndarray
    std: float
    seeds: int
    images: int
    fields: dict[str, Any]


COMMON = {
    "precision": "float32",
    "metrics": (),
    "metric_count": 64,
    "ema": 0,  # samples are the generator's own
    "betas": (0.5, 0.999),
}
PAPER = {
    "objective": "minimax",
    "batch": 256,
    "latent": 256,
    "hidden": (128, 128),
    "judge_hidden": (128,),
    "divisor": 4.0,
    "orthogonal_gain": 0.8,
    "generator_lr": 1e-4,
    "discriminator_lr": 1e-4,
    "snapshot_every": 500 * 256,
}
"""Metz et al. 2016, appendix A."""
GAMES = {
    "paper": Game("ring", points.RING_CENTRES, points.RING_STD, 3, 12_000 * 256, PAPER),
}
METHODS: dict[str, dict[str, dict[str, Any]]] = {
    "paper": {
        "K = 0": {},
        "unrolled K = 10": {"play": "unrolled", "unroll": 10},
    },
}


def train_one(run: Path, game: Game, fields: dict[str, Any], seed: int) -> None:
    """Train one method with one seed to its end, from where it is."""
    if (run / "snapshots" / f"{game.images:09d}.safetensors").exists():
        return
    if run.exists():
        resume(run, device="cpu", progress=False)
        return
    every = {"tick": game.images // 50, "sample_every": game.images, "metric_every": game.images, "seed": seed}
    train(
        game.data,
        "points",
        run=run,
        images=game.images,
        device="cpu",
        progress=False,
        **(COMMON | every | game.fields | fields),
    )
    print(f"{run}: {seconds(run):.0f} s", flush=True)


def folder(out: Path, game: str, method: str, seed: int) -> Path:
    """Return where a run lies."""
    plain = "".join(c if c.isalnum() else "-" for c in method.lower())
    return out / game / f"{plain}-{seed}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("game", choices=GAMES)
    parser.add_argument("--methods", nargs="+")
    parser.add_argument("--seeds", nargs="+", type=int)
    parser.add_argument("--out", type=Path, default=Path("modes"))
    args = parser.parse_args()
    game, methods = GAMES[args.game], METHODS[args.game]
    for seed in args.seeds or range(game.seeds):
        for name in args.methods or methods:
            train_one(folder(args.out, args.game, name, seed), game, methods[name], seed)


def seconds(run: Path) -> float:
    """Return how long a run took."""
    return json.loads((run / "log.jsonl").read_text().splitlines()[-1])["seconds"]


if __name__ == "__main__":
    main()
