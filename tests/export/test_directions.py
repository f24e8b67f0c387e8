"""Directions: of a generator that is linear they are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from figment.export.directions import change, directions
from figment.recipes import SYSTEMS
from figment.sampling.generator import Generator


class Linear(nn.Module):
    """Latents [N, 8], behind them one-hot classes -> grey pictures whose pixels are latents, weighted."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.tensor([0.02, 0.2, 0.0, 0.06, 0.0, 0.1, 0.0, 0.04]))

    def forward(self, z: Tensor) -> Tensor:
        rows = (z[:, :8] * self.weights).clamp(-0.9, 0.9)
        rows = rows + (z[:, 8:9] if z.shape[1] > 8 else 0) * 0.05
        return rows[:, None, :, None].repeat(1, 1, 2, 16)  # [N, 1, 16, 16]


def generator(**fields: object) -> Generator:
    recipe = replace(SYSTEMS["dcgan"].recipe, resolution=16, channels=1, latent=8, **fields)
    return Generator(recipe, Linear())


@pytest.mark.parametrize("fields", [{}, {"conditioning": "concat", "classes": 2}])
def test_the_strongest_come_first_with_what_they_change(fields):
    found = directions(generator(**fields), progress=False)
    assert [one["name"] for one in found] == ["1", "2", "3", "4", "5", "6"]
    strongest = [int(np.abs(one["vector"]).argmax()) for one in found[:5]]
    assert strongest == [1, 5, 3, 7, 0]
    for one in found[:5]:
        assert max(one["vector"]) == pytest.approx(1, abs=0.01)  # up, not down
        assert np.linalg.norm(one["vector"]) == pytest.approx(1, abs=1e-5)
    changes = [one["change"] for one in found]
    assert changes == sorted(changes, reverse=True)
    # An eighth of the pixels moves by 2 x 3 x .1 of the range of 2, which is 127.5 x .6 levels.
    assert changes[1] == pytest.approx(127.5 * 0.6 / 8, rel=0.02)


def test_the_change_is_measured_from_end_to_end():
    vector = torch.zeros(8)
    vector[7] = 1
    assert change(generator(), vector) == pytest.approx(127.5 * 6 * 0.04 / 8, rel=0.02)


def test_a_latent_of_few_numbers_has_as_many_directions_and_points_have_none():
    recipe = SYSTEMS["points"].recipe.tiny()
    points = Generator(recipe, recipe.networks()["generator"])
    assert directions(points, progress=False) == []
    small = replace(SYSTEMS["dcgan"].recipe.tiny(), latent=3)
    few = Generator(small, small.networks()["generator"])
    assert len(directions(few, progress=False)) == 3
