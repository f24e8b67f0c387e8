"""Losses on classes and on features: semi-supervised GANs and feature matching (Salimans et al. 2016).

Pure functions, one value per image [N] where a loss is a mean over images; to be minimised. Class logits
[N, K] are those of the K real classes; the logit of "fake" is fixed at 0, so a picture's logit of being
real is their log-sum-exp, the `real` and `fake` [N] of these functions.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from figment import mesh


def supervised(classes: Tensor, labels: Tensor) -> Tensor:
    """-log p(label | image, real): [N], of class logits [N, K] and classes [N]; section 5."""
    return F.cross_entropy(classes.float(), labels, reduction="none")


def unsupervised_real(real: Tensor) -> Tensor:
    """-log p(real | image): [N], of logits [N]; section 5. .095310 for ten class logits of 0."""
    return F.softplus(-real)


def unsupervised_fake(fake: Tensor) -> Tensor:
    """-log p(fake | image): [N], of logits [N]; section 5. 2.397895 for ten class logits of 0."""
    return F.softplus(fake)


def unsupervised(real: Tensor, fake: Tensor) -> Tensor:
    """The discriminator's loss on unlabelled images: [N]; half of each term, as in the authors' code."""
    return (unsupervised_real(real) + unsupervised_fake(fake)) / 2


def feature_matching(real: Tensor, fake: Tensor) -> Tensor:
    """Mean over features of the squared difference of the batches' means: a scalar, 0 for equal batches.

    `real` and `fake` are features [N, F]; only `fake` is given a gradient, 2 (mean fake - mean real) /
    (N F). Salimans et al. 2016, section 3.1; the paper writes the sum over features, their MNIST code
    the mean, which leaves the learning rate's meaning alone when layers differ in width.
    """
    return _difference(real, fake).square().mean()


def absolute_feature_matching(real: Tensor, fake: Tensor) -> Tensor:
    """As `feature_matching`, of absolute differences: a scalar; the authors' CIFAR-10 and SVHN code."""
    return _difference(real, fake).abs().mean()


def _difference(real: Tensor, fake: Tensor) -> Tensor:
    """Mean fake - mean real [F], over the batches of all processes."""
    return _mean(fake.float()) - _mean(real.float()).detach()


def _mean(features: Tensor) -> Tensor:
    """Mean [F] over all processes' rows [N, F].

    Its gradient reaches this process's rows as if it were their mean alone: averaged over the
    processes, as gradients are, that is the gradient of the whole mean.
    """
    own = features.mean(0)
    everyones = own.detach().clone()
    mesh.average([everyones])
    return own + (everyones - own.detach())
