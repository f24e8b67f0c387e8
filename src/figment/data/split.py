"""Which examples are kept out of training, so that scores can be honest."""

from __future__ import annotations

import numpy as np

from figment.errors import UserError
from figment.randomness import stream

FEWEST = 200
"""Below this many examples none is kept out: each of so few is worth more in training."""
MOST = 2_000
"""No more than this many are kept out: enough for every score that asks for held-out examples."""


def split(count: int, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the examples to train on and those held out, int64, each in increasing order.

    ``share`` of ``count`` are held out, at most ``MOST``, and none where ``count`` is under ``FEWEST``.
    A pure function of its arguments. Raises UserError where nothing would be left to train on.
    """
    out = min(MOST, round(share * count)) if count >= FEWEST else 0
    if 0 < count <= out:
        raise UserError(f"held_out {share} of {count} leaves nothing to train on: lower it")
    shuffled = stream("held out", seed).permutation(count)
    return np.sort(shuffled[out:]), np.sort(shuffled[:out])
