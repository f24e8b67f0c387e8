"""Consistency: a discriminator's logit should not change with what does not matter.

The logits compared are those before any loss. The first are handed in, since the adversarial loss has
computed them already. Batch norm: see ``hold_statistics``.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from figment import randomness_per_image as random
from figment.penalties.gradients import Critic


def consistency(critic: Critic, images: Tensor, logits: Tensor, *, shift: int = 4) -> Tensor:
    """(critic(image) - critic(image, flipped and shifted))^2: [N], of images [N, C, H, W].

    ``logits`` are critic(image); both sides learn. On reals this is CR (Zhang et al. 2020), on reals
    and on fakes, one term each, bCR (Zhao et al. 2020, algorithm 1). The weight is their lambda,
    10 for each.
    """
    return (logits - critic(flip_and_shift(images, shift=shift))).square()


def flip_and_shift(images: Tensor, *, shift: int = 4) -> Tensor:
    """Return images [N, C, H, W], half of them mirrored, each moved by up to ``shift`` pixels a side.

    Whole pixels, so that nothing is blurred; what comes in over the border is reflected. ``shift``
    must be less than H and W.
    """
    n, _, h, w = images.shape
    like = images.new_empty((), dtype=torch.float32)
    flip, down, right = random.uniform(n, 3, like=like).unbind(1)
    columns = torch.arange(w, device=images.device).expand(n, w)  # [N, W]
    columns = torch.where(flip[:, None] < 0.5, columns.flip(1), columns)
    columns = columns + _offset(right, shift)
    rows = torch.arange(h, device=images.device) + _offset(down, shift)  # [N, H]
    padded = F.pad(images, (shift,) * 4, mode="reflect")  # [N, C, H + 2s, W + 2s]
    each = torch.arange(n, device=images.device)[:, None, None]
    moved = padded.permute(0, 2, 3, 1)[each, rows[:, :, None], columns[:, None, :]]  # [N, H, W, C]
    return moved.permute(0, 3, 1, 2)


def nudge(latents: Tensor, *, spread: float = 0.03) -> Tensor:
    """Return latents [N, L] plus N(0, ``spread``^2): the neighbours of zCR (Zhao et al. 2020)."""
    return latents + spread * random.normal(*latents.shape, like=latents)


def latent_consistency(logits: Tensor, nudged: Tensor) -> Tensor:
    """(critic(G(z)) - critic(G(z + d)))^2: [N], from these logits: the discriminator's half of zCR.

    Zhao et al. 2020, algorithm 2; the weight is their lambda_dis, 5. Both halves belong together.
    """
    return (logits - nudged).square()


def latent_diversity(fakes: Tensor, nudged: Tensor) -> Tensor:
    """Minus the mean square of G(z) - G(z + d): [N], the generator's half of zCR, to be minimised.

    Zhao et al. 2020, algorithm 2; the weight is their lambda_gen, .5. They write the sum over pixels;
    the mean, as implementations take it, does not depend on the resolution. Without a floor: with too
    large a weight, or without the discriminator's half, the generator runs away.
    """
    return -(fakes.float() - nudged.float()).square().flatten(1).mean(1)


def _offset(share: Tensor, shift: int) -> Tensor:
    """A share in [0, 1) as a whole number of pixels from 0 to 2 ``shift``: [N, 1]."""
    return (share * (2 * shift + 1)).long().clamp(max=2 * shift)[:, None]
