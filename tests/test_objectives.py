"""Losses against closed forms (Goodfellow et al. 2014; Salimans et al. 2016)."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from figment.objectives import (
    OBJECTIVES,
    divergence,
    logistic_discriminator,
    minimax_generator,
    nonsaturating_generator,
)

logits = st.floats(-30, 30)
zero = torch.zeros(3)


def test_values_at_zero_logits():
    assert logistic_discriminator(zero, zero).tolist() == pytest.approx([1.386294] * 3)
    assert nonsaturating_generator(zero, zero).tolist() == pytest.approx([0.693147] * 3)
    assert minimax_generator(zero, zero).tolist() == pytest.approx([-0.693147] * 3)


def test_smoothed_optimum():
    """Targets .9 and 0 with equal densities: the best logit and loss."""
    best = torch.tensor([-0.200671])
    loss = logistic_discriminator(best, best, real_target=0.9)
    assert loss.item() == pytest.approx(1.376278, abs=1e-6)
    for nearby in (best - 0.01, best + 0.01):
        assert logistic_discriminator(nearby, nearby, real_target=0.9) > loss


def test_smoothed_real_gradient_vanishes_at_log_9():
    real = torch.tensor([math.log(9.0)], requires_grad=True)
    logistic_discriminator(real, torch.zeros(1), real_target=0.9).sum().backward()
    assert real.grad is not None and abs(real.grad.item()) < 1e-6


@pytest.mark.parametrize(
    ("loss", "at", "gradient"),
    [
        (nonsaturating_generator, 0.0, -0.5),
        (minimax_generator, 0.0, -0.5),
        (nonsaturating_generator, -6.0, -0.99753),
        (minimax_generator, -6.0, -0.00247),
    ],
)
def test_generator_gradients(loss, at, gradient):
    fake = torch.tensor([at], requires_grad=True)
    loss(torch.zeros(1), fake).sum().backward()
    assert fake.grad is not None
    assert fake.grad.item() == pytest.approx(gradient, abs=1e-5)


@given(logits, logits)
def test_logistic_is_minus_the_value_of_the_game(real, fake):
    r, f = (torch.tensor([value], dtype=torch.float64) for value in (real, fake))
    value = torch.log(torch.sigmoid(r)) + torch.log(torch.sigmoid(-f))
    assert logistic_discriminator(r, f).item() == pytest.approx(
        -value.item(), abs=1e-8
    )  # softplus is linear above 20


@given(logits, st.floats(0.55, 1), st.floats(0, 0.45))
def test_targets_are_cross_entropy_with_soft_labels(logit, a, b):
    x = torch.tensor([logit], dtype=torch.float64)
    entropy = torch.nn.functional.binary_cross_entropy_with_logits
    expected = entropy(x, torch.full_like(x, a)) + entropy(x, torch.full_like(x, b))
    loss = logistic_discriminator(x, x, real_target=a, fake_target=b)
    assert loss.item() == pytest.approx(expected.item(), abs=1e-8)  # softplus is linear above 20


def test_one_value_per_image():
    real, fake = torch.randn(5), torch.randn(5)
    for objective in OBJECTIVES.values():
        assert objective.discriminator(real, fake).shape == (5,)
        assert objective.generator(real, fake).shape == (5,)


def test_divergence_of_an_undecided_and_a_sure_discriminator():
    assert divergence(zero, zero).item() == pytest.approx(0, abs=1e-6)
    sure = torch.full((3,), 40.0)
    assert divergence(sure, -sure).item() == pytest.approx(math.log(2), abs=1e-6)
