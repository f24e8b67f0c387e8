"""Intervals: how far a figure may be off because the samples are only samples.

What an interval is for, the parameter, is the expected value of the score at the counts it was measured at:
over fresh samples and fresh reals where it compares two sets, over fresh samples where it compares them
with a reference that is given (training pictures, a threshold, a classifier). What a score gains or
loses by other counts (FID's bias, a manifold that fills up) is no part of it. ``benchmarks/intervals.py``
counts how often they hold it.

| score | interval |
|---|---|
| KID | ``distances.kid`` brings its own: the variance of its U-statistic; either end may be negative |
| FID | ``distances.fid_interval``: the delta method; resampled rows would raise FID itself |
| precision, recall, density, coverage | ``manifolds.…_intervals``: half-samples; shares by ``clustered`` |
| diversity | ``diversity.diversity_ratio``: the delta method |
| Inception Score and anything else of pairs | ``half_samples`` |
| a mean of one value a sample, a ratio of two such | ``bootstrap`` |
| a share of yes and no against a given reference (accuracy, copied, AuthPct) | ``proportion`` |
| a share below a quantile of other samples (the nearest ratio) | ``share_below`` |

A bootstrap draws some rows twice. Two equal rows are each other's nearest neighbours at distance 0, a pair
that no generator made, so every score that looks at pairs of samples is wrong on such a draw. Half-samples
have no row twice.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import torch

from figment.errors import UserError
from figment.randomness import stream

Rows = torch.Tensor | np.ndarray


class Interval(NamedTuple):
    """Both ends of an interval."""

    low: float
    high: float


def normal_interval(value: float, deviation: float, level: float = 0.95) -> Interval:
    """Return ``value`` ± the normal quantile of ``level`` times its standard ``deviation``."""
    if not 0 < level < 1:
        raise UserError(f"level must be between 0 and 1, not {level}")
    reach = NormalDist().inv_cdf((1 + level) / 2) * deviation
    return Interval(value - reach, value + reach)


def bootstrap(
    score: Callable[..., float],
    *sets: Rows,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Return the percentile interval of a score over sets redrawn with replacement.

    ``score`` takes the sets, each [N, …] with a row a sample, and returns a number; each set is redrawn by
    itself. Only for scores that are smooth in the weights of single samples, such as a mean of one value
    a sample: not for pairs or neighbours among them, see above. (Efron 1979.)
    """
    draws = _draws("bootstrap", seed, resamples, level)
    redrawn = [
        score(*(rows[draws.integers(0, len(rows), len(rows))] for rows in sets))
        for _ in range(resamples)
    ]
    low, high = np.quantile(redrawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def half_samples(
    score: Callable[..., float],
    *sets: Rows,
    resamples: int = 100,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Return the score ± the normal quantile times its standard deviation over random halves of the sets.

    With m of n rows drawn without replacement the variance over draws is (1 - m/n) of that of a score of m
    fresh rows, which is n/m of that of n fresh rows: at m = n/2 the factors cancel, and the spread over
    halves is the spread of the whole. Where a score falls faster than 1/√n, as FID does between equal
    distributions, the interval is too wide, never too narrow. (Politis & Romano 1994; Shao & Wu 1989.)
    """
    if any(len(rows) < 4 for rows in sets):
        raise UserError(f"half-samples need at least 4 samples, not {min(map(len, sets))}")
    draws = _draws("half-samples", seed, resamples, level)
    halves = [
        score(*(rows[draws.permutation(len(rows))[: len(rows) // 2]] for rows in sets))
        for _ in range(resamples)
    ]
    return normal_interval(score(*sets), float(np.std(halves, ddof=1)), level)


def proportion(share: float, count: int, level: float = 0.95) -> Interval:
    """Return the interval of a ``share`` in [0, 1] of ``count`` independent answers of yes or no.

    It stays inside [0, 1] and is honest at shares of 0 and 1 too. (Wilson 1927.)
    """
    if not 0 <= share <= 1 or count < 1:
        raise UserError(f"a proportion is a share from 0 to 1 of 1 or more, not {share} of {count}")
    square = normal_interval(0, 1, level).high ** 2
    centre = (share + square / (2 * count)) / (1 + square / count)
    spread = share * (1 - share) / count + square / (4 * count**2)
    reach = math.sqrt(square * spread) / (1 + square / count)
    low, high = max(0.0, centre - reach), min(1.0, centre + reach)
    return Interval(0.0 if share == 0 else low, 1.0 if share == 1 else high)


def clustered(share: float, count: int, deviation: float, level: float = 0.95) -> Interval:
    """Return the interval of a ``share`` in [0, 1] of ``count`` answers that depend on each other.

    ``deviation`` is the share's standard deviation, measured. Wilson's interval at the count of independent
    answers that would deviate so much, ``count`` at most: a normal one would leave [0, 1], and have no
    width where all halves of a sample say 0 or 1. Near both ends the answers are taken as 2 more of
    either kind (Agresti & Coull 1998), since the deviation there is measured on few.
    """
    middle = (share * count + 2) / (count + 4)
    independent = middle * (1 - middle) / count
    effect = max(1.0, deviation**2 / independent) if count else 1.0
    return proportion(share, max(1, round(count / effect)), level)


def share_below(
    values: torch.Tensor,
    reference: torch.Tensor,
    quantile: float,
    *,
    draws: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Return the interval of the share of ``values`` [N] below a ``quantile`` of ``reference`` [M] values.

    Both vary: the quantile of M values lies at a level that has a beta distribution about the one
    that is meant, and the share beyond a given place is a proportion. Both are drawn, one after the other.
    """
    random = _draws("share below", seed, draws, level)
    ordered = reference.double().sort().values.numpy()
    own = values.double().sort().values.numpy()
    count, place = len(ordered), quantile * (len(ordered) - 1) + 1
    reached = random.beta(
        place, count - place + 1, draws
    )  # levels that the quantile may really be at
    meant = 2 * place - reached * (
        count + 1
    )  # places that would then be at the level that is meant
    limits = np.interp(meant, np.arange(count + 1), np.concatenate([[0.0], ordered]))
    below = np.searchsorted(own, limits)
    shares = random.beta(below + 0.5, len(own) - below + 0.5)
    low, high = np.quantile(shares, [(1 - level) / 2, (1 + level) / 2])
    value = float((own < np.quantile(ordered, quantile)).mean())
    return Interval(min(float(low), value), max(float(high), value))


def _draws(purpose: str, seed: int, resamples: int, level: float) -> np.random.Generator:
    if resamples < 2:
        raise UserError(f"resamples must be 2 or more, not {resamples}")
    if not 0 < level < 1:
        raise UserError(f"level must be between 0 and 1, not {level}")
    return stream(purpose, seed)
