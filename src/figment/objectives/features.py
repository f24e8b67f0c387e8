"""Feature matching: fakes whose mean features are those of reals (Salimans et al. 2016, section 3.1)."""

from __future__ import annotations

from torch import Tensor

from figment import mesh


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
