"""Penalties on logits and samples: drift, LeCam, consistency; top-k."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from figment import mesh
from figment.objectives.adversarial import OBJECTIVES
from figment.penalties import (
    LeCamAnchors,
    consistency,
    drift,
    flip_and_shift,
    latent_consistency,
    latent_diversity,
    nudge,
    top_k,
)


def test_drift_is_the_squared_logit():
    assert drift(torch.tensor([-2.0, 0.0, 3.0])).tolist() == [4, 0, 9]


def test_lecam_is_zero_where_all_agree():
    anchors = LeCamAnchors()
    same = torch.full((4,), 1.7)
    anchors.follow(same, same)
    assert anchors(same, same).tolist() == [0] * 4


def test_lecam_by_hand():
    anchors = LeCamAnchors(decay=0.75)
    real, fake = torch.tensor([1.0, 3.0]), torch.tensor([-2.0, 0.0])
    anchors.follow(real, fake)  # the first batch sets them
    assert (anchors.real.item(), anchors.fake.item()) == (2, -1)
    assert anchors(real, fake).tolist() == [4 + 16, 16 + 4]
    # the code's maxima: a real below the fakes' anchor, a fake above the reals', cost nothing
    assert anchors(torch.tensor([-5.0]), torch.tensor([9.0])).tolist() == [0]
    anchors.follow(real + 4, fake - 4)
    assert (anchors.real.item(), anchors.fake.item()) == (3, -2)


def test_lecam_anchors_are_saved_and_do_not_learn():
    anchors, other = LeCamAnchors(), LeCamAnchors()
    anchors.follow(torch.tensor([2.0]), torch.tensor([-1.0]))
    other.load_state_dict(anchors.state_dict())
    for each in (anchors, other):
        each.follow(torch.tensor([3.0]), torch.tensor([0.0]))
    assert other.real.item() == anchors.real.item() == pytest.approx(2.01)
    real = torch.tensor([5.0], requires_grad=True)
    anchors.follow(real, real)
    assert not anchors.real.requires_grad and not list(anchors.parameters())


def test_lecam_anchors_are_those_of_all_processes(monkeypatch):
    def average(tensors):
        tensors[0].copy_(torch.tensor([10.0, 20.0]))

    monkeypatch.setattr(mesh, "average", average)
    anchors = LeCamAnchors()
    anchors.follow(torch.zeros(2), torch.zeros(2))
    assert (anchors.real.item(), anchors.fake.item()) == (10, 20)


def test_consistency_of_a_critic_that_only_counts_light():
    """Moved pictures of one grey have the same sum; one that looks at a corner differs."""
    grey = torch.rand(5, 1, 1, 1).expand(5, 3, 8, 8)
    images = torch.randn(5, 3, 8, 8)

    def total(x: Tensor) -> Tensor:
        return x.flatten(1).sum(1)

    def corner(x: Tensor) -> Tensor:
        return x[:, 0, 0, 0]

    assert consistency(total, grey, total(grey), shift=3).max() < 1e-8
    value = consistency(corner, images, corner(images), shift=3)
    assert value.shape == (5,) and value.max() > 0.1


def test_consistency_teaches_both_sides():
    """A logit that only scales what it sees: the derivative has the difference twice, once a side."""
    scale = torch.tensor(1.5, requires_grad=True)
    images = torch.randn(4, 1, 8, 8)

    def judge(x: Tensor) -> Tensor:
        return scale * x[:, 0, 0, 0]

    torch.manual_seed(4)
    value = consistency(judge, images, judge(images))
    (slope,) = torch.autograd.grad(value.sum(), scale)
    assert slope.item() == pytest.approx(2 * value.sum().item() / 1.5, rel=1e-5)


def test_flips_and_shifts_are_whole_pixels_with_reflected_borders():
    """Each result is one of the 2 x 5 x 5 moves of its own picture, and all kinds occur."""
    picture = torch.arange(64.0).view(1, 1, 8, 8)
    moved = flip_and_shift(picture.expand(400, 1, 8, 8), shift=2)
    wide = nn.functional.pad(picture, (2,) * 4, mode="reflect")
    crops = [wide[..., y : y + 8, x : x + 8] for y in range(5) for x in range(5)]
    mirrored = nn.functional.pad(picture.flip(3), (2,) * 4, mode="reflect")
    crops += [mirrored[..., y : y + 8, x : x + 8] for y in range(5) for x in range(5)]
    kinds = {tuple(crop.flatten().tolist()) for crop in crops}
    seen = [tuple(one.flatten().tolist()) for one in moved]
    assert set(seen) == kinds and len(kinds) == 50


def test_no_shift_is_a_flip_alone():
    images = torch.randn(20, 3, 4, 6)
    moved = flip_and_shift(images, shift=0)
    still = torch.tensor([torch.equal(a, b) for a, b in zip(moved, images, strict=True)])
    assert torch.equal(moved, torch.where(still[:, None, None, None], images, images.flip(3)))
    assert 0 < still.sum() < 20


def test_moves_and_nudges_of_two_processes_are_those_of_one(both_halves):
    images, latents = torch.randn(6, 1, 8, 8), torch.randn(6, 5)
    for function, x in [(flip_and_shift, images), (nudge, latents)]:
        torch.manual_seed(1)
        whole = function(x)
        assert torch.equal(both_halves(lambda mine, f=function, x=x: f(x[mine])), whole)


def test_nudge_has_its_spread():
    latents = torch.zeros(4000, 4)
    assert nudge(latents).std().item() == pytest.approx(0.03, rel=0.05)


def test_latent_consistency_and_diversity():
    logits, nudged = torch.tensor([1.0, -1.0]), torch.tensor([3.0, -1.0])
    assert latent_consistency(logits, nudged).tolist() == [4, 0]
    fakes = torch.zeros(2, 3, 4, 4, requires_grad=True)
    there = torch.stack([torch.full((3, 4, 4), 0.5), torch.zeros(3, 4, 4)])
    diversity = latent_diversity(fakes, there.bfloat16())
    assert diversity.tolist() == [-0.25, 0]
    (slope,) = torch.autograd.grad(diversity.sum(), fakes)
    assert (slope[0] > 0).all()  # minimising moves the fakes away from where the nudged ones are


def test_top_k_of_all_is_ordinary_training():
    assert top_k(torch.randn(7), 1.0).tolist() == [1] * 7


def test_top_k_drops_the_worst_exactly():
    fake = torch.tensor([0.5, -3.0, 2.0, 1.0], requires_grad=True)
    weights = top_k(fake, 0.5)
    assert weights.tolist() == [0, 0, 2, 2] and not weights.requires_grad
    loss = OBJECTIVES["nonsaturating"].generator(fake, fake)
    (slope,) = torch.autograd.grad((weights * loss).mean(), fake)
    (kept,) = torch.autograd.grad(
        OBJECTIVES["nonsaturating"].generator(fake, fake)[2:].mean(), fake
    )
    assert slope[:2].tolist() == [0, 0]
    assert torch.allclose(slope, kept)


def test_top_k_keeps_k_of_ties_and_at_least_one():
    assert sorted(top_k(torch.zeros(4), 0.5).tolist()) == [0, 0, 2, 2]
    assert top_k(torch.tensor([1.0, 3.0, 2.0]), 0.1).tolist() == [0, 3, 0]


def test_top_k_chooses_among_all_processes(both_halves, monkeypatch):
    fake = torch.tensor([5.0, 4.0, 3.0, -1.0, 2.0, -2.0])
    monkeypatch.setattr(mesh, "gather", lambda mine: fake)
    assert both_halves(lambda mine: top_k(fake[mine], 0.5)).tolist() == [2, 2, 2, 0, 0, 0]
