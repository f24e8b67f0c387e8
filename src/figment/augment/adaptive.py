"""The probability of ADA, which follows how far the discriminator overfits."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from figment import mesh


class AdaptiveProbability(nn.Module):
    """p of ``ada``, raised while r_t = E[sign D(real)] is above ``target``, lowered while it is below.

    Karras et al. 2020, section 3, eq. 1. After every ``every`` batches p moves by their images over
    ``images``: it takes ``images`` from 0 to 1 (500,000; 100,000 where networks are fine-tuned), in steps
    of 5.12e-4 for batches of 64. It is held in [0, 1]. All of it is buffers: a checkpoint resumes exactly.
    """

    p: Tensor
    signs: Tensor
    seen: Tensor
    batches: Tensor

    def __init__(
        self, *, start: float = 0, target: float = 0.6, every: int = 4, images: int = 500_000
    ) -> None:
        super().__init__()
        self.target = target
        self.every = every
        self.images = images
        self.register_buffer("p", torch.tensor(float(start)))
        self.register_buffer("signs", torch.zeros(()))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))
        self.register_buffer("batches", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def follow(self, margins: Tensor, images: int) -> None:
        """Take note of one batch of reals, augmented: of logits minus the objective's boundary [n].

        ``images`` is how many they were on this process (packed, they are more than logits). Called
        once a move of the discriminator; p is that of all processes, and no device is waited for.
        """
        mean = margins.sign().float().mean()
        mesh.average([mean])
        self.signs += mean
        self.seen += images * mesh.size()
        self.batches += 1
        due = self.batches == self.every
        step = (self.signs / self.every - self.target).sign() * self.seen / self.images
        self.p.add_(step * due).clamp_(0, 1)
        for counter in (self.signs, self.seen, self.batches):
            counter.mul_(~due)

    def extra_repr(self) -> str:
        return f"target={self.target}, every={self.every}, images={self.images}"
