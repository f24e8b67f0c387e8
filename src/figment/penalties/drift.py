"""Drift: keeps a critic's logits, which a Wasserstein loss leaves free, near 0."""

from __future__ import annotations

from torch import Tensor


def drift(real: Tensor) -> Tensor:
    """logit(real)^2: [N]; Karras et al. 2018, appendix A.1. The weight is their epsilon, .001."""
    return real.square()
