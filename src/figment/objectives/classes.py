"""Losses on classes: what a semi-supervised discriminator minimises (Salimans et al. 2016, section 5).

Pure functions, one value per image [N], to be minimised. Class logits [N, K] are those of the K real
classes; the logit of "fake" is fixed at 0, so a picture's logit of being real is their log-sum-exp, the
`real` and `fake` [N] of these functions.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


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
