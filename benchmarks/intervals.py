"""How often every 95 % interval of a score holds what it is for: the table of docs/results/intervals.md.

python benchmarks/intervals.py [--counts 100 500 2000] [--draws 200] [--pairs equal apart saturated]
    [--measures kid fid …]

Each draw makes fresh samples and fresh reals from known distributions and asks figment's own measures for
figures and intervals. What an interval is for is the expected figure at these counts: the mean over all
draws. Where the score compares with a given reference (copied, authenticity, look-alikes, a
classifier) the reals stay the same in all draws and only the samples are fresh.

Features are mixtures of ten Gaussians in 64 dimensions whose variances fall as those of a network's do (as
1/k); pictures are noise with a pattern of random strength.
"""

from __future__ import annotations

import argparse
from collections import defaultdict

import numpy as np
import torch

from figment.judging.measures import MEASURES
from figment.judging.sides import Side
from figment.metrics.intervals import proportion
from figment.randomness import stream

WIDTH, GROUPS, PX = 64, 10, 16
FRESH = ("kid", "fid", "precision_recall", "density_coverage", "diversity", "checkerboard")
"""Measures for which both sides are fresh in each draw."""
GIVEN = ("look_alikes", "copies", "inception_score")
"""Measures that judge samples by reals that stay."""


def side(count: int, kind: str, purpose: str, *address: int) -> Side:
    """Return samples, or reals where ``kind`` is "", with features, logits and small pictures."""
    draws = stream(f"intervals, {purpose} {kind}", *address)
    centres = stream("interval centres").normal(0, 1, (GROUPS, WIDTH))
    scales = (1 / np.arange(1, WIDTH + 1)) ** 0.5
    groups = draws.integers(0, GROUPS - 4 if kind == "apart" else GROUPS, count)
    width = 0.8 if kind == "apart" else 1.0
    features = (centres[groups] + 1.5 * width * draws.normal(0, 1, (count, WIDTH))) * scales
    logits = 4 * np.eye(GROUPS)[groups] + draws.normal(0, 1, (count, GROUPS))
    pattern = np.where(np.indices((PX, PX)).sum(0) % 2, 1, -1) * draws.gamma(2, 5, (count, 1, 1, 1))
    images = draws.normal(128, 30, (count, 1, PX, PX)) + pattern
    return Side(
        images.round().clip(0, 255).astype(np.uint8),
        np.arange(count),
        torch.from_numpy(features.astype(np.float32)),
        torch.from_numpy(groups),
        torch.from_numpy(logits.astype(np.float32)),
    )


def figures(
    kind: str, count: int, draw: int, measures: tuple[str, ...]
) -> dict[str, tuple[float, float, float]]:
    """Return value and interval of every figure in one draw."""
    reals_of = max(25, count // 8) if kind == "saturated" else count
    samples = side(count, kind, "samples", count, draw)
    fresh = side(reals_of, "", "reals", count, draw)
    given = side(reals_of, "", "given", count)
    unseen = side(max(200, count // 4), "", "held out", count, draw)
    found = {}
    for name in measures:
        reals = fresh if name in FRESH else given
        for figure in MEASURES[name].give(samples, reals, unseen, True):
            if figure.interval is not None:
                found[figure.name] = (figure.value, *figure.interval)
    shares = stream("interval shares", count, draw)
    for share in (0.005, 0.1):
        value = shares.binomial(count, share) / count
        found[f"a share of {share:g}"] = (value, *proportion(value, count))
    return found


def counted(rows: dict[str, list[tuple[float, float, float]]]) -> list[str]:
    """Return a line a figure: what is expected, how often the intervals hold it, their mean width."""
    lines = ["| score | expected | coverage | width |", "|---|---|---|---|"]
    for name, found in rows.items():
        value, low, high = np.array(found).T
        truth = float(name.rsplit(" ", 1)[1]) if name.startswith("a share") else value.mean()
        covered = (low <= truth + 1e-12) & (truth - 1e-12 <= high)
        lines.append(f"| {name} | {truth:.4g} | {covered.mean():.3f} | {(high - low).mean():.3g} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--counts", type=int, nargs="+", default=[100, 500, 2000])
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--pairs", nargs="+", default=["equal", "apart", "saturated"])
    parser.add_argument("--measures", nargs="+", default=[*FRESH, *GIVEN])
    options = parser.parse_args()
    torch.set_num_threads(1)
    for count in options.counts:
        for kind in options.pairs:
            seen: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
            for draw in range(1, options.draws + 1):
                found = figures(kind, count, draw, tuple(options.measures))
                for name, figure in found.items():
                    seen[name].append(figure)
                if draw % 50 == 0 or draw == options.draws:  # the last table counts
                    print(f"\n{kind}, {count:,} samples, {draw} draws\n")
                    print("\n".join(counted(seen)), flush=True)


if __name__ == "__main__":
    main()
