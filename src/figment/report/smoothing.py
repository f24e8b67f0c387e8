"""Curves for the eye: noise averaged away, and no more points of a long log than can be seen."""

from __future__ import annotations

import math

import numpy as np

POINTS = 800  # what a curve keeps of a long log
MEMORY = 0.1  # share of a curve's values that its average remembers at most


def weight(values: np.ndarray, smoothing: float) -> float:
    """Return the weight of the past for these values: what is remembered is ``MEMORY`` of them at most.

    An average that remembers 10 of 12 values of a falling loss lies far above them all along.
    """
    remembered = MEMORY * np.isfinite(values).sum()
    return min(smoothing, 1 - 1 / remembered) if remembered > 1 else 0.0


def smooth(values: np.ndarray, weight: float) -> np.ndarray:
    """Return the debiased exponential moving average (TensorBoard's), NaN where ``values`` is.

    s_n = (1 - w) Σ w^(n-i) v_i / (1 - w^n) over the finite values so far, 0 ≤ w < 1.
    """
    smoothed = np.array(values, dtype=float)
    average, norm = 0.0, 0.0
    for index, value in enumerate(smoothed):
        if math.isfinite(value):
            average = weight * average + (1 - weight) * value
            norm = weight * norm + (1 - weight)
            smoothed[index] = average / norm
        else:
            smoothed[index] = math.nan
    return smoothed


def decimate(x: np.ndarray, y: np.ndarray, points: int = POINTS) -> tuple[np.ndarray, np.ndarray]:
    """Return at most ``points`` of the points of a curve: the ends, and per bucket both extremes.

    So no spike is lost. A bucket without a finite value keeps one NaN, a gap of the curve.
    """
    if len(x) <= points:
        return x, y
    keep = {0, len(x) - 1}
    for bucket in np.array_split(np.arange(1, len(x) - 1), (points - 2) // 2):
        values = y[bucket]
        if np.isfinite(values).any():
            keep |= {int(bucket[np.nanargmin(values)]), int(bucket[np.nanargmax(values)])}
        else:
            keep.add(int(bucket[0]))
    index = sorted(keep)
    return x[index], y[index]
