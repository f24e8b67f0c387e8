"""How the scores answer damage that is planted in real pictures, beside real against real.

    python benchmarks/damage.py DATA_DIR [SET …] [--pictures 2000] [--features NAME]

Prints a markdown table per set. No generator is involved: undamaged pictures, disjoint from the reference,
stand for a perfect one. The floor is the mean of a score over random divisions of those into
reference, "samples" and held-out, with its standard deviation; a score has moved where it lies more
than three of them from the floor on the side meant. Each damage is scored on one further division.
"""

from __future__ import annotations

import argparse
import io
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageFilter

from figment.data import open_dataset
from figment.metrics.artefacts import checkerboard_ratio
from figment.metrics.bins import assign, k_means, ndb
from figment.metrics.classification import Classifier, classify, train_classifier
from figment.metrics.distances import fid, inception_score, kid, moments
from figment.metrics.diversity import feature_diversity, look_alikes, mean_ms_ssim
from figment.metrics.features import Extractor, extract, open_features
from figment.metrics.manifolds import density_coverage, precision_recall
from figment.metrics.memorisation import authenticity, data_copying, nearest_ratio
from figment.randomness import stream

SETS = {
    "cats64": (64, 3),
    "flowers2": (64, 3),
    "cifar10": (32, 3),
    "mnist": (28, 1),
}
"""Side in px and channels."""
GROUPS = 10
"""Clusters that stand for classes where there are not this many."""
SIGMAS = 3

UP, DOWN = 1, -1
MEANT = {
    "blur": {"FID": UP, "KID": UP, "precision": DOWN, "density": DOWN, "GAN-test": DOWN},
    "noise": {"FID": UP, "KID": UP, "precision": DOWN, "density": DOWN, "GAN-test": DOWN},
    "JPEG": {"FID": UP, "KID": UP},
    "10 % dropped": {"FID": UP, "KID": UP, "coverage": DOWN, "NDB": UP},
    "50 % dropped": {
        "FID": UP,
        "KID": UP,
        "recall": DOWN,
        "coverage": DOWN,
        "NDB": UP,
        "inception score": DOWN,
        "feature diversity": DOWN,
    },
    "duplicates": {
        "FID": UP,
        "KID": UP,
        "recall": DOWN,
        "coverage": DOWN,
        "NDB": UP,
        "look-alikes": UP,
        "MS-SSIM": UP,
    },
    "copies": {"AuthPct": DOWN, "C_T": DOWN, "near ratio": UP},
    "checkerboard": {"FID": UP, "KID": UP, "checkerboard": UP},
}
"""Which scores are meant to see a damage, and which way they go."""


class Part(NamedTuple):
    """Some pictures with all that the scores compare; rows belong together."""

    images: torch.Tensor
    features: torch.Tensor
    groups: torch.Tensor
    logits: torch.Tensor | None
    """Of a classifier of the set's own classes, where it has ten."""

    def take(self, rows: np.ndarray | torch.Tensor) -> Part:
        chosen = torch.as_tensor(rows)
        logits = None if self.logits is None else self.logits[chosen]
        return Part(self.images[chosen], self.features[chosen], self.groups[chosen], logits)


class Division(NamedTuple):
    """Disjoint pictures: the reference, the pool that samples are taken from, and unseen ones."""

    real: Part
    pool: Part
    held_out: Part


def divided(whole: Part, number: int) -> Division:
    """Return 40 % reference, 40 % pool and 20 % held-out, at random."""
    order = stream("damage division", number).permutation(len(whole.images))
    first, second = len(order) * 2 // 5, len(order) * 4 // 5
    real, pool, held_out = np.split(order, [first, second])
    return Division(whole.take(real), whole.take(pool), whole.take(held_out))


def scores(real: Part, fake: Part, held_out: Part) -> dict[str, float]:
    """Return every score of ``fake``."""
    bins = max(10, min(50, len(real.images) // 10))
    precision, recall = precision_recall(real.features, fake.features)
    density, coverage = density_coverage(real.features, fake.features)
    found = {
        "FID": fid(moments(real.features), moments(fake.features)),
        "KID": kid(real.features, fake.features, subsets=10).value,
        "precision": precision,
        "recall": recall,
        "density": density,
        "coverage": coverage,
        "NDB": ndb(real.features, fake.features, k=bins).value,
        "MS-SSIM": mean_ms_ssim(fake.images),
        "feature diversity": feature_diversity(fake.features),
        "look-alikes": look_alikes(fake.features, real.features).share,
        "AuthPct": authenticity(fake.features, real.features),
        "C_T": data_copying(fake.features, real.features, held_out.features).value,
        "near ratio": nearest_ratio(fake.features, real.features, held_out.features).suspicious,
        "checkerboard": checkerboard_ratio(fake.images, real.images),
    }
    if fake.logits is not None:
        found["inception score"] = inception_score(fake.logits)[0]
        hits = fake.logits.argmax(1) == fake.groups
        found["GAN-test"] = float(hits.double().mean())
    return found


def blurred(images: np.ndarray) -> np.ndarray:
    radius = images.shape[-1] / 48
    return by_picture(images, lambda image: image.filter(ImageFilter.GaussianBlur(radius)))


def noisy(images: np.ndarray) -> np.ndarray:
    noise = stream("damage noise").normal(0, 20, images.shape)
    return (images + noise).round().clip(0, 255).astype(np.uint8)


def compressed(images: np.ndarray) -> np.ndarray:
    def saved(image: Image.Image) -> Image.Image:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=10)
        return Image.open(file)

    return by_picture(images, saved)


def checkered(images: np.ndarray) -> np.ndarray:
    rows, columns = np.indices(images.shape[2:])
    pattern = np.where((rows + columns) % 2, 10, -10)
    return (images + pattern).clip(0, 255).astype(np.uint8)


def by_picture(images: np.ndarray, change: Callable[[Image.Image], Image.Image]) -> np.ndarray:
    """Return the pictures [N, C, H, W], each changed as a PIL image of its mode."""
    changed = []
    for picture in images:
        image = Image.fromarray(picture[0] if len(picture) == 1 else picture.transpose(1, 2, 0))
        pixels = np.asarray(change(image))
        changed.append(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1))
    return np.stack(changed)


def dropped(pool: Part, share: float, count: int) -> Part:
    """Return ``count`` pictures, fewer where there are not as many, without ``share`` of the groups."""
    kept, lost = len(pool.groups), 0
    keep = torch.ones(kept, dtype=torch.bool)
    for group in stream("damage groups").permutation(GROUPS):
        if lost >= share * kept * 0.9:  # whole groups, so only about the share
            break
        keep &= pool.groups != int(group)
        lost = kept - int(keep.sum())
    return pool.take(keep.nonzero()[:count, 0])


def measure(source: str, options: argparse.Namespace) -> None:
    """Print the table of one set."""
    start = time.perf_counter()
    extractor = open_features(options.features)
    whole, judge = opened(options.data, source, options.pictures, extractor)
    floors = []
    for number in range(1, options.divisions + 1):
        division = divided(whole, number)
        fake = division.pool.take(np.arange(len(division.pool.images) // 2))
        floors.append(scores(division.real, fake, division.held_out))
    columns = {
        damage: scores(real, fake, held_out)
        for damage, (real, fake, held_out) in damages(divided(whole, 0), extractor, judge).items()
    }
    counts = [len(part.images) for part in divided(whole, 0)]
    print(f"\n### {source}\n")
    print(
        f"{extractor.protocol}; {counts[0]} reference, {counts[1] // 2} samples, {counts[2]} held out; "
        f"floors of {options.divisions} divisions; {time.perf_counter() - start:.0f} s\n"
    )
    show(floors, columns)


def opened(
    folder: Path, source: str, count: int, extractor: Extractor
) -> tuple[Part, Classifier | None]:
    """Return ``count`` pictures of a set, and the classifier that gives them logits."""
    side, channels = SETS[source]
    dataset = open_dataset(str(folder / f"{source}.zip"), resolution=side, channels=channels)
    order = stream("damage pictures").permutation(len(dataset))
    rows, rest = np.sort(order[:count]), np.sort(order[count : 4 * count])
    images = torch.from_numpy(np.array(dataset.rows[rows]))
    features = extract(extractor, images.split(256), total=len(images), progress=True).values
    if len(dataset.classes) != GROUPS:
        groups = assign(features, k_means(features, GROUPS))
        return Part(images, features, groups, None), None
    labels = torch.from_numpy(np.array(dataset.labels))
    others = torch.from_numpy(np.array(dataset.rows[rest]))
    judge = train_classifier(others, labels[rest], GROUPS, progress=True)
    return Part(images, features, labels[rows], classify(judge, images)), judge


def damages(
    division: Division, extractor: Extractor, judge: Classifier | None
) -> dict[str, tuple[Part, Part, Part]]:
    """Return for each damage the reference, the damaged samples and the held-out pictures."""
    real, pool, held_out = division
    count = len(pool.images) // 2
    fake = pool.take(np.arange(count))
    made = {
        "10 % dropped": dropped(pool, 0.1, count),
        "50 % dropped": dropped(pool, 0.5, count),
        "duplicates": fake.take(np.arange(count) % max(1, count // 10)),
        "copies": real.take(np.arange(count)),
    }
    changes = {"blur": blurred, "noise": noisy, "JPEG": compressed, "checkerboard": checkered}
    for damage, change in changes.items():
        images = torch.from_numpy(change(fake.images.numpy()))
        features = extract(extractor, images.split(256), total=count, progress=True).values
        logits = None if judge is None else classify(judge, images)
        made[damage] = Part(images, features, fake.groups, logits)
    return {damage: (real, made[damage], held_out) for damage in MEANT}


def show(floors: list[dict[str, float]], columns: dict[str, dict[str, float]]) -> None:
    """Print the table; bold: meant to move and did; struck out: meant to and did not."""
    meant = moved = 0
    print("| score | floor | " + " | ".join(columns) + " |")
    print("|---|---|" + "---|" * len(columns))
    for score in floors[0]:
        values = [floor[score] for floor in floors]
        centre, spread = float(np.mean(values)), float(np.std(values, ddof=1))
        cells = [f"{figure(centre)} ± {figure(spread)}"]
        for damage, column in columns.items():
            way = MEANT[damage].get(score)
            text = figure(column[score])
            if way:
                answered = way * (column[score] - centre) > SIGMAS * spread
                meant, moved = meant + 1, moved + answered
                text = f"**{text}** ✓" if answered else f"~~{text}~~ ✗"
            cells.append(text)
        print(f"| {score} | " + " | ".join(cells) + " |")
    print(f"\n{moved} of {meant} scores moved as meant.", flush=True)


def figure(value: float) -> str:
    """Return a number to three figures, without an exponent."""
    if value == 0 or not math.isfinite(value):
        return f"{value:.0f}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="the folder with cats64.zip, mnist.zip, …")
    parser.add_argument(
        "sets", nargs="*", metavar="SET", help=f"of {', '.join(SETS)}; all by default"
    )
    parser.add_argument("--pictures", type=int, default=2000, help="of each set, at most")
    parser.add_argument("--divisions", type=int, default=8, help="for the floors")
    parser.add_argument("--features", default="efficientnet")
    options = parser.parse_args()
    for source in options.sets or SETS:
        measure(source, options)


if __name__ == "__main__":
    main()
