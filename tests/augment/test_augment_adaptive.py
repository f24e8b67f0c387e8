"""The probability of ADA follows the signs of the discriminator's logits."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from figment import mesh
from figment.augment import AdaptiveProbability

STEP = 5.12e-4
"""Four batches of 64 of 500,000 images."""


def margins(positive: int, n: int = 64) -> Tensor:
    return torch.cat([torch.full((positive,), 3.0), torch.full((n - positive,), -0.1)])


def after(batches: int, found: Tensor, **options: float) -> float:
    adaptive = AdaptiveProbability(**options)
    for _ in range(batches):
        adaptive.follow(found, len(found))
    return adaptive.p.item()


def test_it_moves_every_fourth_batch_by_the_images_in_them():
    adaptive = AdaptiveProbability()
    path = []
    for _ in range(9):
        adaptive.follow(margins(64), 64)
        path.append(adaptive.p.item())
    assert path == pytest.approx([0] * 3 + [STEP] * 4 + [2 * STEP] * 2, abs=1e-8)


def test_it_falls_below_the_target_and_rests_on_it():
    assert after(4, margins(32), start=0.5) == pytest.approx(0.5 - STEP)
    assert after(4, margins(56), start=0.5, target=0.75) == 0.5
    assert after(4, margins(52), start=0.5) == pytest.approx(0.5 + STEP)  # .625, above .6
    assert after(4, margins(51), start=0.5) == pytest.approx(0.5 - STEP)  # .594


def test_logits_on_the_boundary_count_for_neither_side():
    assert after(4, torch.zeros(64), start=0.5, target=0) == 0.5


def test_it_stays_a_probability():
    assert after(4, margins(0), start=STEP / 2) == 0
    assert after(4, margins(64), start=1 - STEP / 2) == 1


def test_the_whole_way_takes_half_a_million_images():
    assert after(500, margins(1000, 1000)) == pytest.approx(1, abs=1e-4)
    assert after(100, margins(1000, 1000), images=100_000) == pytest.approx(1, abs=1e-5)


def test_the_four_batches_are_looked_at_together():
    adaptive = AdaptiveProbability(start=0.5)
    for positive in (64, 64, 64, 20):  # signs sum to .89 * 3 and a low last one: above .6 together
        adaptive.follow(margins(positive), 64)
    assert adaptive.p.item() == pytest.approx(0.5 + STEP)


def test_packs_have_fewer_logits_than_images():
    adaptive = AdaptiveProbability()
    for _ in range(4):
        adaptive.follow(margins(32, 32), 64)
    assert adaptive.p.item() == pytest.approx(STEP)


def test_it_is_saved_between_its_steps():
    first = AdaptiveProbability()
    for _ in range(6):
        first.follow(margins(60), 64)
    second = AdaptiveProbability()
    second.load_state_dict(first.state_dict())
    for adaptive in (first, second):
        for _ in range(2):
            adaptive.follow(margins(60), 64)
    assert second.p.item() == first.p.item() == pytest.approx(2 * STEP)
    assert not list(first.parameters())


def test_two_processes_share_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mesh, "size", lambda: 2)

    def average(tensors: list[Tensor]) -> None:  # the other process saw only negative ones
        for tensor in tensors:
            tensor.copy_((tensor - 1) / 2)

    monkeypatch.setattr(mesh, "average", average)
    assert after(4, margins(32, 32), start=0.5) == pytest.approx(0.5 - STEP)
