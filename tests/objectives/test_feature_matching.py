"""Feature matching: values, gradients, many processes."""

from __future__ import annotations

import pytest
import torch

from figment.objectives import features
from figment.objectives.features import absolute_feature_matching, feature_matching


def test_equal_batches_match():
    batch = torch.randn(8, 5)
    for loss in (feature_matching, absolute_feature_matching):
        assert loss(batch, batch.flip(0)).item() == pytest.approx(0, abs=1e-7)


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
