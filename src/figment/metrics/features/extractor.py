"""Extractor: one contract for every feature network, and the loop that runs many pictures through it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from figment.progress import progress_bar

Pictures = Tensor | np.ndarray  # uint8 [N, C, H, W], C 1 or 3


class Features(NamedTuple):
    """What a network made of a set of pictures, float32 on the CPU."""

    values: Tensor
    """[N, D]"""
    logits: Tensor | None
    """[N, K] where the network has a classifier."""


@dataclass(frozen=True)
class Extractor:
    """A feature network with its resizing: ``extractor(images)`` returns Features."""

    name: str
    """As given, ``mobilenet`` or ``file:encoder.onnx``."""
    protocol: str
    """Network, side in px, filter: features compare only where this is equal."""
    width: int
    """D, the numbers per picture."""
    has_logits: bool
    network: Callable[[Tensor], tuple[Tensor, Tensor | None]]
    """What ``resize`` made, with 3 channels -> features [N, D], logits [N, K]."""
    resize: Callable[[Tensor], Tensor]
    """uint8 [N, C, H, W] -> the pictures as the network wants them, float32 in 0..255 for most."""
    batch: int
    """Pictures at a time at which the network is fastest, measured on a CPU."""
    device: torch.device

    def __call__(self, images: Pictures) -> Features:
        """Return the features of uint8 pictures [N, C, H, W], all in one pass of the network.

        Grey is repeated to three channels. Raises ValueError for another shape or number type.
        """
        return self.run(self.prepare(images))

    @torch.inference_mode()
    def prepare(self, images: Pictures) -> Tensor:
        """Return pictures resized and on the device [N, 3, H', W'], ready for ``run``."""
        if not isinstance(images, Tensor):
            images = torch.from_numpy(np.array(images))  # a copy: rows of a pack are read-only
        if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3):
            shape = list(images.shape)
            raise ValueError(f"pictures are uint8 [N, 1 or 3, H, W], not {images.dtype} {shape}")
        resized = self.resize(images.to(self.device, non_blocking=True)).expand(-1, 3, -1, -1)
        return resized.contiguous(memory_format=torch.channels_last)

    def run(self, prepared: Tensor) -> Features:
        """Return the features of pictures that ``prepare`` has made."""
        with torch.inference_mode():
            values, logits = self.network(prepared)
        return Features(_plain(values), None if logits is None else _plain(logits))


def extract(
    extractor: Extractor,
    batches: Iterable[Pictures],
    *,
    total: int | None = None,
    progress: bool = False,
) -> Features:
    """Return the features of all pictures, in their order; only a few batches are held at a time.

    ``batches`` are uint8 [N, C, H, W], of any and changing N, H and W. The next ones are fetched (and so
    decoded or generated) and resized in a thread while the network runs on a GPU. On a CPU that is done
    in turn: two teams of threads on the same cores halved the speed of MobileNet (295 against 431
    images/s on 2 cores). ``total`` pictures is for the bar that ``progress`` shows on stderr.
    """
    values, logits = [torch.empty(0, extractor.width)], []
    named = f"features for scores ({extractor.name.partition(':')[0]})"
    bar = progress_bar(total=total, desc=named, unit=" img", shown=progress, leave=False)
    with bar, ThreadPoolExecutor(1) as background:
        ready = _merged(_prepared(extractor, batches), extractor.batch)
        on_gpu = extractor.device.type != "cpu"
        for batch in _ahead(ready, background) if on_gpu else ready:
            part = extractor.run(batch)
            values.append(part.values)
            if part.logits is not None:
                logits.append(part.logits)
            bar.update(len(batch))
    return Features(torch.cat(values), torch.cat(logits) if logits else None)


def place(network: nn.Module, device: torch.device, dtype: torch.dtype) -> nn.Module:
    """Return the network ready to run: on the device, in the number format, its weights frozen."""
    network = network.eval().requires_grad_(False).to(device, dtype)
    return network.to(memory_format=torch.channels_last)  # ty: ignore[no-matching-overload]


def fitting(device: torch.device, on_cpu: int) -> int:
    """Return the pictures at a time: few on a CPU, whose caches are small, many on a GPU."""
    return on_cpu if device.type == "cpu" else 128


def protocol(*parts: str, dtype: torch.dtype = torch.float32) -> str:
    """Return the sentence of a protocol; parts that are "" are left out, float32 is not mentioned."""
    precision = "" if dtype == torch.float32 else str(dtype).removeprefix("torch.")
    return ", ".join(part for part in (*parts, precision) if part)


def _plain(values: Tensor) -> Tensor:
    """A float32 copy on the CPU that may be used in a training, unlike what inference mode made."""
    return values.to("cpu", torch.float32, copy=True)


def _prepared(extractor: Extractor, batches: Iterable[Pictures]) -> Iterator[Tensor]:
    """The batches, no more than the network's own at a time, as the network wants them."""
    for images in batches:
        for start in range(0, len(images), extractor.batch):
            yield extractor.prepare(images[start : start + extractor.batch])


def _merged(batches: Iterable[Tensor], size: int) -> Iterator[Tensor]:
    """Neighbours of one shape joined while they are no more than ``size`` together."""
    held: list[Tensor] = []
    for batch in batches:
        same = not held or held[0].shape[1:] == batch.shape[1:]
        if held and (not same or sum(map(len, held)) + len(batch) > size):
            yield torch.cat(held)
            held = []
        held.append(batch)
    if held:
        yield torch.cat(held)


def _ahead(batches: Iterator[Tensor], background: ThreadPoolExecutor) -> Iterator[Tensor]:
    """The batches, the next one made in the background while the caller works on this one."""

    def following() -> Tensor | None:
        return next(batches, None)

    coming = background.submit(following)
    while (batch := coming.result()) is not None:
        coming = background.submit(following)
        yield batch
