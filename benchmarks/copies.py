"""How surely copies of training pictures are found: the table of docs/results/copies.md.

python benchmarks/copies.py DATA_DIR [cats64 flowers2 cifar10 mnist]

Among 300 honest samples, which are real pictures that are not in the training set, a share is replaced by
training pictures: as they are, mirrored, saved as JPEG of quality 75, and shifted by 2 px both ways.
"Run": other held-out pictures are the yardstick; "folder": the training pictures are, each among the
others. Found: of the planted, those named together with their originals. False: of the honest ones.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from figment.data import open_dataset
from figment.judging.copying import yardstick
from figment.judging.sides import Side
from figment.metrics.copies import Gallery, threshold
from figment.randomness import stream

SETS = {"cats64": (64, 3), "flowers2": (64, 3), "cifar10": (32, 3), "mnist": (28, 1)}
"""Side in px and channels."""
SAMPLES, TRAIN, UNSEEN = 300, 2000, 300
SHARES = (0.01, 0.05, 0.5)


def compressed(pictures: np.ndarray) -> np.ndarray:
    found = []
    for picture in pictures:
        file = io.BytesIO()
        image = Image.fromarray(picture[0] if len(picture) == 1 else picture.transpose(1, 2, 0))
        image.save(file, "JPEG", quality=75)
        pixels = np.asarray(Image.open(file))
        found.append(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1))
    return np.stack(found)


def shifted(pictures: np.ndarray) -> np.ndarray:
    side = pictures.shape[2]
    return np.pad(pictures, ((0, 0), (0, 0), (2, 0), (2, 0)), mode="edge")[:, :, :side, :side]


CHANGES = {
    "exact": lambda pictures: pictures,
    "mirrored": lambda pictures: pictures[:, :, :, ::-1],
    "JPEG": compressed,
    "shifted": shifted,
}


def side(images: np.ndarray) -> Side:
    count = len(images)
    nothing = torch.zeros(count, 1)
    return Side(images, np.arange(count), nothing, torch.zeros(count, dtype=torch.int64))


def measure(folder: Path, name: str) -> None:
    """Print the rows of one set."""
    resolution, channels = SETS[name]
    source = str(folder / f"{name}.zip")
    dataset = open_dataset(source, resolution=resolution, channels=channels)
    order = stream("copies").permutation(len(dataset))
    few = min(SAMPLES, len(order) // 4)
    cuts = np.cumsum([few, min(UNSEEN, len(order) // 4)])
    honest, unseen, train = (
        np.array(dataset.rows[np.sort(rows)]) for rows in np.split(order[: cuts[1] + TRAIN], cuts)
    )
    gallery = Gallery(train, np.arange(len(train)))
    likeness = gallery.matches(honest).likeness
    picked = np.arange(few // 2) * (len(train) // (few // 2))
    planted = {kind: gallery.matches(change(train[picked])) for kind, change in CHANGES.items()}
    for where, held_out in (("run", side(unseen)), ("folder", None)):
        limit = threshold(yardstick(gallery, side(train), held_out))
        cells = []
        for found in planted.values():
            named = (found.likeness >= limit) & (found.places == torch.from_numpy(picked))
            counts = [max(1, round(share * few)) for share in SHARES]
            cells.append(", ".join(f"{int(named[:count].sum())}/{count}" for count in counts))
        false = f"{int((likeness >= limit).sum())}/{few}"
        print(f"| {name}, {where} | {limit:.3f} | {' | '.join(cells)} | {false} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="the folder with cats64.zip, flowers2.zip, …")
    parser.add_argument("sets", nargs="*", help=f"of {', '.join(SETS)}; all by default")
    options = parser.parse_args()
    print(f"| set | from | {' | '.join(CHANGES)}: of 1, 5, 50 % | false |")
    print("|---" * (len(CHANGES) + 3) + "|")
    for name in options.sets or SETS:
        measure(options.data, name)


if __name__ == "__main__":
    main()
