"""Top-k training: the generator learns only from the fakes that the discriminator likes best."""

from __future__ import annotations

import torch
from torch import Tensor

from figment import mesh


def top_k(fake: Tensor, share: float) -> Tensor:
    """Return weights [N] for the generator's losses: 0 for all but the best fakes, mean 1.

    The best k = floor(share x batch), at least 1, by their logits [N], among the fakes of all processes;
    each weighs batch / k, so that the mean of weight x loss is the mean over those k. Sinha et al.
    2020. Not for the discriminator's losses.
    """
    everyone = mesh.gather(fake.detach())
    k = max(1, int(share * len(everyone)))
    weights = torch.zeros_like(everyone)
    weights[everyone.topk(k).indices] = len(everyone) / k
    return weights[mesh.rows(len(everyone))]
