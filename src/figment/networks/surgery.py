"""Layers put in the place of a finished network's own: other norms, spectral norm.

Each function changes the network and returns how many layers it changed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal, TypeVar

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from figment.networks.layers.conditional_norm import (
    ConditionalBatchNorm,
    SharedEmbedding,
    by_class,
)
from figment.networks.layers.conditional_sequential import ConditionalSequential
from figment.networks.layers.reference_norm import ReferenceBatchNorm, VirtualBatchNorm
from figment.networks.layers.residual import UpBlock
from figment.networks.layers.spectral_norm import spectral

Layer = TypeVar("Layer", bound=nn.Module)
Weighted = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d, nn.Embedding)


def renormalise(network: nn.Module, kind: Literal["none", "layer", "instance"]) -> int:
    """Give the network no norm, layer norm or instance norm in the place of each batch norm.

    These treat every image by itself, as a penalty on the slope at one image wants it (Gulrajani et al.
    2017, section 4). Gains start at 1, shifts at 0.
    """
    norms: dict[str, Callable[[_BatchNorm], nn.Module]] = {
        "none": lambda norm: nn.Identity(),
        "layer": lambda norm: nn.GroupNorm(1, norm.num_features),
        "instance": lambda norm: nn.InstanceNorm2d(norm.num_features, affine=True),
    }
    return swap(network, _BatchNorm, norms[kind])


def refer(network: nn.Module, references: int, kind: Literal["reference", "virtual"]) -> int:
    """Give the network reference or virtual batch norm in the place of each batch norm.

    It then wants its reference in front of every batch: ``Referenced`` sees to that.
    """
    norm = VirtualBatchNorm if kind == "virtual" else ReferenceBatchNorm
    make = partial(norm, references=references)
    return swap(network, _BatchNorm, lambda old: make(old.num_features, eps=old.eps))


def by_classes(network: nn.Module, classes: int) -> int:
    """Give batch norms of maps gains and shifts by class, where labels reach them.

    Labels reach the norms of a ``ConditionalSequential`` and of a residual ``UpBlock``.
    """
    reached = [m for m in network.modules() if isinstance(m, ConditionalSequential | UpBlock)]
    return sum(
        swap(module, nn.BatchNorm2d, lambda norm: by_class(norm.num_features, classes), deep=False)
        for module in reached
    )


def spectrally(network: nn.Module) -> int:
    """Divide the weights of every linear layer, convolution and embedding by their spectral norm.

    Gains and shifts of conditional norms stay as they are, as in the code of Brock et al. 2019: they start
    at 0, which has no direction. So does an embedding that they share.
    """
    own = ConditionalBatchNorm | SharedEmbedding
    norms = [module for module in network.modules() if isinstance(module, own)]
    spared = {layer for norm in norms for layer in norm.modules()}
    layers = [module for module in network.modules() if isinstance(module, Weighted)]
    layers = [layer for layer in layers if layer not in spared]
    for layer in layers:
        spectral(layer)
    return len(layers)


def swap(
    network: nn.Module,
    kind: type[Layer],
    make: Callable[[Layer], nn.Module],
    *,
    deep: bool = True,
) -> int:
    """Put ``make(layer)`` in the place of each layer of a kind; only of its own, unless ``deep``."""
    places = [
        (parent, name, child)
        for parent in (network.modules() if deep else [network])
        for name, child in parent.named_children()
        if isinstance(child, kind)
    ]
    for parent, name, child in places:
        setattr(parent, name, make(child))
    return len(places)
