"""Parameter counts against the studies' and the literature's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from figment.recipes import SYSTEMS, find
from figment.recipes.parameters import coders, count, known

PUBLISHED = {
    "C1": (11_174_656, 11_145_217),
    "C2": (27_960_064, 27_922_433),
    "C3": (27_960_064, 29_888_769),
    "C5": (3_576_704, 2_765_568),
    "C5r": (18_885_760, 17_232_768),
    "F1": (16_850_691, 6_423_553),
    "S2": (2_808_000, 2_790_753),
    "L1": (2_503_984, 1_231_441),
    "L5a": (1_204_483 + 6 * 2 * 128 * 9, 1_055_115),
    "L5p": (4_304_387, 1_053_825 + 10 * 128),
    "N1": (4_276_739, 1_053_825),
    "N3": (1_204_483, 1_053_825),
    "M3": (4_287_235, 4_207_361),
    "M4c": (20_781_952, 21_280_512),
    "M4p": (22_429_824, 22_381_440),
    "M4q": (23_057_952, 23_009_568),
    "W0": (3_576_704, 2_765_568),
    "K1": (287_875, 1_889),
    "W1": (749_891, 136_769),
}


@pytest.mark.parametrize("system", PUBLISHED)
def test_published_counts(system: str):
    counts = count(find(system)[1])
    assert (counts["generator"], counts["discriminator"]) == PUBLISHED[system]


def test_classes_are_counted_as_ten_unless_they_are_told():
    """Gains and shifts of six norms, a row a class in place of one, and a row of the projection."""
    ten, two = (count(replace(find("L5p")[1], classes=classes)) for classes in (10, 2))
    assert ten == count(find("L5p")[1])
    assert ten["generator"] - two["generator"] == 8 * 6 * 2 * 256
    assert ten["discriminator"] - two["discriminator"] == 8 * 128


def test_attention_adds_its_parameters():
    """2 · C · C/8 + 2 · C · C/2 + 1 for the 64 channels of the map of 16 pixels."""
    plain, attending = (count(find(name)[1]) for name in ("S1", "S5"))
    layer = 2 * 64 * 8 + 2 * 64 * 32 + 1
    assert {n: attending[n] - plain[n] for n in plain} == dict.fromkeys(plain, layer)


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


def test_the_table_of_the_docs_is_true():
    docs = Path(__file__).resolve().parents[2] / "docs" / "recipes.md"
    lines = docs.read_text(encoding="utf-8").splitlines()
    for name, system in SYSTEMS.items():
        counts = (known()[name].get(player) for player in ("generator", "discriminator"))
        g, d = ("–" if count is None else f"{count:,}" for count in counts)
        assert f"| {system.id} | `{name}` | {g} | {d} | {system.source} |" in lines


def test_encoder_and_decoder_are_counted_apart():
    recipe = find("vae")[1]
    parts = coders(recipe)
    assert list(parts) == ["encoder", "decoder"]
    assert sum(parts.values()) == count(recipe)["generator"]
    assert coders(find("flow-matching")[1]) == coders(find("dcgan")[1]) == {}
