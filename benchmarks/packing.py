"""What packing saves: decoding every epoch, against decoding once and gathering from the pack.

    python benchmarks/packing.py [DATA] [--resolution 64]

The first line is what a tutorial's data set does every epoch: one thread opens, crops, resizes.
Without DATA it is figment's flowers, saved as PNG files.
"""

from __future__ import annotations

import argparse
import io
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from figment.data import Order, gather, open_dataset
from figment.data.flowers import draw_flowers
from figment.data.sources import Pictures, find_pictures, read
from figment.data.workers import available_cores

BATCH = 128


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def saved_flowers(folder: Path, count: int = 1500) -> Path:
    images, _ = draw_flowers(range(count), 128, 0)
    for number, image in enumerate(images):
        Image.fromarray(image.transpose(1, 2, 0)).save(folder / f"{number}.png")
    return folder


def one_thread(pictures: Pictures, resolution: int, most: int = 2000) -> float:
    """Return pictures a second, decoded as a tutorial does it."""
    count = min(most, len(pictures))

    def epoch() -> None:
        for index in range(count):
            image = Image.open(io.BytesIO(read(pictures, index))).convert("RGB")
            np.asarray(ImageOps.fit(image, (resolution, resolution), Image.Resampling.LANCZOS))

    return count / seconds(epoch)


def measure(source: str, resolution: int) -> None:
    pictures = find_pictures(source)
    options = {"resolution": resolution, "channels": 3, "progress": False}
    tutorial = one_thread(pictures, resolution)
    packing = seconds(lambda: open_dataset(source, **options))
    opening = seconds(lambda: open_dataset(source, **options))
    data = open_dataset(source, **options)
    order = Order(len(data), 0)
    batches = max(200, 2 * len(data) // BATCH)  # the first epoch meets cold pages, as a run does

    def gathering() -> None:
        for number in range(batches):
            gather(data, order.indices(number * BATCH, BATCH))

    gathered = seconds(gathering) / batches
    rows = [
        ("decode every epoch, 1 thread", tutorial, BATCH / tutorial),
        (f"pack once, {available_cores()} cores", len(data) / packing, packing * BATCH / len(data)),
        (f"gather {BATCH} from the pack", BATCH / gathered, gathered),
    ]
    print(f"{source}: {len(data):,} pictures at {resolution} px; packed in {packing:.1f} s,")
    print(f"opened again in {opening * 1e3:.0f} ms, {data.rows.nbytes / 1e6:.0f} MB")
    print(f"\n| {'':<30} | {'images/s':>10} | {f'ms per {BATCH}':>10} |")
    print(f"|{'-' * 32}|{'-' * 11}:|{'-' * 11}:|")
    for what, rate, batch in rows:
        print(f"| {what:<30} | {rate:>10,.0f} | {batch * 1e3:>10.2f} |")
    print(f"\ngathering is {BATCH / gathered / tutorial:,.0f} times as fast as decoding")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", nargs="?")
    parser.add_argument("--resolution", type=int, default=64)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["FIGMENT_CACHE"] = f"{scratch}/cache"
        source = chosen.data
        if not source:
            folder = Path(scratch, "flowers")
            folder.mkdir()
            source = str(saved_flowers(folder))
        measure(source, chosen.resolution)


if __name__ == "__main__":
    main()
