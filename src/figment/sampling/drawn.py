"""Samples as PNGs, by several threads and processes, in bytes that do not depend on how many there are.

Rounding depends on the batch a picture is drawn in and on how many threads share one product (on a CPU 3
threads gave other bytes than 1). So batches are cut from the row of seeds that was asked for, each is drawn
by one thread, and threads take a batch each.
"""

from __future__ import annotations

from collections import abc, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

import torch

from figment.sampling.generator import CPU, Generator
from figment.sampling.pictures import png, to_image

BATCH = 64


class Sample(NamedTuple):
    """A picture of a seed."""

    seed: int
    label: str | None
    """The name of its class, None for a generator without classes."""
    png: bytes


class Row(NamedTuple):
    """The pictures that a command asks for: those of a row of seeds, of one class or of all."""

    seeds: range
    label: str | None = None
    truncation: float | None = None

    def part(self, parts: int, number: int) -> range:
        """Return the seeds of one of so many parts: whole batches, if there are enough of them."""
        first, last = (_edge(len(self.seeds), parts, at) for at in (number, number + 1))
        return self.seeds[first:last]


def drawn(generator: Generator, row: Row, own: range) -> Iterator[Sample]:
    """Yield the samples of those seeds of a row, in their order.

    On a CPU as many batches are drawn at once as torch has threads, so memory is that of a few batches.
    """
    offset = own.start - row.seeds.start
    starts = range(row.seeds.start + offset - offset % BATCH, own.stop, BATCH)

    def batch(start: int) -> list[Sample]:
        seeds = range(start, min(start + BATCH, row.seeds.stop))
        how = {"label": row.label, "truncation": row.truncation, "batch": BATCH}
        (pictures,) = generator.batches(seeds, **how)
        samples = zip(seeds, _names(generator, seeds, row.label), pictures.numpy(), strict=True)
        return [
            Sample(seed, label, png(to_image(pixels)))
            for seed, label, pixels in samples
            if seed in own
        ]

    on_cpu = next(generator.net.parameters()).device.type == "cpu"
    with _one_thread_each() as threads:
        for samples in _ahead(batch, starts, threads if on_cpu else 1):
            yield from samples


def _edge(count: int, parts: int, number: int) -> int:
    batches = -(-count // BATCH)
    if parts > batches:
        return count * number // parts
    return min(count, batches * number // parts * BATCH)


def _names(generator: Generator, seeds: range, label: str | None) -> list[str | None]:
    """The class of each seed's picture."""
    labels = generator.recipe.labels_for(seeds, CPU) if label is None else None
    if labels is None:
        return [label] * len(seeds)
    return [generator.classes[number] for number in labels.tolist()]


@contextmanager
def _one_thread_each() -> abc.Generator[int]:
    """Keep torch to one thread an operation; gives the number that it had."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield threads
    finally:
        torch.set_num_threads(threads)


def _ahead(
    work: Callable[[int], list[Sample]], items: Iterable[int], threads: int
) -> Iterator[list[Sample]]:
    """Yield what ``work`` makes of the items, in their order, with so many at once in the making."""
    waiting = deque()
    with ThreadPoolExecutor(threads) as pool:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
