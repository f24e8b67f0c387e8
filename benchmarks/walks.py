"""How long does a walk take, and does it jump?

    python benchmarks/walks.py RUN [--frames 120] [--walks 5]

Renders walks of --frames frames past three seeds each, as ``figment walk`` does, to WebP and GIF. Prints
the seconds of each on the threads there are, and the largest step between two frames over the median: root
mean square difference of pixels, and distance of features.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from figment.judging.scorer import extractor_for
from figment.metrics.features import extract
from figment.opened import generator_at
from figment.sampling.walk import along, stops, walk


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--frames", type=int, default=120)
    parser.add_argument("--walks", type=int, default=5)
    parser.add_argument("--features", default="auto")
    args = parser.parse_args()
    generator = generator_at(args.run)
    extractor = extractor_for("images", args.features, "cpu")
    assert extractor is not None
    print(f"{args.run}, {args.frames} frames, {torch.get_num_threads()} threads\n")
    print("| seeds | seconds, WebP | GIF | largest step over the median: pixels | features |")
    print("|---|---|---|---|---|")
    for number in range(args.walks):
        seeds = range(3 * number + 1, 3 * number + 4)
        took = []
        with tempfile.TemporaryDirectory() as folder:
            for ending in ("webp", "gif"):
                started = time.perf_counter()
                walk(generator, Path(folder) / f"walk.{ending}", seeds=seeds, frames=args.frames)
                took.append(time.perf_counter() - started)
        latents, labels = stops(generator, seeds, (), None)
        places = along(latents, args.frames, loop=True, labels=labels)
        frames = generator.draw(*places)
        seen = extract(extractor, frames.split(64)).values
        jumps = [unevenness(each) for each in (frames.flatten(1).float(), seen)]
        named = ", ".join(map(str, seeds))
        print(f"| {named} | {took[0]:.1f} | {took[1]:.1f} | {jumps[0]:.2f} | {jumps[1]:.2f} |")


def unevenness(frames: Tensor) -> float:
    """Return the largest step from row to row [F, D], the last to the first too, over the median step."""
    steps = (frames - frames.roll(-1, 0)).norm(dim=1).numpy()
    return float(steps.max() / np.median(steps))


if __name__ == "__main__":
    main()
