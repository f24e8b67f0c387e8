"""Experience replay: the discriminator goes on seeing fakes of earlier generators."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from figment import mesh
from figment.errors import UserError
from figment.pixels import to_float, to_uint8


class Replay(nn.Module):
    """A store of ``capacity`` earlier fakes and their labels: Shrivastava et al. 2017, section 2.3.

    ``shape`` is that of one example. Pictures in [-1, 1] are kept as uint8 (the default ``dtype``), points
    as float32. Everything is a buffer, so a checkpoint resumes exactly: capacity · C · H · W bytes of it.
    """

    examples: Tensor
    labels: Tensor
    filled: Tensor

    def __init__(
        self, capacity: int, shape: tuple[int, ...], dtype: torch.dtype = torch.uint8
    ) -> None:
        super().__init__()
        self.register_buffer("examples", torch.zeros(capacity, *shape, dtype=dtype))
        self.register_buffer("labels", torch.zeros(capacity, dtype=torch.int64))
        self.register_buffer("filled", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def mix(self, fakes: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return a batch whose second half, b // 2 rows, is from the store, with its labels.

        ``fakes`` [b, ...] and ``labels`` [b] are the current batch. Until the store is full it comes back
        unchanged and fills the store. After that, b // 2 random places of the store, drawn apart from
        those that were shown, are overwritten by the half that made room. For the discriminator's move
        only: nothing here carries a gradient. Randomness is torch's global stream; several
        processes share one store of all their fakes. Raises UserError where half a batch exceeds the store.
        """
        current, classes = mesh.gather(self._kept(fakes)), mesh.gather(labels)
        capacity, half = len(self.examples), len(current) // 2
        if half > capacity:
            raise UserError(f"replay of {capacity} is less than half a batch: use {half} or more")
        filled = int(self.filled)
        if filled < capacity:
            self._fill(current, classes, filled)
            return fakes.detach(), labels
        shown, replaced = (self._places(half) for _ in range(2))
        start = len(current) - half
        old, old_labels = self.examples[shown], self.labels[shown]
        self.examples[replaced], self.labels[replaced] = current[start:], classes[start:]
        mine = mesh.rows(len(current))
        from_store = torch.arange(len(current), device=fakes.device)[mine] >= start  # [N]
        slots = torch.arange(len(current), device=fakes.device)[mine][from_store] - start
        mixed, mixed_labels = fakes.detach().clone(), labels.clone()
        mixed[from_store] = self._shown(old[slots]).to(fakes.dtype)
        mixed_labels[from_store] = old_labels[slots]
        return mixed, mixed_labels

    def _fill(self, current: Tensor, classes: Tensor, filled: int) -> None:
        end = min(len(self.examples), filled + len(current))
        self.examples[filled:end] = current[: end - filled]
        self.labels[filled:end] = classes[: end - filled]
        self.filled.fill_(end)

    def _places(self, count: int) -> Tensor:
        """Distinct random places, drawn on the CPU: the same ones on every device and process."""
        return torch.randperm(len(self.examples))[:count].to(self.examples.device)

    def _kept(self, fakes: Tensor) -> Tensor:
        if self.examples.dtype != torch.uint8:
            return fakes.to(self.examples.dtype)
        return to_uint8(fakes)

    def _shown(self, kept: Tensor) -> Tensor:
        return to_float(kept) if kept.dtype == torch.uint8 else kept
