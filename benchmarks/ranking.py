"""Do the default features rank as MobileNetV2's do, on damaged photographs and on a training's snapshots?

    python benchmarks/ranking.py damage DATA_DIR [SET …] [--pictures 2000]
    python benchmarks/ranking.py snapshots RUN … [--samples 1000]

`damage` gives real pictures seven damages in five strengths and prints, per set, Spearman's correlation of
the two networks' KID over the 35 of them, with the table. `snapshots` takes runs that keep many snapshots
and asks both networks which of two is better, wherever the later has been trained at least twice as
long: of a training that still learns that is the later. MobileNetV2's file is looked for in
`$FIGMENT_WEIGHTS`.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageFilter
from scipy.stats import spearmanr

import figment
from damage import by_picture
from figment.data import open_dataset
from figment.judging.scorer import RANKING
from figment.metrics.distances import kid
from figment.metrics.features import Extractor, extract, open_features
from figment.opened import load_generator
from figment.randomness import stream
from figment.training.folder import images_of, snapshots_of

SETS = {"cats64": (64, 3), "flowers2": (64, 3), "cifar10": (32, 3), "fashion_mnist": (28, 1)}
"""Side in px and channels."""
BATCH = 250


def blurred(images: np.ndarray, strength: float) -> np.ndarray:
    radius = strength * images.shape[-1] / 24
    return by_picture(images, lambda image: image.filter(ImageFilter.GaussianBlur(radius)))


def noisy(images: np.ndarray, strength: float) -> np.ndarray:
    noise = stream("ranking noise").normal(0, 60 * strength, images.shape)
    return (images + noise).round().clip(0, 255).astype(np.uint8)


def compressed(images: np.ndarray, strength: float) -> np.ndarray:
    def saved(image: Image.Image) -> Image.Image:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=round(50 - 48 * strength))
        return Image.open(file)

    return by_picture(images, saved)


def checkered(images: np.ndarray, strength: float) -> np.ndarray:
    rows, columns = np.indices(images.shape[2:])
    pattern = np.where((rows + columns) % 2, 30, -30) * strength
    return (images + pattern).clip(0, 255).astype(np.uint8)


def darker(images: np.ndarray, strength: float) -> np.ndarray:
    return (images * (1 - 0.7 * strength)).round().astype(np.uint8)


def shuffled(images: np.ndarray, strength: float) -> np.ndarray:
    """A share of the pictures with their quarters in another order: right parts in wrong places."""
    changed, half = images.copy(), images.shape[-1] // 2
    some = slice(0, round(strength * len(images)))
    changed[some] = np.roll(np.roll(images[some], half, axis=2), half, axis=3)
    return changed


def repeated(images: np.ndarray, strength: float) -> np.ndarray:
    """Few pictures in the place of many: a generator that has lost most of its variety."""
    kept = max(2, round(len(images) * (1 - strength) ** 3))
    return images[np.arange(len(images)) % kept]


DAMAGES: dict[str, Callable[[np.ndarray, float], np.ndarray]] = {
    "blur": blurred,
    "noise": noisy,
    "JPEG": compressed,
    "checkerboard": checkered,
    "darker": darker,
    "quarters moved": shuffled,
    "repeated": repeated,
}
STRENGTHS = (0.1, 0.2, 0.4, 0.6, 0.9)


def seen(extractor: Extractor, images: np.ndarray) -> torch.Tensor:
    return extract(extractor, np.array_split(images, max(1, len(images) // BATCH))).values


def damage(options: argparse.Namespace) -> None:
    """Print a table and a correlation for each set."""
    networks = [open_features(name) for name in RANKING]
    for source in options.which or SETS:
        side, channels = SETS[source]
        path = str(options.data / f"{source}.zip")
        dataset = open_dataset(path, resolution=side, channels=channels)
        order = stream("ranking").permutation(len(dataset.rows))[: options.pictures]
        pictures = np.stack([dataset.rows[row] for row in np.sort(order)])
        pictures = pictures[stream("ranking halves").permutation(len(pictures))]
        reals, fakes = np.array_split(pictures, 2)
        known = [seen(one, reals) for one in networks]
        found: list[list[float]] = []
        print(f"\n### {source}: {len(reals)} reals, {len(fakes)} damaged\n")
        print(f"| damage | strength | {' | '.join(RANKING)} |\n|---|---|---|---|")
        for name, harm in DAMAGES.items():
            for strength in STRENGTHS:
                harmed = harm(fakes, strength)
                pairs = zip(known, networks, strict=True)
                found.append([kid(a, seen(one, harmed), subsets=10).value for a, one in pairs])
                figures = " | ".join(f"{value:.4f}" for value in found[-1])
                print(f"| {name} | {strength} | {figures} |", flush=True)
        rho = spearmanr(*zip(*found, strict=True)).statistic
        print(f"\nSpearman's correlation {rho:.3f}", flush=True)


def snapshots(options: argparse.Namespace) -> None:
    """Print how often each network calls the later of two snapshots the better one."""
    networks = [open_features(name) for name in RANKING]
    hits, pairs = np.zeros(len(networks), int), 0
    for run in options.runs:
        opened = figment.load(run)
        dataset, rows = opened.training_data()
        some = rows[stream("ranking").permutation(len(rows))[:2000]]
        reals = np.stack([dataset.rows[row] for row in np.sort(some)])
        known = [seen(one, reals) for one in networks]
        moments: list[tuple[int, list[float]]] = []
        for path in snapshots_of(opened.path):
            samples = (
                load_generator(path, torch.device("cpu")).sample(options.samples, seed=0).array
            )
            both = zip(known, networks, strict=True)
            scores = [kid(a, seen(one, samples), subsets=10).value for a, one in both]
            moments.append((images_of(path) or 0, scores))
            print(run, moments[-1][0], *(f"{score:.4f}" for score in scores), flush=True)
        for early, before in moments:
            for late, after in moments:
                if early and late >= 2 * early:
                    pairs += 1
                    hits += np.array(after) < np.array(before)
    for name, count in zip(RANKING, hits, strict=True):
        print(f"{name}: the later is the better one in {count} of {pairs} pairs")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ways = parser.add_subparsers(required=True)
    of_damage = ways.add_parser("damage")
    of_damage.add_argument("data", type=Path)
    of_damage.add_argument("which", nargs="*", metavar="SET")
    of_damage.add_argument("--pictures", type=int, default=2000)
    of_damage.set_defaults(run=damage)
    of_snapshots = ways.add_parser("snapshots")
    of_snapshots.add_argument("runs", nargs="+", metavar="RUN")
    of_snapshots.add_argument("--samples", type=int, default=1000)
    of_snapshots.set_defaults(run=snapshots)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
