"""Losses on classes and features: constants of Salimans et al. 2016, gradients, many processes."""

from __future__ import annotations

import pytest
import torch

from figment.objectives import features
from figment.objectives.classes import (
    supervised,
    unsupervised,
    unsupervised_fake,
    unsupervised_real,
)
from figment.objectives.features import absolute_feature_matching, feature_matching


def test_ten_class_logits_of_zero():
    real = torch.zeros(3, 10).logsumexp(1)
    assert real.tolist() == pytest.approx([2.302585] * 3, abs=1e-6)
    assert unsupervised_real(real).tolist() == pytest.approx([0.095310] * 3, abs=1e-6)
    assert unsupervised_fake(real).tolist() == pytest.approx([2.397895] * 3, abs=1e-6)
    both = unsupervised(real, real)
    assert both.tolist() == pytest.approx([(0.095310 + 2.397895) / 2] * 3, abs=1e-6)
    labels = torch.tensor([0, 5, 9])
    assert supervised(torch.zeros(3, 10), labels).tolist() == pytest.approx([2.302585] * 3)


def test_supervised_is_minus_the_label_plus_the_log_sum_exp():
    classes, labels = torch.randn(4, 10) * 3, torch.tensor([1, 0, 9, 3])
    expected = -classes[range(4), labels] + classes.exp().sum(1).log()
    torch.testing.assert_close(supervised(classes, labels), expected)


def test_a_constant_on_all_classes_changes_only_real_against_fake():
    classes, labels = torch.randn(4, 10), torch.tensor([1, 0, 9, 3])
    torch.testing.assert_close(supervised(classes + 5, labels), supervised(classes, labels))
    before, after = classes.logsumexp(1), (classes + 5).logsumexp(1)
    assert (unsupervised_real(after) < unsupervised_real(before)).all()


def test_losses_stay_finite_far_out():
    far = torch.tensor([-1e4, 1e4])
    assert unsupervised_real(far).tolist() == [1e4, 0.0]
    assert unsupervised_fake(far).tolist() == [0.0, 1e4]


def test_equal_batches_match():
    features = torch.randn(8, 5)
    for loss in (feature_matching, absolute_feature_matching):
        assert loss(features, features.flip(0)).item() == pytest.approx(0, abs=1e-7)


def test_values_and_gradient():
    real, fake = torch.zeros(4, 2), torch.tensor([[1.0, 2.0], [3.0, 2.0]], requires_grad=True)
    assert feature_matching(real, fake).item() == 4  # means (2, 2)
    assert absolute_feature_matching(real, fake).item() == 2
    (slope,) = torch.autograd.grad(feature_matching(real, fake), fake)
    torch.testing.assert_close(slope, torch.full((2, 2), 2 * 2.0 / (2 * 2)))


def test_reals_get_no_gradient():
    real, fake = (torch.randn(4, 3, requires_grad=True) for _ in range(2))
    feature_matching(real, fake).backward()
    assert real.grad is None and fake.grad is not None


def test_two_processes_match_as_one(monkeypatch):
    """The loss is that of the whole batch, and so is the mean of the two processes' gradients."""
    real, fake = torch.randn(6, 3), torch.randn(6, 3)
    whole = fake.clone().requires_grad_()
    loss = feature_matching(real, whole)
    loss.backward()
    for mine in (slice(0, 3), slice(3, 6)):
        means = iter([fake.mean(0), real.mean(0)])

        def average(tensors, means=means):
            for tensor in tensors:
                tensor.copy_(next(means))

        monkeypatch.setattr(features.mesh, "average", average)
        share = fake[mine].clone().requires_grad_()
        own = feature_matching(real[mine], share)
        assert own.item() == pytest.approx(loss.item(), rel=1e-6)
        own.backward()
        # Each process's rows weigh twice as much in its own mean; averaging over two halves that.
        torch.testing.assert_close(share.grad / 2, whole.grad[mine])
