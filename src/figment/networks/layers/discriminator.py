"""What discriminators share: features of an image, and a head that makes logits of them."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor, nn

from figment.networks.layers.dropout import Dropout


class FeatureDiscriminator(nn.Module):
    """Images, and labels [N] where the head is conditional -> logits [N], or [N, P] of P patches.

    Its two halves can be called apart: feature matching takes the features, an auxiliary classifier reads
    them, the head may be another one (see ``layers.head``).
    """

    dropout: Dropout
    head: nn.Module

    def from_picture(self) -> Iterable[nn.Module]:
        """Return its parts in the order in which a picture goes through them."""
        return self.children()

    def features(self, x: Tensor) -> Tensor:
        """Return the last hidden layer [N, F] before its dropout."""
        raise NotImplementedError

    def verdict(self, features: Tensor, *condition: Tensor) -> Tensor:
        """Return the logits of features [N, F]: [N], or [N, P] where the head judges P patches."""
        logits = self.head(self.dropout(features), *condition)
        return logits.flatten() if logits[0].numel() == 1 else logits

    def forward(self, x: Tensor, *condition: Tensor) -> Tensor:
        return self.verdict(self.features(x), *condition)
