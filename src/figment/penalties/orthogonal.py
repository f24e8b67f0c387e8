"""Orthogonal regularisation: the filters of a layer should point different ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import ParametrizationList

from figment.networks.layers.minibatch_discrimination import MinibatchDiscrimination

INPUTS = ("basis", "constant")
"""Maps that a generator learns to begin with: no filters."""


def orthogonal(net: nn.Module) -> Tensor:
    """Sum over layers of ||W W^T - I||^2, W [outputs, inputs]: a scalar; Brock et al. 2016.

    Filters at right angles to each other and of length 1. The weight is their beta, 1e-4.
    """
    return _total(net, _with_lengths)


def off_diagonal(net: nn.Module) -> Tensor:
    """Sum over layers of ||W W^T - diagonal||^2, W [outputs, inputs]: a scalar.

    Filters at right angles to each other, of any length; Brock et al. 2019 (BigGAN), eq. 3. The weight
    is their beta, 1e-4. The gradient is 4 (W W^T - diagonal) W; their code adds half of it, so
    its strength 1e-4 is a beta of 5e-5.
    """
    return _total(net, _without_lengths)


def _total(net: nn.Module, of: Callable[[Tensor], Tensor]) -> Tensor:
    device = next(net.parameters()).device
    with torch.autocast(device.type, enabled=False):
        values = [of(matrix @ matrix.mT) for matrix in _matrices(net)]
        return torch.stack(values).sum() if values else torch.zeros((), device=device)


def _with_lengths(products: Tensor) -> Tensor:
    return (products - torch.eye(len(products), device=products.device)).square().sum()


def _without_lengths(products: Tensor) -> Tensor:
    return (products - products.diag().diag()).square().sum()


def _matrices(net: nn.Module) -> Iterator[Tensor]:
    """The weights of two or more dimensions as [outputs, inputs].

    Embeddings (rows are classes) and the kernels of minibatch discrimination (which are for distances) are
    no filters and left out, and so are INPUTS and the gains that weight norm keeps beside its directions.
    Behind a parametrization it is the parameter itself that counts.
    """
    for module in net.modules():
        if isinstance(module, nn.Embedding | MinibatchDiscrimination | ParametrizationList):
            continue
        behind = getattr(module, "parametrizations", None)
        owners = [module, *(behind.values() if behind is not None else ())]
        turned = isinstance(module, nn.modules.conv._ConvTransposeNd)  # [inputs, outputs, ...]
        named = [pair for owner in owners for pair in owner.named_parameters(recurse=False)]
        for weight in (weight for name, weight in named if name not in INPUTS):
            matrix = weight.transpose(0, 1) if turned and weight.ndim > 1 else weight
            if matrix.ndim > 1 and matrix[0].numel() > 1:
                yield matrix.flatten(1)
