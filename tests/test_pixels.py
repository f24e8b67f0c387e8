"""Pixels to floats and back."""

from __future__ import annotations

import torch

from figment.pixels import to_float, to_uint8

LEVELS = torch.arange(256, dtype=torch.uint8)


def test_every_level_survives_the_way_there_and_back():
    floats = to_float(LEVELS)
    assert floats.dtype == torch.float32
    assert floats[[0, 255]].tolist() == [-1, 1]
    assert torch.equal(to_uint8(floats), LEVELS)


def test_the_arithmetic_is_that_of_every_trained_network():
    assert torch.equal(to_float(LEVELS), LEVELS.float() / 127.5 - 1)


def test_what_lies_outside_becomes_black_or_white():
    outside = torch.tensor([-7.0, -1.001, 0.0, 1.001, 9.0])
    assert to_uint8(outside).tolist() == [0, 0, 128, 255, 255]
    assert to_uint8(outside.bfloat16()).dtype == torch.uint8
