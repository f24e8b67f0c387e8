"""Does a seed mean the same in the browser? Latents and classes of Python and of the page, compared.

    python benchmarks/stream.py [--seeds 10000] [--size 100] [--node node]

The page's own module runs in Node.js (V8, as in Chromium); Python's side is ``sampling.latents`` and
``GAN.labels_for``. Seeds are 0, 1, 2, ... with every tenth in their place from all over the range to
2^63 - 1. Prints a table: how many float32 numbers differ, by how many units in the last place at most,
and the time of one latent.
"""

from __future__ import annotations

import argparse
import base64
import json
import subprocess
import time
from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
import torch

from figment.randomness import stream
from figment.recipes import SYSTEMS
from figment.sampling.latents import latents_of

TRUNCATIONS = (None, 0.02, 0.5, 1.5, 4.0)
PLACES = 8
"""Classes of which labels are compared, in turn and by uneven shares."""
SHARES = (0.31, 0.01, 0.2, 0.05, 0.15, 0.08, 0.17, 0.03)
DRIVER = """
import { readFileSync, writeSync } from "node:fs";
const { latentOf, classOf } = await import(process.argv[1]);
const asked = JSON.parse(readFileSync(0, "utf8"));
const seeds = asked.seeds.map(BigInt);
const found = new Float32Array(seeds.length * asked.size);
const began = performance.now();
seeds.forEach((seed, at) => found.set(latentOf(seed, asked.size, asked.truncation), at * asked.size));
const seconds = (performance.now() - began) / 1000;
const labels = (ends) => seeds.map((seed) => classOf(seed, asked.classes, ends));
const bytes = Buffer.from(found.buffer).toString("base64");
console.log(JSON.stringify({ latents: bytes, seconds, turns: labels(null), spread: labels(asked.ends) }));
"""


class Compared(NamedTuple):
    """What a comparison found."""

    numbers: int
    unequal: int
    ulps: int
    """Units in the last place of float32 between the two sides, at most."""
    labels: int
    """Labels that differ."""
    seconds: float
    """Of the page's side, a latent."""


def chosen_seeds(count: int) -> list[int]:
    """Return seeds from 0 on, every tenth from anywhere up to 2^63 - 1, the edges of words among them."""
    far = stream("far seeds", 0).integers(0, 2**63, count).tolist()
    far[: 6 * 10 : 10] = [2**32 - 1, 2**32, 2**32 + 3, 2**53 - 1, 2**53 + 1, 2**63 - 1]
    return [far[at] if at % 10 == 0 else at for at in range(count)]


def compare(seeds: Sequence[int], size: int, truncation: float | None, node: str) -> Compared:
    """Return how Python and the page differ on these seeds."""
    ends = torch.tensor(SHARES, dtype=torch.float64).cumsum(0)
    asked = {"seeds": [str(seed) for seed in seeds], "size": size, "truncation": truncation}
    asked |= {"classes": PLACES, "ends": ends.tolist()}
    page = files("figment.page").joinpath("stream.js")
    done = subprocess.run(
        [node, "--input-type=module", "--eval", DRIVER, str(page)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    theirs = np.frombuffer(base64.b64decode(found["latents"]), np.float32).reshape(len(seeds), size)
    ours = latents_of(seeds, size, truncation).numpy()
    apart = np.abs(ordered(ours) - ordered(theirs))
    wrong = sum(a != b for a, b in zip(found["turns"], labels(seeds, ()), strict=True))
    wrong += sum(a != b for a, b in zip(found["spread"], labels(seeds, SHARES), strict=True))
    seconds = found["seconds"] / len(seeds)
    return Compared(ours.size, int((apart > 0).sum()), int(apart.max()), wrong, seconds)


def labels(seeds: Sequence[int], shares: tuple[float, ...]) -> list[int]:
    """Return the classes that Python gives seeds."""
    recipe = replace(
        SYSTEMS["dcgan"].recipe, conditioning="projection", classes=PLACES, class_shares=shares
    )
    found = recipe.labels_for(seeds, torch.device("cpu"))
    assert found is not None
    return found.tolist()


def ordered(values: np.ndarray) -> np.ndarray:
    """Return float32 as integers in their order, neighbours one apart."""
    bits = values.view(np.int32).astype(np.int64)
    return np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)


def main() -> None:
    words = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    words.add_argument("--seeds", type=int, default=10_000)
    words.add_argument("--size", type=int, default=100)
    words.add_argument("--node", default="node")
    chosen = words.parse_args()
    seeds = chosen_seeds(chosen.seeds)
    print("| truncation | numbers | unequal | ulp, at most | labels unequal | ms a latent |")
    print("|---|---|---|---|---|---|")
    began = time.perf_counter()
    for truncation in TRUNCATIONS:
        found = compare(seeds, chosen.size, truncation, chosen.node)
        print(
            f"| {truncation or 'none'} | {found.numbers:,} | {found.unequal} | {found.ulps} "
            f"| {found.labels} of {2 * len(seeds):,} | {1000 * found.seconds:.2f} |",
            flush=True,
        )
    print(f"\n{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
