"""Which width of DCGAN learns most from the same seconds, at which rates, and which average of its weights?

    python benchmarks/widths.py DATA [--forms 32:32:2e-4 32:32:4e-4 24:32:5.3e-4 16:32:8e-4] [--out DIR]
        [--seconds 300 600] [--half-lives 10000] [--judges mobilenet patches] [--resolution 64] [--seed 0]

A form is width:batch:rate, the rate that of both players. Each trains for so many seconds of one thread's
own time, in a process of its own, and is not trained again; several averages follow the same training. At
each moment 2,000 samples of each average are left. Prints a table: images seen, by each judge KID x 1000
against 4,000 reals and the accuracy of a linear classifier of real against fake (.5 cannot tell). Leaves a
grid a line.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

SAMPLES, REALS = 2_000, 4_000
FORMS = ("32:32:2e-4", "32:32:4e-4", "24:32:5.3e-4", "16:32:8e-4")
WARM_UP = 0.3
"""A half-life is at most this share of the images seen."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data")
    parser.add_argument("--forms", nargs="+", default=list(FORMS))
    parser.add_argument("--seconds", type=float, nargs="+", default=[300, 600])
    parser.add_argument("--half-lives", type=int, nargs="+", default=[10_000])
    parser.add_argument("--judges", nargs="+", default=["mobilenet", "patches"])
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("widths"))
    parser.add_argument("--run", help=argparse.SUPPRESS)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    if args.run:
        train(args, args.run)
        return
    alone = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    for form in args.forms:
        if not place(args, form, max(args.seconds), args.half_lives[-1]).exists():
            subprocess.run([sys.executable, *sys.argv, "--run", form], check=True, env=alone)
    print(table(args))


def place(args: argparse.Namespace, form: str, seconds: float, half_life: int) -> Path:
    """Return where a form's samples at a moment lie."""
    name = f"{form.replace(':', '-')}-{args.seed}-{seconds:g}-{half_life}.npz"
    return args.out / name.replace("e-", "e")


def opened(args: argparse.Namespace) -> Any:
    from figment.data import open_dataset

    return open_dataset(args.data, resolution=args.resolution, channels=3, progress=False)


def train(args: argparse.Namespace, form: str) -> None:
    """Train a form and leave the samples of each average at every moment asked for."""
    import torch

    from figment.recipes import find
    from figment.training.average import averaged, decay, follow
    from figment.training.devices import precision_for, set_up
    from figment.training.trainer import Trainer

    torch.set_num_threads(1)
    cpu = torch.device("cpu")
    set_up(cpu)
    width, batch, rate = (json.loads(word) for word in form.split(":"))
    recipe = replace(find("dcgan")[1], resolution=args.resolution, width=width, batch=batch)
    recipe = replace(recipe, generator_lr=rate, discriminator_lr=rate, seed=args.seed, images=10**9)
    recipe = replace(recipe, precision=precision_for(recipe, cpu))
    trainer, used = Trainer(recipe, opened(args), cpu), 0.0
    learning = trainer.nets["generator"]
    averages = {life: averaged(learning) for life in args.half_lives}
    for seconds in sorted(args.seconds):
        while used < seconds:
            begun, before = time.process_time(), trainer.clock.images
            trainer.round()
            now = trainer.clock.images
            for life, average in averages.items():
                follow(average, learning, keep=decay(now - before, min(life, WARM_UP * now)))
            used += time.process_time() - begun
        for life, average in averages.items():
            leave(recipe, average, now, place(args, form, seconds, life))
        print(f"{form}, {seconds:g} s: {now:,} images", file=sys.stderr, flush=True)


def leave(recipe: Any, average: Any, images: int, path: Path) -> None:
    """Leave an average's samples, and the first 64 as a picture."""
    from figment.sampling.generator import Generator
    from figment.sampling.pictures import tile
    from figment.training.average import with_own_statistics

    samples = Generator(recipe, with_own_statistics(recipe, average)).sample(SAMPLES).array
    tile(samples[:64], 8).save(path.with_suffix(".png"))
    np.savez(path, samples=samples, images=images)


def table(args: argparse.Namespace) -> str:
    """Return the table of all that has been trained."""
    from figment.metrics.distances import kid_full
    from figment.metrics.features import extract, open_features
    from figment.metrics.two_sample import c2st

    dataset = opened(args)
    rows = np.unique(np.linspace(0, len(dataset) - 1, REALS).round().astype(int))
    reals = np.array(dataset.rows[rows])
    judges = {judge: open_features(judge) for judge in args.judges}

    def seen(judge: str, images: np.ndarray) -> Any:
        parts = (images[i : i + 250] for i in range(0, len(images), 250))
        return extract(judges[judge], parts).values

    sides = {judge: seen(judge, reals) for judge in judges}
    heading = " | ".join(f"KID x 1000, {judge} | C2ST" for judge in judges)
    lines = [f"| width:batch:rate | CPU s | images | half-life | {heading} |"]
    lines.append("|---|---|---|---|" + "---|" * (2 * len(judges)))
    for form in args.forms:
        for seconds in args.seconds:
            for life in args.half_lives:
                with np.load(place(args, form, seconds, life)) as found:
                    samples, images = found["samples"], int(found["images"])
                scores = []
                for judge, real in sides.items():
                    fake = seen(judge, samples)
                    scores.append(f"{1000 * kid_full(real, fake).value:,.0f}")
                    scores.append(f"{c2st(real, fake).accuracy:.3f}")
                cells = [form, f"{seconds:g}", f"{images:,}", f"{life:,}", *scores]
                lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
