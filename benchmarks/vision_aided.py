"""Do heads on a pretrained network's maps learn more from the same seconds, and what of the colours?

    python benchmarks/vision_aided.py DATA [--seconds 100 300] [--only NAME ...] [--out DIR]
        [--judges mobilenet patches] [--resolution 32] [--width 16] [--batch 16] [--seed 0]

Each form trains for so many seconds of one thread's own time, in a process of its own; at each of them it
leaves 2,000 samples of the averaged generator and what is known of them, and is not trained again. Prints
a table: images seen, KID x 1000 against 4,000 reals by each judge, and how the colours differ from the
reals': mean and deviation of the pixels over all channels, saturation (mean of the largest less the
smallest channel), and deviation between the pictures' means, of the average and of the weights themselves.
A judge must not be what the heads look through: EfficientNet is none here. Leaves a grid a line.
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
HINGE = {"objective": "hinge", "real_target": 1.0, "spectral_norm": "discriminator"}
AIDED = {"vision_aided": 1.0, "vision_side": 32, "vision_augment": "geometry"}

FORMS: dict[str, tuple[str, dict[str, Any]]] = {
    "dcgan": ("dcgan", {}),
    "dcgan + heads": ("dcgan", AIDED),
    "dcgan + heads, colours changed": ("dcgan", AIDED | {"vision_augment": "diffaugment"}),
    "dcgan + heads at 64 px, colours changed": (
        "dcgan",
        AIDED | {"vision_side": 64, "vision_augment": "diffaugment"},
    ),
    "dcgan + heads every 4 rounds": ("dcgan", AIDED | {"vision_every": 4}),
    "hinge + heads, colours changed": ("dcgan", HINGE | AIDED | {"vision_augment": "diffaugment"}),
    "few-shot": ("few-shot", {}),
    "few-shot + heads": ("few-shot", AIDED),
}
"""Systems, and what is set of them: heads at 32 px, augmented but for their colours, unless said."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data")
    parser.add_argument("--seconds", type=float, nargs="+", default=[100, 200, 300])
    parser.add_argument("--only", nargs="*", default=list(FORMS), help="names of forms")
    parser.add_argument("--out", type=Path, default=Path("vision-aided"))
    parser.add_argument("--judges", nargs="+", default=["mobilenet", "patches"])
    for name, value in (("resolution", 32), ("width", 16), ("batch", 16), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--run", help=argparse.SUPPRESS)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    if args.run:
        train(args, args.run)
        return
    alone = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    for name in args.only:
        if not place(args, name, args.seconds[-1]).exists():
            subprocess.run([sys.executable, *sys.argv, "--run", name], check=True, env=alone)
    print(table(args))


def place(args: argparse.Namespace, name: str, seconds: float) -> Path:
    """Return where a form's samples at a moment lie."""
    words = name.replace(" + ", "+").replace(", ", "-").replace(" ", "_")
    return args.out / f"{words}-{args.seed}-{seconds:g}.npz"


def opened(args: argparse.Namespace) -> Any:
    from figment.data import open_dataset

    return open_dataset(args.data, resolution=args.resolution, channels=3, progress=False)


def train(args: argparse.Namespace, name: str) -> None:
    """Train a form and leave its samples at every moment asked for."""
    import torch

    from figment.recipes import find
    from figment.sampling.generator import Generator
    from figment.training.average import with_own_statistics
    from figment.training.trainer import Trainer

    torch.set_num_threads(1)
    system, fields = FORMS[name]
    size = {key: getattr(args, key) for key in ("resolution", "width", "batch", "seed")}
    recipe = replace(find(system)[1], precision="float32", **size, **fields)
    if recipe.rate_decay:  # where it ends is a matter of seconds here
        recipe = replace(recipe, rate_decay=0.0)
    recipe.check()
    trainer, used = Trainer(recipe, opened(args), torch.device("cpu")), 0.0
    for seconds in sorted(args.seconds):
        while used < seconds:
            begun = time.process_time()
            trainer.round()
            used += time.process_time() - begun
        samples = Generator(recipe, trainer.averaged_generator()).sample(SAMPLES).array
        own = with_own_statistics(recipe, trainer.nets["generator"])
        raw = Generator(recipe, own).sample(SAMPLES).array
        known = {
            "images": trainer.clock.images,
            "colours": colours(samples),
            "without average": colours(raw),
        }
        path = place(args, name, seconds)
        np.savez(path, samples=samples, known=json.dumps(known))
        grid(samples, path.with_suffix(".png"))
        print(f"{name}, {seconds:g} s: {known}", file=sys.stderr, flush=True)


def grid(images: np.ndarray, path: Path) -> None:
    """Write the first 64 pictures, twice as large."""
    from figment.sampling.pictures import tile

    whole = tile(images[:64], 8)
    whole.resize((2 * whole.width, 2 * whole.height), 0).save(path)


def colours(images: np.ndarray) -> list[float]:
    """Return mean, deviation, saturation and the deviation between pictures of uint8 [N, 3, H, W]."""
    x = images.astype(np.float32)
    saturation = x.max(1) - x.min(1)
    each = x.mean((1, 2, 3))
    return [round(float(v), 1) for v in (x.mean(), x.std(), saturation.mean(), each.std())]


def table(args: argparse.Namespace) -> str:
    """Return the table of all that has been trained."""
    import torch

    from figment.metrics.distances import kid_full
    from figment.metrics.features import open_features

    torch.set_num_threads(1)
    dataset = opened(args)
    rows = np.linspace(0, len(dataset) - 1, REALS).round().astype(int)
    reals = np.array(dataset.rows[np.unique(rows)])
    judges = {judge: open_features(judge) for judge in args.judges}
    sides = {judge: features(judge, network, reals) for judge, network in judges.items()}
    heading = " | ".join(f"KID by {judge}" for judge in judges)
    asked = "mean, deviation, saturation, between pictures"
    lines = [f"reals: {asked}: {colours(reals)}", ""]
    lines.append(f"| form | CPU s | images | {heading} | {asked} | without average |")
    lines.append("|---|---|---|" + "---|" * (len(judges) + 2))
    for name in args.only:
        for seconds in args.seconds:
            with np.load(place(args, name, seconds)) as found:
                samples, known = found["samples"], json.loads(str(found["known"]))
            scores = [
                f"{1000 * kid_full(sides[judge], features(judge, network, samples)).value:,.0f}"
                for judge, network in judges.items()
            ]
            cells = [name, f"{seconds:g}", f"{known['images']:,}", *scores]
            cells += [", ".join(map(str, known[side])) for side in ("colours", "without average")]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def features(judge: str, network: Any, images: np.ndarray) -> Any:
    from figment.metrics.features import extract

    return extract(network, (images[i : i + 250] for i in range(0, len(images), 250))).values


if __name__ == "__main__":
    main()
