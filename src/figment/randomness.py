"""All randomness is a function of an address: seed, purpose, position.

Nothing in figment draws from a hidden stream, so whatever is drawn can be drawn again: that is what
makes a resumed run equal an undisturbed one, and a seed the address of a picture.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def stream(purpose: str, *address: int) -> np.random.Generator:
    """Return the numpy generator that lives at an address, e.g. ``stream("order", seed, epoch)``.

    ``purpose`` keeps two uses of the same numbers apart. Non-negative integers only.
    """
    return np.random.Generator(np.random.Philox(_sequence(purpose, address)))


def seed_of(purpose: str, *address: int) -> int:
    """Return a 63-bit seed for libraries that take only one integer (``torch.manual_seed``)."""
    low, high = _sequence(purpose, address).generate_state(2, np.uint32)
    return int(low) | (int(high) & 0x7FFFFFFF) << 32


@contextmanager
def chance_of_its_own(device: torch.device, purpose: str, *address: int) -> Generator[None]:
    """Let torch draw from an address inside, and leave all that is drawn elsewhere as it was.

    What cannot be given an address, because users wrote it, draws from torch's, Python's and numpy's dice.
    """
    import torch

    plain, arrays = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            torch.manual_seed(seed_of(purpose, *address))
            yield
    finally:
        random.setstate(plain)
        np.random.set_state(arrays)


def low_discrepancy(number: int) -> float:
    """Return where in [0, 1) a non-negative integer falls, so that any row of them falls evenly.

    The fractional part of its multiple of the golden ratio (Knuth, The Art of Computer Programming,
    vol. 3, section 6.4), in 53 bits.
    """
    return (number * 0x9E3779B97F4A7C15 % 2**64 >> 11) / 2**53


def _sequence(purpose: str, address: tuple[int, ...]) -> np.random.SeedSequence:
    return np.random.SeedSequence([zlib.crc32(purpose.encode()), *address])


def random_state(device: torch.device) -> tuple[torch.Tensor, ...]:
    """Return the state of torch's random numbers, of the processor and of a device."""
    import torch

    states = (torch.get_rng_state(),)
    if device.type == "cuda":
        return *states, torch.cuda.get_rng_state(device)
    return (*states, torch.mps.get_rng_state()) if device.type == "mps" else states


def set_random_state(device: torch.device, states: tuple[torch.Tensor, ...]) -> None:
    """Return nothing; let random numbers go on from a state of ``random_state``."""
    import torch

    torch.set_rng_state(states[0])
    if device.type == "cuda":
        torch.cuda.set_rng_state(states[1], device)
    elif device.type == "mps":
        torch.mps.set_rng_state(states[1])
