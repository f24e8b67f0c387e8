"""All augmentations can be differentiated twice by the pictures: R1 and gradient penalties pass through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from figment import penalties
from figment.augment import BGCFNC, Strengths, ada, diffaugment, study
from figment.augment.diffaugment import TRANSFORMS

ADA = [field.name for field in fields(Strengths) if field.name != "imgfilter_bands"]
FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    **{f"ada {name}": lambda x, n=name: ada(x, 0.9, Strengths(**{n: 1})) for name in ADA},
    "ada bgcfnc": lambda x: ada(x, 0.5, BGCFNC),
    **{f"diffaugment {name}": lambda x, n=name: diffaugment(x, (n,)) for name in TRANSFORMS},
    "diffaugment": diffaugment,
    "study": study,
}


def replayed(name: str) -> Callable[[Tensor], Tensor]:
    def function(x: Tensor) -> Tensor:
        torch.manual_seed(2)
        return FUNCTIONS[name](x)

    return function


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_and_their_gradients(name: str):
    channels = 1 if name in ("ada brightness", "ada contrast", "ada lumaflip") else 3
    x = torch.rand(4, channels, 8, 8, dtype=torch.float64) * 1.6 - 0.8
    x.requires_grad_()
    assert not torch.equal(replayed(name)(x), x)
    assert gradcheck(replayed(name), x, fast_mode=True)
    assert gradgradcheck(replayed(name), x, fast_mode=True)


def test_r1_passes_through_the_pipe():
    w = torch.randn(3 * 8 * 8, requires_grad=True)
    x = torch.rand(6, 3, 8, 8)

    def judge(images: Tensor) -> Tensor:
        return ada(images, 0.9, Strengths(xflip=1, rotate90=1)).flatten(1) @ w

    slopes = penalties.r1(judge, x)  # pixels that change places keep the length of the slope
    torch.testing.assert_close(slopes, (w.square().sum() / 2).detach().expand(6))
    (back,) = torch.autograd.grad(slopes.mean(), w)
    torch.testing.assert_close(back, w.detach())


def test_a_gradient_penalty_trains_through_everything():
    critic = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(768, 1), torch.nn.Flatten(0))
    reals, fakes = torch.rand(2, 4, 3, 16, 16)

    def judge(images: Tensor) -> Tensor:
        return critic(ada(images, 0.8, BGCFNC))

    penalties.gradient_penalty(judge, reals, fakes).mean().backward()
    slope = critic[1].weight.grad
    assert slope is not None and slope.isfinite().all() and slope.abs().sum() > 0
