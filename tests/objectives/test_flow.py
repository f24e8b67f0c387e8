"""Flow matching's path and loss, by hand."""

from __future__ import annotations

import torch

from figment.objectives.flow import between, velocity_error


def test_the_path_is_straight():
    noise, images = torch.full((3, 1, 2, 2), -1.0), torch.full((3, 1, 2, 2), 3.0)
    points = between(noise, images, torch.tensor([0.0, 0.25, 1.0]))
    assert points[:, 0, 0, 0].tolist() == [-1, 0, 3]


def test_the_error_is_the_mean_square_of_a_pictures_values():
    noise, images = torch.zeros(2, 1, 1, 2), torch.tensor([[[[1.0, 3.0]]], [[[2.0, 2.0]]]])
    assert velocity_error(torch.zeros_like(images), noise, images).tolist() == [5, 4]
    assert velocity_error(images - noise, noise, images).tolist() == [0, 0]
