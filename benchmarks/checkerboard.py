"""Do up-sampling and average pooling keep checkerboards away? The Study's pairs, scored side by side.

    python benchmarks/checkerboard.py [DATA] [--images 40000] [--width 32] [--out checkerboard/]

Four networks, each as it was published (transposed and strided convolutions of 5x5) and in the form of
system S4 (nearest doubling, average pooling), trained on the same pictures for the same number of images.
Prints the energy at the highest frequency of 1,000 samples over that of the pictures themselves
(``figment.metrics.artefacts``), of the weights as they are and averaged, and KID. Each run in a process of
its own leaves a line of JSON and a grid of samples.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

SAMPLES = 1_000
PUBLISHED = {"up": "transposed", "down": "strided", "kernel": 5}
SMOOTH = {"up": "nearest", "down": "pooled", "kernel": 5}
PAIRS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "S1, DCGAN baseline, 32 px": ({"connected": 0, "resolution": 32}, {}),
    "S2, FCC-GAN, 32 px": ({"connected": 1, "resolution": 32}, {}),
    "S1, DCGAN baseline, 64 px": ({"connected": 0, "resolution": 64}, {}),
    "S3, FCC-GAN, 64 px": ({"connected": 1, "resolution": 64}, {}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", nargs="?", default="flowers:4000")
    parser.add_argument("--images", type=int, default=40_000)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--out", type=Path, default=Path("checkerboard"))
    parser.add_argument("--run", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.run:
        print(json.dumps(measure(args, *args.run)))
        return
    args.out.mkdir(parents=True, exist_ok=True)
    print(f"{Path(args.data).name}, width {args.width}, {args.images:,} images each\n")
    print("| network | transposed, strided | averaged | S4 | averaged | share | KID x 1000, S4 |")
    print("|---|---|---|---|---|---|---|")
    for name in PAIRS:
        old, new = (collect(args, name, form) for form in ("published", "smooth"))
        print(
            f"| {name} | {old['now']:.2f} | {old['averaged']:.2f} | {new['now']:.2f} | "
            f"{new['averaged']:.2f} | {new['now'] / old['now']:.2f} | "
            f"{old['kid']:.0f}, {new['kid']:.0f} |",
            flush=True,
        )


def collect(args: argparse.Namespace, name: str, form: str) -> dict[str, float]:
    """Return one run's figures, trained and measured first where they are not there."""
    line = args.out / f"{''.join(c if c.isalnum() else '-' for c in name)}-{form}.json"
    if not line.exists():
        size = ["--images", str(args.images), "--width", str(args.width), "--out", str(args.out)]
        words = [sys.executable, __file__, args.data, *size, "--run", name, form]
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
        line.write_text(done.stdout)
    return json.loads(line.read_text())


def measure(args: argparse.Namespace, name: str, form: str) -> dict[str, float]:
    """Train one network and return its scores."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import torch

    from figment.data import open_dataset
    from figment.judging.scorer import scorer_for
    from figment.judging.sides import sample_side
    from figment.recipes.fccgan import FCCGAN
    from figment.sampling.generator import Generator
    from figment.training.average import with_own_statistics
    from figment.training.devices import set_up
    from figment.training.trainer import Trainer

    device = torch.device("cpu")
    set_up(device)
    torch.set_num_threads(1)
    fields: dict[str, Any] = PAIRS[name][0] | (PUBLISHED if form == "published" else SMOOTH)
    recipe = replace(FCCGAN(), width=args.width, images=args.images, batch=32, **fields)
    recipe = replace(recipe, metrics=("checkerboard", "kid"), metric_count=SAMPLES)
    recipe = replace(recipe, precision="float32")
    recipe.check()
    dataset = open_dataset(args.data, resolution=recipe.resolution, channels=3)
    trainer = Trainer(recipe, dataset, device)
    while trainer.clock.images < args.images:
        trainer.round()
    scorer = scorer_for(recipe, dataset, trainer.feed.rows, trainer.feed.held_out[:0])
    assert scorer is not None
    found: dict[str, float] = {}
    for which, net in (
        ("now", with_own_statistics(recipe, trainer.nets["generator"])),
        ("averaged", trainer.averaged_generator()),
    ):
        generator = Generator(recipe, net)
        scores = scorer.scores(sample_side(generator, SAMPLES, scorer.extractor), sure=False)
        values = {score.name: score.value for score in scores}
        found |= {which: values["checkerboard"], "kid": 1000 * values["kid"]}
    slug = "".join(c if c.isalnum() else "-" for c in name)
    generator.sample(64).save(args.out / f"{slug}-{form}.png")
    return found


if __name__ == "__main__":
    main()
