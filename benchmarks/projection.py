"""Is a picture's latent found again? Projection of generated pictures and of unseen photographs.

    python benchmarks/projection.py RUN [--count 20] [--steps 300] [--starts 4] [--space auto] [--out DIR]

Looks for --count pictures that the run's own generator drew, from seeds that the search does not start at,
and for as many photographs that were held out of its training, as ``figment project`` does. The distance is
that of features, over the mean distance of two random samples. Every picture leaves a line of JSON below
--out and a pair (given, found), so that a broken-off benchmark goes on. Prints a table; draws the pairs.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from figment.data import split
from figment.judging.scorer import extractor_for
from figment.run import Run
from figment.sampling.generator import Generator
from figment.sampling.pictures import save_image, tile
from figment.sampling.project import Perceive, perceiver, project
from figment.sampling.project_styles import project_styles, space_of

FIRST_SEED = 1_000_000
"""Of the generated pictures."""
GOAL = 0.2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--starts", type=int, default=4)
    parser.add_argument("--space", choices=("auto", "z", "w", "w+"), default="auto")
    parser.add_argument("--features", default="auto")
    parser.add_argument("--out", type=Path, default=Path("projection"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    run = Run(args.run)
    generator = run.generator
    space = args.space = space_of(generator, args.space, noise=False)
    extractor = extractor_for("images", args.features, "cpu")
    assert extractor is not None
    kinds = {"generated": generator.sample(args.count, seed=FIRST_SEED).array}
    unseen = held_out(run, args.count)
    if len(unseen):
        kinds["photographs"] = unseen
    said = f"{args.starts} starts of {args.steps} steps in {space}"
    print(f"{args.run}, features {extractor.name}, {said}\n")
    print(
        "| pictures | number | median | mean | farthest | under 20 % | before the descent | seconds |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for kind, pictures in kinds.items():
        found = [
            looked_for(args, generator, perceiver(extractor), f"{kind}-{space}-{number}", picture)
            for number, picture in enumerate(pictures)
        ]
        print(row(kind, found), flush=True)
        pairs = [np.load(args.out / f"{kind}-{space}-{n}.npy") for n in range(len(found))]
        save_image(tile(np.concatenate(pairs), 10), args.out / f"{kind}-{space}.png", page=True)


def held_out(run: Run, count: int) -> np.ndarray:
    """Return pictures of the run's data that its training did not see."""
    dataset, _ = run.training_data()
    return np.array(dataset.rows[split(dataset, run.recipe.held_out, run.recipe.seed)[1][:count]])


def looked_for(
    args: argparse.Namespace,
    generator: Generator,
    perceive: Perceive,
    name: str,
    picture: np.ndarray,
) -> dict[str, float]:
    """Return what was found for a picture [C, R, R], looked for if it was not yet."""
    line = args.out / f"{name}.json"
    if not line.exists():
        target: Tensor = torch.from_numpy(picture).float().div(127.5).sub(1)
        started = time.perf_counter()
        how: dict[str, Any] = {"steps": args.steps, "starts": args.starts}
        if args.space == "z":
            found = project(generator, target, perceive, **how)
        else:
            found = project_styles(generator, target, perceive, space=args.space, **how)
        seconds = time.perf_counter() - started
        np.save(args.out / f"{name}.npy", np.stack([picture, found.picture.numpy()]))
        about = {"distance": found.distance, "start": found.start, "seconds": seconds}
        line.write_text(json.dumps(about))
    return json.loads(line.read_text())


def row(kind: str, found: list[dict[str, float]]) -> str:
    """Return a line of the table."""
    distances = np.array([one["distance"] for one in found])
    start, seconds = (np.median([one[key] for one in found]) for key in ("start", "seconds"))
    near = int((distances < GOAL).sum())
    return (
        f"| {kind} | {len(found)} | {np.median(distances):.1%} | {distances.mean():.1%} | "
        f"{distances.max():.1%} | {near} | {start:.1%} | {seconds:.0f} |"
    )


if __name__ == "__main__":
    main()
