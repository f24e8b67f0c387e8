"""What an evaluation will take: how many samples are worth drawing, and a sentence before it begins."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from figment.units import duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from figment.metrics.features import Extractor

MOST, LEAST, A_REAL = 5_000, 1_000, 5
"""Samples that are drawn of a run, at most, at least, and for each real picture.

The spread of KID has a part of the samples and one of the reals, each over its count: from 5 samples a real
on, more of them can narrow an interval by no more than a tenth.
"""
TRIAL = 16
"""Pictures that are drawn and looked at to tell how long it takes."""
PAIR, COPY, REST = 45e-9, 160e-9, 8.0
"""Seconds on a core of 2023 that a number of a picture takes in MS-SSIM and in looking for copies, and that
all other scores take together."""
PAIRS, YARDSTICK = 2_000, 500
"""Pairs that MS-SSIM compares, with its floor; real pictures that are the yardstick for copies."""


def samples_for(reals: int) -> int:
    """Return how many samples are drawn of a run for so many real pictures, unless the user says it."""
    return min(MOST, max(LEAST, A_REAL * reals))


def trial(pictures: Callable[[int], np.ndarray | Tensor], extractor: Extractor) -> float:
    """Return the seconds that a picture takes until its features are known, as a few of them show."""
    extractor(pictures(2))  # the first ones also choose kernels
    start = time.perf_counter()
    extractor(pictures(TRIAL))
    return (time.perf_counter() - start) / TRIAL


def plan(
    sides: tuple[str, str],
    counts: tuple[int, int],
    numbers: int,
    seconds: tuple[float, float],
    metrics: tuple[str, ...] = (),
) -> str:
    """Return the sentence of what will be compared, and about how long it takes.

    ``sides``: what samples and reals are called; ``counts``: how many there are; ``numbers``: of a picture;
    ``seconds`` that a picture of either side takes until its features are known; ``metrics``: those that
    are asked for, () for all.
    """
    samples, reals = counts
    looking = samples * seconds[0] + reals * seconds[1]
    scoring = 0.0 if metrics else REST
    if not metrics or "ms_ssim" in metrics:
        scoring += PAIR * numbers * min(PAIRS, samples * (samples - 1))
    if not metrics or "copies" in metrics:
        scoring += COPY * numbers * (samples + min(reals, YARDSTICK))
    which = f"scores {', '.join(metrics)}" if metrics else "all scores"
    about = duration(max(1.0, looking + scoring))
    return f"evaluate: {samples:,} {sides[0]} against {reals:,} {sides[1]}, {which}: about {about}"
