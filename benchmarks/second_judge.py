"""Do two judges order damaged pictures alike? Rank correlation of KID over graded damage.

    python benchmarks/second_judge.py DATA_DIR [SET ...] [--judges mobilenet patches efficientnet small]
        [--pictures 2000]

Damage as in ``damage.py``, and what that leaves out (colours that are muted, tinted, too bright, too flat;
a grid; quarters in another order), is planted in real pictures in four strengths. Prints KID x 1000 of each
by every judge, the floor (undamaged pictures, mean and deviation of eight divisions), where a judge is
blind (within three deviations of its floor), and Spearman's rank correlation of each judge with the first.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageFilter

from damage import SETS, by_picture
from figment.data import open_dataset
from figment.metrics.distances import kid_full
from figment.metrics.features import extract, open_features
from figment.randomness import stream

STRENGTHS = (0.125, 0.25, 0.5, 1.0)
DIVISIONS = 8


def blurred(images: np.ndarray, strength: float) -> np.ndarray:
    radius = strength * images.shape[-1] / 32
    return by_picture(images, lambda image: image.filter(ImageFilter.GaussianBlur(radius)))


def noisy(images: np.ndarray, strength: float) -> np.ndarray:
    return images + stream("damage noise").normal(0, 32 * strength, images.shape)


def compressed(images: np.ndarray, strength: float) -> np.ndarray:
    def saved(image: Image.Image) -> Image.Image:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=round(95 - 90 * strength**0.5))
        return Image.open(file)

    return by_picture(images, saved)


def checkered(images: np.ndarray, strength: float) -> np.ndarray:
    rows, columns = np.indices(images.shape[2:])
    return images + np.where((rows + columns) % 2, 16, -16) * strength


def gridded(images: np.ndarray, strength: float) -> np.ndarray:
    rows, columns = np.indices(images.shape[2:])
    return images + np.where((rows % 4 == 0) | (columns % 4 == 0), 24, 0) * strength


def muted(images: np.ndarray, strength: float) -> np.ndarray:
    grey = images.mean(1, keepdims=True)
    return grey + (images - grey) * (1 - strength)


def tinted(images: np.ndarray, strength: float) -> np.ndarray:
    return images + 48 * strength * np.array([1, 0, -1])[:, None, None]


def brightened(images: np.ndarray, strength: float) -> np.ndarray:
    return images + 64.0 * strength


def flattened(images: np.ndarray, strength: float) -> np.ndarray:
    mean = images.mean((1, 2, 3), keepdims=True)
    return mean + (images - mean) * (1 - 0.75 * strength)


def scrambled(images: np.ndarray, strength: float) -> np.ndarray:
    """That share of the pictures with the quarters in another order."""
    half, count = images.shape[-1] // 2, round(strength * len(images))
    changed = images.copy()
    changed[:count] = np.roll(images[:count], (half, half), (2, 3))
    return changed


def averaged(images: np.ndarray, strength: float) -> np.ndarray:
    """Two pictures laid over each other, as a generator between two modes does."""
    return images * (1 - strength / 2) + np.roll(images, 1, 0) * (strength / 2)


def repeated(images: np.ndarray, strength: float) -> np.ndarray:
    """Fewer different ones."""
    return images[np.arange(len(images)) % max(1, round(len(images) * (1 - strength) ** 2 / 2) + 4)]


Damage = Callable[[np.ndarray, float], np.ndarray]
DAMAGES: dict[str, Damage] = {
    "blur": blurred,
    "noise": noisy,
    "JPEG": compressed,
    "checkerboard": checkered,
    "grid of 4 px": gridded,
    "muted colours": muted,
    "tint": tinted,
    "brightness": brightened,
    "contrast": flattened,
    "quarters moved": scrambled,
    "two laid over each other": averaged,
    "repeats": repeated,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path, help="the folder with cats64.zip, cifar10.zip, …")
    parser.add_argument("sets", nargs="*", metavar="SET", help="of cats64, flowers2, cifar10")
    parser.add_argument("--judges", nargs="+", default=["mobilenet", "patches", "efficientnet"])
    parser.add_argument("--pictures", type=int, default=2_000)
    args = parser.parse_args()
    for source in args.sets or ("cats64", "cifar10"):
        measure(args, source)


def measure(args: argparse.Namespace, source: str) -> None:
    """Print the tables of one set."""
    side, channels = SETS[source]
    dataset = open_dataset(str(args.data / f"{source}.zip"), resolution=side, channels=channels)
    order = stream("damage pictures").permutation(len(dataset))[: args.pictures]
    images = np.array(dataset.rows[np.sort(order)])
    images = images[stream("second judge").permutation(len(images))]
    reals, own = np.split(images, [len(images) // 2])
    names, scores, floors = [], {judge: [] for judge in args.judges}, {}
    networks = {judge: open_features(judge) for judge in args.judges}
    sides = {judge: seen(network, images) for judge, network in networks.items()}
    for judge, whole in sides.items():
        divided = [stream("judges", n).permutation(len(whole)) for n in range(DIVISIONS)]
        halves = [(whole[p[: len(reals)]], whole[p[len(reals) :]]) for p in divided]
        floors[judge] = [1_000 * kid_full(one, other).value for one, other in halves]
    for damage, change in DAMAGES.items():
        for strength in STRENGTHS:
            names.append(f"{damage}, {strength:g}")
            worse = change(own, strength).round().clip(0, 255).astype(np.uint8)
            for judge, network in networks.items():
                value = kid_full(sides[judge][: len(reals)], seen(network, worse)).value
                scores[judge].append(1_000 * value)
    print(f"\n### {source}: {len(reals)} reals, {len(own)} damaged\n")
    show(args.judges, names, scores, floors)


def seen(network, images: np.ndarray) -> torch.Tensor:
    return extract(network, (images[i : i + 250] for i in range(0, len(images), 250))).values


def show(judges: list[str], names: list[str], scores: dict, floors: dict) -> None:
    """Print KID by every judge, crossed out where a judge is blind, and the rank correlations."""
    print(f"| damage, strength | {' | '.join(judges)} |\n|---|{'---|' * len(judges)}")
    bounds = {j: (np.mean(f), np.std(f, ddof=1)) for j, f in floors.items()}
    print(f"| none | {' | '.join('{:.0f} ± {:.0f}'.format(*bounds[j]) for j in judges)} |")
    blind = dict.fromkeys(judges, 0)
    for number, name in enumerate(names):
        cells = []
        for judge in judges:
            value, (mean, deviation) = scores[judge][number], bounds[judge]
            blind[judge] += value < mean + 3 * deviation
            cells.append(f"~~{value:.0f}~~" if value < mean + 3 * deviation else f"{value:.0f}")
        print(f"| {name} | {' | '.join(cells)} |")
    print(f"| blind to | {' | '.join(f'{blind[j]} of {len(names)}' for j in judges)} |")
    ranks = {judge: np.argsort(np.argsort(scores[judge])) for judge in judges}
    cells = [f"{np.corrcoef(ranks[judges[0]], ranks[j])[0, 1]:.2f}" for j in judges]
    print(f"| rank correlation with {judges[0]} | {' | '.join(cells)} |")
    same = {j: np.reshape(scores[j], (-1, len(STRENGTHS))) for j in judges}
    rising = [f"{(np.diff(same[j], axis=1) > 0).mean():.0%}" for j in judges]
    print(f"| stronger is worse | {' | '.join(rising)} |", flush=True)


if __name__ == "__main__":
    main()
