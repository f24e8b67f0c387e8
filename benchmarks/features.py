"""Speed of feature extraction: figment's `extract` beside a plain loop over the same network.

    python benchmarks/features.py [--features small efficientnet mobilenet] [--count 10000] [--rounds 5]

The loops take turns in one process, a share of the pictures each time, so that both meet the same machine:

    plain     resize with torch, run the network in fp32 as it is published, torch's own memory layout
    figment   what `figment evaluate` runs, in the number format that is faster here

Pictures are random, uint8, 64 px, in batches of 500. Where the weights of a network are not on this
machine, random ones take their place: they take as much time.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from figment.metrics.features import Extractor, available, extract, open_features
from figment.metrics.features.dinov2 import DINOv2
from figment.metrics.features.efficientnet import EfficientNetLite0
from figment.metrics.features.inception import Inception
from figment.metrics.features.mobilenet import MobileNetV2
from figment.metrics.features.small import Small
from figment.training.devices import faster_precision, set_up

CPU = torch.device("cpu")
BATCH = 500
PLAIN: dict[str, tuple[type[nn.Module], int]] = {
    "small": (Small, 64),
    "efficientnet": (EfficientNetLite0, 128),
    "mobilenet": (MobileNetV2, 128),
    "inception": (Inception, 299),
    "dinov2": (DINOv2, 224),
}
"""Network and side in px."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--features", nargs="+", default=["small", "efficientnet", "mobilenet"], choices=PLAIN
    )
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--precision", choices=["float32", "bfloat16"])
    args = parser.parse_args()
    set_up(CPU)
    precision = args.precision or faster_precision(CPU)
    print(
        f"{torch.get_num_threads()} threads, figment in {precision}, {args.count:,} pictures a loop"
    )
    print(
        f"{'features':12}{'batch':>7}{'plain':>10}{'figment':>10}{'ratio':>8}{'cores':>8}   images/s"
    )
    for name in args.features:
        compare(name, precision, args.count, args.rounds)


def compare(name: str, precision: str, count: int, rounds: int) -> None:
    """Print images/s of both loops, medians over the rounds."""
    extractor = opened(name, precision)
    share = max(1, count // rounds)
    loops = {"plain": plain(name, extractor.batch), "figment": figment(extractor)}
    seconds: dict[str, list[float]] = {loop: [] for loop in loops}
    processor, clock = 0.0, 0.0
    for number in range(rounds + 1):
        images = pictures(min(share, 2 * extractor.batch) if number == 0 else share, number)
        for loop, run in loops.items():
            start, used = time.perf_counter(), time.process_time()
            run(images)
            took = time.perf_counter() - start
            if number:  # the first warms up
                seconds[loop].append(took)
                processor, clock = processor + time.process_time() - used, clock + took
    slow, fast = (statistics.median(seconds[loop]) for loop in loops)
    print(
        f"{name:12}{extractor.batch:7}{share / slow:10.1f}{share / fast:10.1f}"
        f"{slow / fast:8.2f}{processor / clock:8.2f}",
        flush=True,
    )


def plain(name: str, batch: int) -> Callable[[Tensor], Tensor]:
    """The loop one writes first: resize, run, keep."""
    network, side = PLAIN[name][0]().eval(), PLAIN[name][1]
    if isinstance(network, DINOv2):
        network.pos_embed = nn.Parameter(network.pos_embed[:, :257])

    def run(images: Tensor) -> Tensor:
        features = []
        with torch.no_grad():
            for part in images.split(batch):
                size = (side, side)
                x = F.interpolate(part.float(), size, mode="bicubic", antialias=True)
                features.append(network(x)[0])
        return torch.cat(features)

    return run


def figment(extractor: Extractor) -> Callable[[Tensor], Tensor]:
    """What `figment evaluate` runs."""
    return lambda images: extract(extractor, images.split(BATCH)).values


def opened(name: str, precision: str) -> Extractor:
    """The extractor, on random weights where there are no others."""
    if available(name) or name == "mobilenet":
        return open_features(name, precision=precision)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random.pth"
        torch.save(PLAIN[name][0]().state_dict(), path)
        return open_features(f"{name}:{path}", precision=precision)


def pictures(count: int, seed: int) -> Tensor:
    """Random uint8 pictures [N, 3, 64, 64]."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, 64, 64), dtype=torch.uint8, generator=generator)


if __name__ == "__main__":
    main()
