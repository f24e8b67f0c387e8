"""LeCam: logits must not run away from where those of the other side have been."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from figment import mesh


class LeCamAnchors(nn.Module):
    """max(0, real - a_fake)^2 + max(0, a_real - fake)^2: [N]; Tseng et al. 2021.

    a_real and a_fake, the anchors, are moving averages of the discriminator's mean logits. The maxima
    are those of the authors' code; the paper's formula, (real - a_fake)^2 + (fake - a_real)^2, has
    none, and so also pulls back logits on the wrong side of the anchor. The weight is their lambda, .01
    to .3.
    """

    real: Tensor
    fake: Tensor
    started: Tensor

    def __init__(self, *, decay: float = 0.99) -> None:
        super().__init__()
        self.decay = decay
        self.register_buffer("real", torch.zeros(()))
        self.register_buffer("fake", torch.zeros(()))
        self.register_buffer("started", torch.zeros((), dtype=torch.bool))

    def forward(self, real: Tensor, fake: Tensor) -> Tensor:
        return F.relu(real - self.fake).square() + F.relu(self.real - fake).square()

    @torch.no_grad()
    def follow(self, real: Tensor, fake: Tensor) -> None:
        """Move the anchors towards the mean logits of this batch, of all processes; at first, to them.

        Once a move of the discriminator, before the penalty is taken.
        """
        means = torch.stack([real.mean(), fake.mean()]).float()
        mesh.average([means])
        step = torch.where(self.started, 1 - self.decay, 1.0)
        self.real.lerp_(means[0], step)
        self.fake.lerp_(means[1], step)
        self.started.fill_(True)
