"""Does it help? A classifier of few photographs, with and without generated ones beside them.

    python benchmarks/enlarging.py DATA [--shown 50] [--made 500] [--minutes 15] [--seeds 5] [--out DIR]

--shown photographs of each class are all that anything learns from: a system (--recipe) trains on them, by
class, for --minutes, ``figment sample --per-class`` draws --made pictures of each class, and the classifier
of ``figment.metrics.classification`` learns from the photographs alone, from them and their mirror images,
from photographs and pictures together, from both with the photographs repeated until they are as many (or
with their mirror images, half as often), and from the pictures alone. It is asked about all other
photographs. Prints its accuracy, means over --seeds trainings, each with the range over seeds and the 95 %
interval of one of them; last, what a linear classifier makes of the photographs' --features, which have
seen a million others.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from figment.data import Dataset, open_dataset
from figment.judging.scorer import extractor_for
from figment.metrics.classification import accuracy, train_classifier
from figment.metrics.features.extractor import extract
from figment.metrics.intervals import proportion
from figment.randomness import stream
from figment.sampling.pictures import to_image

SIDE = 64
RIDGE = 100.0
COMMAND = "import sys; from figment.cli import main; sys.exit(main())"
Set = tuple[Tensor, Tensor]
"""Pictures [N, C, 64, 64] uint8 and their classes [N]."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data")
    parser.add_argument("--shown", type=int, default=50, help="photographs of each class")
    parser.add_argument("--made", type=int, default=500, help="pictures of each class")
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--recipe", default="few-shot")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--features", default="efficientnet")
    parser.add_argument("--out", type=Path, default=Path("enlarging"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    dataset = open_dataset(args.data, resolution=SIDE, channels=3)
    shown, others = parted(dataset, args.shown)
    generated = read(made(args, dataset, shown), dataset.classes)
    real, test = of(dataset, shown), of(dataset, others)
    times = max(1, len(generated[0]) // len(real[0]))
    half = max(1, times // 2)
    both = joined(real, mirrored(real))
    ways = {
        "photographs alone": real,
        "and their mirror images": both,
        "and generated ones": joined(real, generated),
        f"photographs {times} times, and generated ones": joined(*[real] * times, generated),
        f"those and mirror images {half} times, and generated ones": joined(
            *[both] * half, generated
        ),
        "generated ones alone": generated,
    }
    print(f"\n{Path(args.data).name}: asked about {len(others):,} photographs\n")
    print("| learned from | pictures | accuracy | over seeds | interval |\n|---|---|---|---|---|")
    for name, pictures in ways.items():
        print(row(name, pictures, test, len(dataset.classes), args.seeds), flush=True)
    found = by_features(real, test, args.features)
    low, high = proportion(found, len(others))
    print(
        f"| photographs alone, by features | {len(shown):,} | {found:.1%} | | {low:.1%} to {high:.1%} |"
    )


def parted(dataset: Dataset, each: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of so many pictures of each class, and all the others."""
    random = stream("enlarging", 0)
    of_class = [np.flatnonzero(dataset.labels == k) for k in range(len(dataset.classes))]
    shown = np.concatenate([random.permutation(rows)[:each] for rows in of_class])
    return shown, np.setdiff1d(np.arange(len(dataset)), shown)


def made(args: argparse.Namespace, dataset: Dataset, shown: np.ndarray) -> Path:
    """Return the folder of generated pictures: the system trained and drawn from where it is not there."""
    photographs, run, drawn = (args.out / name for name in ("photographs", "run", "generated"))
    if not photographs.exists():
        for place in shown:
            folder = photographs / dataset.classes[dataset.labels[place]]
            folder.mkdir(parents=True, exist_ok=True)
            to_image(np.asarray(dataset.rows[place])).save(folder / f"{place:05d}.png")
    if not run.exists():
        figment("train", photographs, "--recipe", args.recipe, "--run", run, "--held-out", 0,
                "--resolution", SIDE, "--minutes", args.minutes)  # fmt: skip
    if not (drawn / "manifest.csv").exists():
        figment("sample", run, "--per-class", args.made, "--out", drawn)
    return drawn


def figment(*words: object) -> None:
    subprocess.run([sys.executable, "-c", COMMAND, *map(str, words)], check=True)


def read(folder: Path, classes: tuple[str, ...]) -> Set:
    """Return the pictures of a folder, whose classes have the same numbers as in the data."""
    found = open_dataset(str(folder), resolution=SIDE, channels=3)
    if found.classes != classes:
        raise SystemExit(f"{folder} has the classes {found.classes}, not {classes}")
    return of(found, np.arange(len(found)))


def of(dataset: Dataset, rows: np.ndarray) -> Set:
    return torch.from_numpy(np.array(dataset.rows[rows])), torch.from_numpy(dataset.labels[rows])


def joined(*sets: Set) -> Set:
    images, labels = zip(*sets, strict=True)
    return torch.cat(images), torch.cat(labels)


def mirrored(pictures: Set) -> Set:
    return pictures[0].flip(3), pictures[1]


def by_features(known: Set, asked: Set, features: str) -> float:
    """Return the share of ``asked`` whose class ridge regression on features of ``known`` names."""
    extractor = extractor_for("images", features)
    x, y = (
        extract(extractor, pictures.split(64)).values.double() for pictures, _ in (known, asked)
    )
    mean, spread = x.mean(0), x.std(0) + 1e-6
    x, y = ((values - mean) / spread for values in (x, y))
    wanted = F.one_hot(known[1]).double()
    gram = x @ x.T + RIDGE * torch.eye(len(x)).double()  # pictures are fewer than features
    named = (y @ (x.T @ torch.linalg.solve(gram, wanted - wanted.mean(0)))).argmax(1)
    return (named == asked[1]).double().mean().item()


def row(name: str, pictures: Set, test: Set, classes: int, seeds: int) -> str:
    """Return a line of the table."""
    found = [
        accuracy(train_classifier(*pictures, classes, seed=seed), *test) for seed in range(seeds)
    ]
    mean = float(np.mean(found))
    low, high = proportion(mean, len(test[0]))
    spread = f"{min(found):.1%} to {max(found):.1%}"
    return f"| {name} | {len(pictures[0]):,} | {mean:.1%} | {spread} | {low:.1%} to {high:.1%} |"


if __name__ == "__main__":
    main()
