"""Classes, one by one: what is measured of them, and what it is called."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from test_diagnosis import FIELDS, run

from figment.data.flowers import draw_flowers
from figment.doctor.diagnosis import diagnose
from figment.doctor.obedience import Told, class_signs, told_apart
from figment.doctor.signs import reference, signs

DATA = {"name": "digits", "count": 9_000, "shape": [1, 32, 32], "classes": list("abcd")}


@pytest.fixture(scope="module")
def clouds() -> tuple[torch.Tensor, torch.Tensor]:
    """Four clouds of rows [N, 8], one a class."""
    random = torch.Generator().manual_seed(0)
    labels = torch.arange(400) % 4
    centres = 4 * torch.eye(8)[:4]
    return centres[labels] + torch.randn(400, 8, generator=random), labels


@pytest.fixture(scope="module")
def told(clouds: tuple[torch.Tensor, torch.Tensor]) -> Told:
    found = told_apart(*clouds)
    assert found is not None
    return found


def test_classes_of_reals_are_told_by_the_other_half(told: Told):
    assert told.right.shape == (4,) and float(told.right.min()) > 0.9
    assert float(told.shares.sum()) == pytest.approx(1)


def test_what_cannot_be_told_is_not(clouds: tuple[torch.Tensor, torch.Tensor]):
    rows, labels = clouds
    by_chance = told_apart(rows, labels.roll(1)[torch.randperm(400)])
    assert by_chance is not None and float(by_chance.right.mean()) < 0.4
    assert told_apart(rows, labels * 0) is None
    assert told_apart(rows[:40], labels[:40]) is None  # ten of each


def test_obeyed_swapped_and_absent(told: Told, clouds: tuple[torch.Tensor, torch.Tensor]):
    rows, labels = clouds
    found = class_signs(told, rows, labels)
    assert found["watch/classes_obeyed"] == pytest.approx(1, abs=0.06)
    swapped = class_signs(told, rows, labels ^ 1)
    assert swapped["watch/classes_obeyed"] < 0.1
    assert [swapped[f"class/instead/{k}"] for k in range(4)] == [1, 0, 3, 2]
    assert swapped["class/mistaken/0"] > 0.9
    absent = class_signs(told, rows[labels != 2], None)
    assert absent["class/share/2"] < 0.1 < 1.2 < absent["class/share/0"]


def test_signs_hold_classes_where_reals_have_them():
    pictures, labels = (torch.from_numpy(part) for part in draw_flowers(range(400), 32))
    real = reference(pictures[:300], pictures[300:], labels[:300])
    found = signs(pictures[300:], real, labels=labels[300:])
    assert found["watch/classes_told"] > 0.9
    assert found["watch/classes_obeyed"] > 0.9
    assert "watch/classes_told" not in signs(pictures[300:], reference(pictures[:300]))


def columns(
    obeyed: dict[int, float], instead: dict[int, int], told: float = 0.85
) -> dict[str, float]:
    found = {"watch/classes_told": told, "watch/classes_obeyed": sum(obeyed.values()) / 4 / told}
    for k, share in obeyed.items():
        found |= {f"class/obeyed/{k}": share, f"class/instead/{k}": float(instead[k])}
        found[f"class/mistaken/{k}"] = 0.9 * (1 - share)
    return found


def first(found: dict[str, Any], lines: int = 10) -> tuple[str, str]:
    log = [line | found for line in run(lines)]
    finding = diagnose(log, FIELDS, DATA)[0]
    return finding.name, finding.evidence


def test_swapped_classes_are_named():
    name, evidence = first(columns({0: 0.02, 1: 0.03, 2: 0.8, 3: 0.8}, {0: 1, 1: 0, 2: 3, 3: 2}))
    assert name == "classes swapped"
    assert "class a are told as class b (88%)" in evidence


def test_classes_that_mean_nothing():
    name, evidence = first(columns(dict.fromkeys(range(4), 0.27), {0: 1, 1: 2, 2: 3, 3: 0}))
    assert name == "classes not obeyed" and "by chance it would be 25%" in evidence


def test_one_class_that_is_not_obeyed():
    found = columns({0: 0.8, 1: 0.04, 2: 0.8, 3: 0.9}, {0: 1, 1: 2, 2: 3, 3: 0})
    name, evidence = first(found)
    assert name == "class not obeyed" and "class b (4%)" in evidence
    assert first(found | {"class/told/1": 0.3})[0] == "healthy"  # nobody could tell it


def test_classes_are_left_alone_where_nothing_can_be_said():
    bad = columns(dict.fromkeys(range(4), 0.27), {0: 1, 1: 2, 2: 3, 3: 0})
    assert first(bad, lines=3)[0] == "still far from your pictures"  # 750 rounds
    assert first(bad | {"watch/classes_told": 0.5})[0] == "healthy"
    assert first(bad | {"watch/distance": 0.6})[0] == "still far from your pictures"
    good = columns(dict.fromkeys(range(4), 0.7), {0: 1, 1: 2, 2: 3, 3: 0})
    assert first(good)[0] == "healthy"


def test_a_class_that_is_never_drawn():
    found = {"watch/classes_told": 0.9, **{f"class/share/{k}": 1.3 for k in range(3)}}
    name, evidence = first(found | {"class/share/3": 0.02})
    assert name == "class missing" and "class d" in evidence
    assert first(found | {"class/share/3": 0.5})[0] == "healthy"
