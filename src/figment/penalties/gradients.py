"""Penalties on the slope of the discriminator: how fast its logit changes with the picture.

All are computed in float32, also where the networks run in bfloat16, and can be differentiated again
(with respect to the discriminator's weights). ``critic`` maps images [N, ...] to logits [N]; what the
gradient should pass through (an augmentation) belongs inside it, and what it should not see (one-hot
label channels) is held by it.

The slopes of all images come from one backward pass, through the sum of their logits. That sum takes
them apart only if no image influences another's logit: behind batch norm (in training) or minibatch
statistics, "the slope of an image" is that of all logits together. Gulrajani et al. 2017, section 4,
therefore keep batch norm out of the critic. Extra passes through batch norm belong inside
``hold_statistics``.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from figment import mesh
from figment import randomness_per_image as random
from figment.compiling import slopes
from figment.microbatch import in_parts

Critic = Callable[[Tensor], Tensor]
"""The discriminator as a function of images alone: [N, ...] -> logits [N], or [N, ...] of patches."""
TINY = 1e-12
"""Added under the root: the length of a vector has no derivative at 0."""


def squared_slope(critic: Critic, images: Tensor) -> Tensor:
    """||d critic / d image||^2 of each image, summed over all its values: [N]."""

    def slope(images: Tensor) -> Tensor:
        images = _full(images).requires_grad_()
        again = torch.is_grad_enabled()
        full = torch.autocast(images.device.type, enabled=False)
        with torch.enable_grad(), full, slopes():
            logits = critic(images)
            (found,) = torch.autograd.grad(logits.sum(), images, create_graph=again)
        return found.flatten(1).square().sum(1)

    return in_parts(slope, images)


def r1(critic: Critic, reals: Tensor) -> Tensor:
    """||grad critic(real)||^2 / 2: [N]; Mescheder et al. 2018, eq. 9.

    The weight is the paper's gamma, which has the half (gamma = 10); so have StyleGAN, ADA and R3GAN.
    Mescheder's code leaves it out: its ``reg_param`` 10 is a gamma of 20.
    """
    return squared_slope(critic, reals) / 2


def r2(critic: Critic, fakes: Tensor) -> Tensor:
    """||grad critic(fake)||^2 / 2: [N]; Mescheder et al. 2018, eq. 10. Factor as in ``r1``."""
    return squared_slope(critic, fakes) / 2


def gradient_penalty(
    critic: Critic, reals: Tensor, fakes: Tensor, *, one_sided: bool = False
) -> Tensor:
    """(||grad critic(x)|| - 1)^2 at one x between each real and its fake: [N].

    Gulrajani et al. 2017, eq. 3; the weight is their lambda, 10 (.1 for points in the plane).
    ``one_sided`` is max(0, ||...|| - 1)^2 (their section 4; Petzka et al. 2018), which lets a critic be
    flat. Real and fake of a pair must be of the same class.
    """
    return _from_one(squared_slope(critic, _between(reals, fakes)), one_sided)


def zero_centred(critic: Critic, reals: Tensor, fakes: Tensor) -> Tensor:
    """||grad critic(x)||^2 at one x between each real and its fake: [N].

    0-GP of Thanh-Tung et al. 2019; the weight is their lambda, 10, without a half.
    """
    return squared_slope(critic, _between(reals, fakes))


def dragan(critic: Critic, reals: Tensor, *, spread: float = 0.5) -> Tensor:
    """(||grad critic(x)|| - 1)^2 at x = real + noise: [N]; Kodali et al. 2017 (DRAGAN).

    The weight is their lambda, 10. Noise: ``spread`` times the standard deviation of the whole batch,
    times U(0, 1) per image, times U(-1, 1) per value. The original draws the last from U(0, 1), which
    makes every picture brighter; here it is centred.
    """
    reals = _full(reals)
    length = random.uniform(*_per_image(reals), like=reals)
    direction = random.uniform(*reals.shape, like=reals) * 2 - 1
    noise = spread * _deviation(reals) * length * direction
    return _from_one(squared_slope(critic, reals + noise), one_sided=False)


def _from_one(squared: Tensor, one_sided: bool) -> Tensor:
    above = (squared + TINY).sqrt() - 1
    return (F.relu(above) if one_sided else above).square()


def _between(reals: Tensor, fakes: Tensor) -> Tensor:
    """A random point between each real and its fake: one draw a pair, not one a pixel."""
    reals, fakes = _full(reals), _full(fakes)
    return fakes.lerp(reals, random.uniform(*_per_image(reals), like=reals))


def _deviation(images: Tensor) -> Tensor:
    """Standard deviation of all values in the batch of all processes: a scalar."""
    moments = torch.stack([images.mean(), images.square().mean()])
    mesh.average([moments])
    return (moments[1] - moments[0].square()).clamp(min=0).sqrt()


def _full(images: Tensor) -> Tensor:
    """The images, cut off from what made them, in float32 or better."""
    return images.detach().to(torch.promote_types(images.dtype, torch.float32))


def _per_image(images: Tensor) -> tuple[int, ...]:
    return (len(images), *(1 for _ in images.shape[1:]))  # [N, 1, 1, 1]
