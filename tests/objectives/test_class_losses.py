"""Losses on classes: constants of Salimans et al. 2016, at zero and far out."""

from __future__ import annotations

import pytest
import torch

from figment.objectives.classes import (
    supervised,
    unsupervised,
    unsupervised_fake,
    unsupervised_real,
)


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
