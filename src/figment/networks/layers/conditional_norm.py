"""Class-conditional batch norm: each class has a gain and a bias of its own."""

from __future__ import annotations

from torch import Tensor, nn

from figment.networks.layers.wrapping import Wrap, identity


class ConditionalBatchNorm(nn.Module):
    """Maps [N, C, H, W] and a condition [N, ...] -> (1 + g(condition)) · BN(x) + b(condition).

    ``gain`` g and ``shift`` b map a condition to [N, C]; BN has no gain and bias of its own. See
    ``by_class`` and ``by_embedding``. Dumoulin et al. 2017, de Vries et al. 2017; "1 +" is Brock et
    al. 2019: with g = b = 0 it is plain batch norm.
    """

    def __init__(self, channels: int, gain: nn.Module, shift: nn.Module) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.gain, self.shift = gain, shift

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        gain, shift = 1 + _of(self.gain, condition), _of(self.shift, condition)  # [N, C]
        return self.norm(x) * gain[:, :, None, None] + shift[:, :, None, None]


class SharedEmbedding(nn.Embedding):
    """One-hot classes [N, K], or mixtures of them -> what all conditional norms are told of them [N, E].

    Brock et al. 2019, appendix B. Spectral norm spares it, as in their code.
    """

    def forward(self, input: Tensor) -> Tensor:
        return input.to(self.weight.dtype) @ self.weight


def _of(rows: nn.Module, condition: Tensor) -> Tensor:
    """The rows of a condition [N, C], mixed where it is a mixture of classes."""
    if isinstance(rows, nn.Embedding) and condition.is_floating_point():
        return condition.to(rows.weight.dtype) @ rows.weight
    return rows(condition)


def by_class(channels: int, classes: int, *, wrap: Wrap = identity) -> ConditionalBatchNorm:
    """Return the norm whose condition is a label [N]: a row of gains and one of shifts per class.

    A mixture of classes [N, K], floats that sum to 1, has the mixture of their rows.
    """
    gain, shift = nn.Embedding(classes, channels), nn.Embedding(classes, channels)
    nn.init.zeros_(gain.weight)
    nn.init.zeros_(shift.weight)
    return ConditionalBatchNorm(channels, wrap(gain), wrap(shift))


def by_embedding(channels: int, size: int, *, wrap: Wrap = identity) -> ConditionalBatchNorm:
    """Return the norm whose condition is a vector [N, ``size``]: a shared embedding, a part of z.

    Gains and shifts are linear in it, without bias (Brock et al. 2019, appendix B), from N(0, .02): zero
    weights would cut the embedding off from its gradient.
    """
    gain, shift = (nn.Linear(size, channels, bias=False) for _ in range(2))
    nn.init.normal_(gain.weight, 0.0, 0.02)
    nn.init.normal_(shift.weight, 0.0, 0.02)
    return ConditionalBatchNorm(channels, wrap(gain), wrap(shift))
