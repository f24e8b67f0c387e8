"""Parameter counts against the studies' and the literature's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from figment.recipes import SYSTEMS, find
from figment.recipes.parameters import count, known

PUBLISHED = {
    "C1": (11_174_656, 11_145_217),
    "C2": (27_960_064, 27_922_433),
    "C5": (3_576_704, 2_765_568),
}


@pytest.mark.parametrize("system", PUBLISHED)
def test_published_counts(system: str):
    counts = count(find(system)[1])
    assert (counts["generator"], counts["discriminator"]) == PUBLISHED[system]


def test_wide_dcgan():
    counts = count(replace(find("C5")[1], width=128))
    assert counts == {"generator": 12_658_432, "discriminator": 11_036_160}


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_file_is_true(name: str):
    """`figment recipes` reads the counts from parameters.json; they must be those of the networks."""
    assert known()[name] == count(SYSTEMS[name].recipe)
    assert known().keys() == SYSTEMS.keys()
