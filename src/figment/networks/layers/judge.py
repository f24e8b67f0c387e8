"""What discriminators share: features of an image, and a head that judges them."""

from __future__ import annotations

from torch import Tensor, nn

from figment.networks.layers.dropout import Dropout


class Judge(nn.Module):
    """Images, and labels [N] where the head is conditional -> logits [N].

    Its parts are there for whoever needs what lies between: feature matching takes the features, an
    auxiliary classifier reads them, the head may be another one (see ``layers.head``).
    """

    dropout: Dropout
    head: nn.Module

    def features(self, x: Tensor) -> Tensor:
        """Return the last hidden layer [N, F] before its dropout."""
        raise NotImplementedError

    def verdict(self, features: Tensor, *condition: Tensor) -> Tensor:
        """Return the logits [N] of features [N, F]."""
        return self.head(self.dropout(features), *condition).flatten()

    def forward(self, x: Tensor, *condition: Tensor) -> Tensor:
        return self.verdict(self.features(x), *condition)
