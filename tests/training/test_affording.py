"""Measurements that a time budget has room for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from figment.data import Dataset, open_dataset
from figment.recipes import find
from figment.training import affording

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def flowers() -> Dataset:
    return open_dataset("flowers:64", resolution=32, channels=3, progress=False)


@pytest.mark.parametrize(
    ("each", "metrics", "count", "said"),
    [
        (0.001, ("kid",), 1_000, ""),
        (0.05, ("kid",), 500, "of 500 samples"),
        (0.1, ("kid",), 200, "of 200 samples"),
        (
            0.2,
            (),
            1_000,
            "no scores under way: the first would take about 53 s, and 2 min are left",
        ),
    ],
)
def test_a_busy_machine_measures_fewer_samples_or_none(
    flowers, monkeypatch, each, metrics, count, said
):
    monkeypatch.setattr(affording.effort, "trial", lambda pictures, extractor: each)
    recipe = replace(find("dcgan")[1], features="small", metrics=("kid",), metric_count=1_000)
    found, why = affording.within(recipe, flowers, CPU, 100.0, frozenset())
    assert (found.metrics, found.metric_count) == (metrics, count)
    assert said in why and bool(said) == bool(why)
    assert affording.within(recipe, flowers, CPU, 100.0, frozenset({"metrics"})) == (recipe, "")


def test_a_trial_looks_at_a_few_pictures(flowers):
    shown: list[int] = []

    def look(pictures: np.ndarray) -> None:
        shown.append(len(pictures))

    assert affording.effort.trial(lambda count: flowers.rows[:count], look) < 1
    assert shown == [2, affording.effort.TRIAL]
