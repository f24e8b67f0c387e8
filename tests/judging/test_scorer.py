"""The scorer: which pictures of many it compares, and how it says so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from figment.judging.measures import MEASURES
from figment.judging.scorer import scorer
from figment.judging.sides import Side


def made(count: int) -> Side:
    """A side of random features."""
    images = np.zeros((count, 3, 16, 16), np.uint8)
    return Side(
        images, np.arange(count), torch.randn(count, 8), torch.zeros(count, dtype=torch.int64)
    )


def test_some_of_many_reals_are_taken_from_all_of_them():
    """Rows come class by class: the first ones would be one class."""
    reals = made(900)
    few = scorer(["kid"], None, reals, None, 200, most=300)
    rows = few.reals.rows
    assert len(rows) == 300 and few.reals is few.others
    assert (np.diff(rows) > 0).all() and rows[-1] > 800 and (np.histogram(rows, 3)[0] > 60).all()


def test_the_protocol_counts_what_is_compared():
    """Of many pictures some are compared, each with each: figures say how many."""
    some = MEASURES["precision_recall"]._replace(most=50)
    one = replace(scorer(["kid"], None, made(120), None, 60), measures=[some, MEASURES["kid"]])
    precision, _, kid = one.scores(made(90))
    assert "50 samples against 50 reals" in precision.protocol
    assert "90 samples against 120 reals" in kid.protocol
