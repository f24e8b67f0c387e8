"""Initial weights, as rules for ``network.apply``: linear layers and convolutions, their biases 0.

Other modules, such as norms, are left alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

Initialise = Callable[[nn.Module], None]


def normal(std: float) -> Initialise:
    """Return the rule for weights from N(0, std²)."""
    return _rule(partial(nn.init.normal_, mean=0.0, std=std))


def uniform(bound: float) -> Initialise:
    """Return the rule for weights uniform in ±bound."""
    return _rule(partial(nn.init.uniform_, a=-bound, b=bound))


def orthogonal(gain: float) -> Initialise:
    """Return the rule for orthogonal weights times `gain` (Saxe et al. 2014)."""
    return _rule(partial(nn.init.orthogonal_, gain=gain))


def _rule(fill: Callable[[Tensor], object]) -> Initialise:
    def initialise(module: nn.Module) -> None:
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            fill(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)

    return initialise


glorot = _rule(nn.init.xavier_uniform_)
"""Uniform with variance 2 / (fan in + fan out): Glorot & Bengio 2010, eq. 16; Keras's default."""
he = _rule(partial(nn.init.kaiming_uniform_, nonlinearity="relu"))
"""Uniform with variance 2 / fan in: He et al. 2015, eq. 10."""
