"""Reference and virtual batch norm: statistics of a batch chosen once and kept (Salimans et al. 2016).

The protocol is the batch itself: its first R rows are the reference, and everything between the norms
treats each row alone. ``Referenced`` keeps the reference, puts it before what it is given, runs the
network once, and drops the reference's rows of the result. There is nothing to set, to remember or to
clear between two calls, so copies, checkpoints, penalties and exports work as with any other network:

    norm = partial(VirtualBatchNorm, references=64)
    generator = Referenced(Generator(..., norm=norm), torch.randn(64, latent))
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from figment import mesh
from figment.errors import UserError


class Referenced(nn.Module):
    """A network that sees a fixed reference batch in front of every batch.

    ``reference`` has as many tensors as the network has inputs, R rows each; the reference is part of
    the state. Calls cost R further rows; gradients flow through the reference's pass too. Where it
    cannot be known yet, as the reals are not when a discriminator is built, give zeros of its shape
    and call ``choose`` before the first move.
    """

    chosen: Tensor

    def __init__(self, network: nn.Module, *reference: Tensor) -> None:
        super().__init__()
        self.network = network
        self.inputs = len(reference)
        for number, tensor in enumerate(reference):
            self.register_buffer(f"reference{number}", tensor.detach().clone())
        self.register_buffer("chosen", torch.zeros((), dtype=torch.bool))

    @property
    def reference(self) -> list[Tensor]:
        """The reference batch, one tensor per input."""
        return [self.get_buffer(f"reference{number}") for number in range(self.inputs)]

    def forward(self, *inputs: Tensor) -> Tensor:
        reference = self.reference
        joined = [
            torch.cat([kept.to(x.dtype), x]) for kept, x in zip(reference, inputs, strict=True)
        ]
        return self.network(*joined)[len(reference[0]) :]

    @torch.no_grad()
    def choose(self, *batch: Tensor) -> None:
        """Take the first R rows of ``batch`` as the reference, unless ``choose`` has done so before.

        Of several processes' batches it is the first rows of them all, so that all agree. Raises
        UserError where the batch has fewer.
        """
        if self.chosen:
            return
        for kept, x in zip(self.reference, batch, strict=True):
            whole = mesh.gather(x)
            if len(whole) < len(kept):
                raise UserError(
                    f"a reference batch of {len(kept)} cannot be taken from a batch of {len(whole)}: "
                    f"set --batch {len(kept)} or more"
                )
            kept.copy_(whole[: len(kept)])
        self.chosen.fill_(True)


class ReferenceBatchNorm(nn.Module):
    """[R + N, C, ...] -> the same shape, normalised by the first R rows alone.

    Salimans et al. 2016, section 3.5, on the way to the virtual one below. Mean and variance (divided by
    their number) of each channel over the reference's rows and positions. Gains start from N(1, .02),
    as DCGAN's.
    """

    def __init__(self, channels: int, *, references: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.references, self.eps = references, eps
        self.weight = nn.Parameter(1 + 0.02 * torch.randn(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[0] < self.references:  # len() would fix the batch of an export
            raise ValueError(f"{x.shape[0]} rows do not begin with {self.references} references")
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        mean, variance = self.moments(wide.flatten(2) if x.ndim > 2 else wide[:, :, None])
        scale = self.weight * (variance + self.eps).rsqrt()
        each = (*scale.shape, *[1] * (x.ndim - 2))  # [rows, C, 1, 1], rows R + N or 1
        y = (wide - mean.view(each)) * scale.view(each)
        return (y + self.bias.view(each[1:])).to(x.dtype)

    def moments(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and variance for rows [R + N, C, P], P positions: [R + N, C], or [1, C] for all."""
        reference = x[: self.references]
        mean, variance = reference.mean((0, 2)), reference.var((0, 2), correction=0)
        return mean[None], variance[None]

    def extra_repr(self) -> str:
        return f"{len(self.weight)}, references={self.references}, eps={self.eps}"


class VirtualBatchNorm(ReferenceBatchNorm):
    """[R + N, C, ...] -> the same shape, each row normalised by the reference and itself.

    Salimans et al. 2016, section 3.5. Row x counts as one among R + 1: means and means of squares are
    mixed with the weight w = 1 / (R + 1), which makes the variance
    w·var(x) + (1 - w)·var(R) + w·(1 - w)·(mean(x) - mean(R))². The reference itself is normalised by its
    own statistics, so no row depends on another that is not of the reference.
    """

    def moments(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, variance = super().moments(x)
        r, rows = self.references, x[self.references :]
        w = 1 / (r + 1)
        own = rows.mean(2)  # [N, C]
        own_variance = (rows - own[:, :, None]).square().mean(2)
        mixed = w * own + (1 - w) * mean
        spread = w * own_variance + (1 - w) * variance + w * (1 - w) * (own - mean) ** 2
        return (
            torch.cat([mean.expand(r, -1), mixed]),  # [R + N, C]
            torch.cat([variance.expand(r, -1), spread]),
        )
