"""Parameter counts against the studies' and the literature's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from figment.recipes import SYSTEMS, find
from figment.recipes.parameters import count, known

PUBLISHED = {
    "C1": (11_174_656, 11_145_217),
    "C2": (27_960_064, 27_922_433),
    "C3": (27_960_064, 29_888_769),
    "C5": (3_576_704, 2_765_568),
    "F1": (16_850_691, 6_423_553),
    "S2": (2_808_000, 2_790_753),
}


@pytest.mark.parametrize("system", PUBLISHED)
def test_published_counts(system: str):
    counts = count(find(system)[1])
    assert (counts["generator"], counts["discriminator"]) == PUBLISHED[system]


def test_wide_dcgan():
    counts = count(replace(find("C5")[1], width=128))
    assert counts == {"generator": 12_658_432, "discriminator": 11_036_160}


def test_fccgan_strided_and_its_baseline():
    fcc = find("S2")[1]
    strided = count(replace(fcc, down="strided"))
    assert strided == {"generator": 2_808_000, "discriminator": 2_790_881}
    baseline = count(replace(fcc, connected=0, down="strided"))
    assert baseline == {"generator": 1_068_928, "discriminator": 663_424}


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_file_is_true(name: str):
    """`figment recipes` reads the counts from parameters.json; they must be those of the networks."""
    assert known()[name] == count(SYSTEMS[name].recipe)
    assert known().keys() == SYSTEMS.keys()
