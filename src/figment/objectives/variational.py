"""What an autoencoder with random codes minimises: minus the evidence lower bound, in two terms.

Kingma & Welling 2014, arXiv:1312.6114. Both are sums over what they compare, one value a picture: a
mean over pixels beside a sum over codes would be a weight of thousands on the divergence.
"""

from __future__ import annotations

from torch import Tensor


def squared_error(images: Tensor, decoded: Tensor) -> Tensor:
    """||x - y||^2 of each picture, summed over all its values: [N].

    Minus the log-likelihood under a normal distribution around y of variance 1/2, up to a constant.
    """
    return (decoded - images).square().flatten(1).sum(1)


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) || N(0, 1)) of codes [N, L], in nats: [N]; appendix B.

    (mean^2 + variance - 1 - log variance) / 2, summed: .5 a number at mean 1 and variance 1, .359141 at
    mean 0 and variance e.
    """
    return (mean.square() + log_variance.exp() - 1 - log_variance).sum(1) / 2
