"""Historical averaging: a player should not run far from the mean of where it has been."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class HistoricalMean(nn.Module):
    """||theta - mean of past theta||^2: a scalar, summed over a player's parameters.

    Salimans et al. 2016, section 3.3, where the weight is 1; in larger networks 1e-3 upwards. The mean
    runs over the parameters that ``follow`` has seen and is not differentiated, so the gradient is
    2 (theta - mean). Running statistics and other buffers do not take part. With ``include_current``
    the mean takes in the theta that is being judged, as the paper writes it; that damps the penalty
    while the history is short.
    """

    count: Tensor

    def __init__(self, net: nn.Module, *, include_current: bool = False) -> None:
        super().__init__()
        self.include_current = include_current
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))
        for number, weight in enumerate(net.parameters()):
            self.register_buffer(f"mean_{number}", weight.detach().clone())

    def forward(self, net: nn.Module) -> Tensor:
        weights = list(net.parameters())
        means = self._means()
        if self.include_current:
            here = zip(means, weights, strict=True)
            means = [m + (w.detach() - m) / (self.count + 1) for m, w in here]
        pairs = zip(weights, means, strict=True)
        distance = torch.stack([(w - m).square().sum() for w, m in pairs]).sum()
        begun = self.count > 0  # before it, what is kept are weights that were not fitted yet
        return distance * begun

    @torch.no_grad()
    def follow(self, net: nn.Module) -> None:
        """Add the parameters of ``net`` to the history: once a move, after the penalty is taken."""
        self.count += 1
        for mean, weight in zip(self._means(), net.parameters(), strict=True):
            mean += (weight - mean) / self.count

    def _means(self) -> list[Tensor]:
        return [buffer for name, buffer in self.named_buffers() if name != "count"]
