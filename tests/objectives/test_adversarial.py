"""Losses against closed forms: Goodfellow et al. 2014, Salimans et al. 2016, and those that followed."""

from __future__ import annotations

import math
import threading
import typing
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from figment import mesh
from figment.errors import UserError
from figment.gan import GAN
from figment.objectives import Name
from figment.objectives.adversarial import (
    OBJECTIVES,
    divergence,
    hinge_discriminator,
    least_squares_discriminator,
    least_squares_generator,
    logistic_discriminator,
    minimax_generator,
    nonsaturating_generator,
    wasserstein_discriminator,
)

logits = st.floats(-30, 30)
zero = torch.zeros(3)
every_objective = pytest.mark.parametrize("name", OBJECTIVES)
AT_ZERO = {
    "nonsaturating": (1.386294, 0.693147),
    "minimax": (1.386294, -0.693147),
    "least_squares": (0.5, 0.5),
    "hinge": (2, 0),
    "wasserstein": (0, 0),
    "relativistic": (0.693147, 0.693147),
    "relativistic_average": (0.693147, 0.693147),
}


@every_objective
def test_values_at_zero_logits(name):
    objective, (discriminator, generator) = OBJECTIVES[name], AT_ZERO[name]
    assert objective.discriminator(zero, zero).tolist() == pytest.approx([discriminator] * 3)
    assert objective.generator(zero, zero).tolist() == pytest.approx([generator] * 3)


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


@every_objective
def test_one_value_per_image(name):
    real, fake = torch.randn(5), torch.randn(5)
    assert OBJECTIVES[name].discriminator(real, fake).shape == (5,)
    assert OBJECTIVES[name].generator(real, fake).shape == (5,)


@every_objective
def test_a_larger_logit_means_more_real(name):
    """The discriminator wants reals up and fakes down; the generator wants fakes up."""
    real, fake = (torch.full((4,), 0.3, requires_grad=True) for _ in "rf")
    up, down = torch.autograd.grad(OBJECTIVES[name].discriminator(real, fake).sum(), (real, fake))
    (wish,) = torch.autograd.grad(OBJECTIVES[name].generator(real.detach(), fake).sum(), fake)
    assert (up < 0).all() and (down > 0).all() and (wish < 0).all()


@every_objective
def test_finite_where_the_sigmoid_saturates(name):
    real, fake = (torch.tensor([s, -s], requires_grad=True) for s in (1e4, -1e4))
    losses = [
        getattr(OBJECTIVES[name], player)(real, fake).sum()
        for player in ("discriminator", "generator")
    ]
    slopes = torch.autograd.grad(sum(losses), (real, fake))
    assert all(torch.isfinite(value).all() for value in (*losses, *slopes))


@every_objective
def test_paired_says_whether_reals_reach_the_generator(name):
    fake = torch.randn(4)
    here, there = (OBJECTIVES[name].generator(torch.full((4,), x), fake) for x in (0.0, 3.0))
    assert OBJECTIVES[name].paired == (not torch.equal(here, there))


@every_objective
def test_targets_are_honoured_or_refused(name):
    objective, recipe = OBJECTIVES[name], GAN(objective=name)
    recipe.check()
    if objective.takes_targets:
        replace(recipe, real_target=0.9).check()
        smooth = objective.discriminator(zero + 2, zero, real_target=0.9, fake_target=0.1)
        assert not torch.equal(smooth, objective.discriminator(zero + 2, zero))
        return
    why = f"has no effect with --objective {name}, which has no labels to smooth: nonsaturating"
    for field, target in (("real_target", 0.9), ("fake_target", 0.1)):
        with pytest.raises(UserError, match=why):
            replace(recipe, **{field: target}).check()
    with pytest.raises(TypeError):
        objective.discriminator(zero, zero, real_target=0.9)


@every_objective
def test_probabilities_are_the_optimal_logits_sigmoid(name):
    """Of equal densities times 3 to 1 the best logit is log 3 where the sigmoid is a probability."""
    logit = torch.tensor([math.log(3.0)], requires_grad=True)
    objective = OBJECTIVES[name]
    as_real = objective.discriminator(logit, logit.detach())
    as_fake = objective.discriminator(logit.detach(), logit)
    (slope,) = torch.autograd.grad((3 * as_real + as_fake).sum(), logit)
    assert objective.probabilities == (abs(slope.item()) < 1e-6)


@pytest.mark.parametrize("name", [n for n, o in OBJECTIVES.items() if o.boundary is not None])
def test_boundary_is_where_reals_and_fakes_are_equally_likely(name):
    objective = OBJECTIVES[name]
    at = torch.tensor([objective.boundary], requires_grad=True)
    (slope,) = torch.autograd.grad(objective.discriminator(at, at).sum(), at)
    assert slope.item() == pytest.approx(0, abs=1e-7)


def test_least_squares_of_an_undecided_discriminator():
    half = zero + 0.5
    assert least_squares_discriminator(half, half).tolist() == [0.25] * 3
    assert least_squares_generator(half, half).tolist() == [0.125] * 3


@pytest.mark.parametrize(("a", "b"), [(0.0, 1.0), (0.0, 0.9), (-1.0, 1.0)])
def test_least_squares_optimum(a, b):
    """(b p_data + a p_generator) / (p_data + p_generator), here at densities 3 and 1."""
    best = torch.tensor([(3 * b + a) / 4], dtype=torch.float64, requires_grad=True)
    targets = {"real_target": b, "fake_target": a}
    as_real = least_squares_discriminator(best, best.detach(), **targets)
    as_fake = least_squares_discriminator(best.detach(), best, **targets)
    (slope,) = torch.autograd.grad((3 * as_real + as_fake).sum(), best)
    assert slope.item() == pytest.approx(0, abs=1e-12)
    assert least_squares_generator(best, best, target=best.item()).item() == 0


def test_hinge_is_deaf_beyond_its_margin():
    real = torch.tensor([-2.0, 0.5, 1.0, 3.0], requires_grad=True)
    (slope,) = torch.autograd.grad(hinge_discriminator(real, torch.zeros(4)).sum(), real)
    assert slope.tolist() == [-1, -1, 0, 0]
    assert hinge_discriminator(real, torch.tensor([-1.0, -3, 0, 1])).tolist() == [3, 0.5, 1, 2]


def test_wasserstein_estimates_the_distance():
    """Point masses at 0 and at 3, the optimal critic of slope 1: the distance is 3."""
    assert -wasserstein_discriminator(-torch.zeros(2), -torch.full((2,), 3.0)).mean() == 3


@pytest.mark.parametrize("name", [n for n, o in OBJECTIVES.items() if o.paired])
def test_relativistic_losses_ignore_a_shift_of_all_logits(name):
    real, fake = torch.randn(2, 6, dtype=torch.float64)
    bias = torch.zeros((), dtype=torch.float64, requires_grad=True)
    for loss in OBJECTIVES[name][:2]:
        moved = loss(real + 5, fake + 5)
        assert torch.allclose(moved, loss(real, fake), atol=1e-12)
        (slope,) = torch.autograd.grad(loss(real + bias, fake + bias).sum(), bias)
        assert slope.item() == pytest.approx(0, abs=1e-12)


def test_relativistic_pairs_and_averages_by_hand():
    real, fake = torch.tensor([1.0, 3.0]), torch.tensor([0.0, -2.0])
    softplus = torch.nn.functional.softplus
    pairing, average = OBJECTIVES["relativistic"], OBJECTIVES["relativistic_average"]
    assert torch.equal(pairing.discriminator(real, fake), softplus(torch.tensor([-1.0, -5])))
    assert torch.equal(pairing.generator(real, fake), softplus(torch.tensor([1.0, 5])))
    # mean real 2, mean fake -1
    sides = softplus(torch.tensor([-2.0, -4])), softplus(torch.tensor([-2.0, -4]))
    assert torch.allclose(average.discriminator(real, fake), (sides[0] + sides[1]) / 2)
    sides = softplus(torch.tensor([2.0, 4])), softplus(torch.tensor([2.0, 4]))
    assert torch.allclose(average.generator(real, fake), (sides[0] + sides[1]) / 2)


@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_relativistic_average_of_two_processes_is_that_of_one(player, monkeypatch):
    """Values, and gradients after they are averaged: each half compares with the whole batch's mean."""
    loss = getattr(OBJECTIVES["relativistic_average"], player)
    start = torch.randn(2, 6, dtype=torch.float64)
    whole = start.clone().requires_grad_()
    loss(*whole).mean().backward()

    met, board = threading.Barrier(2), {}
    here = threading.local()

    def average(tensors):
        board[here.rank] = [tensor.clone() for tensor in tensors]
        met.wait(timeout=5)
        for tensor, one, other in zip(tensors, board[0], board[1], strict=True):
            tensor.copy_((one + other) / 2)
        met.wait(timeout=5)

    monkeypatch.setattr(mesh, "size", lambda: 2)
    monkeypatch.setattr(mesh, "average", average)
    shared = start.clone()
    values, slopes = {}, {}

    def process(rank):
        here.rank = rank
        mine = shared[:, 3 * rank : 3 * rank + 3].clone().requires_grad_()
        values[rank] = loss(*mine)
        values[rank].mean().backward()
        slopes[rank] = mine.grad / 2  # the gradients of processes are averaged

    threads = [threading.Thread(target=process, args=(rank,)) for rank in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    monkeypatch.undo()
    assert torch.allclose(torch.cat([values[0], values[1]]), loss(*start), atol=1e-12)
    assert torch.allclose(torch.cat([slopes[0], slopes[1]], 1), whole.grad, atol=1e-12)


def test_divergence_of_an_undecided_and_a_sure_discriminator():
    assert divergence(zero, zero).item() == pytest.approx(0, abs=1e-6)
    sure = torch.full((3,), 40.0)
    assert divergence(sure, -sure).item() == pytest.approx(math.log(2), abs=1e-6)


def test_every_objective_has_its_name():
    assert set(typing.get_args(Name)) == OBJECTIVES.keys()
