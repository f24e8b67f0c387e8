"""Devices: which one to train on, in which number format, and how to set it up."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from figment import mesh
from figment.errors import UserError

if TYPE_CHECKING:
    from figment.rounds import Playable

FASTER, TURNS = 1.5, 8
"""bfloat16 is chosen on a CPU whose products are this many times faster in it, the best of so many."""


def choose_device(name: str = "auto") -> torch.device:
    """Return the device called ``name``; "auto" takes CUDA, then Apple's GPU, then the CPU.

    Raises UserError for a device this machine does not have.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if _has_mps() else "cpu"
    if name == "cuda" and torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        if device.index >= torch.cuda.device_count():
            raise UserError(
                f"{mesh.size()} processes but {torch.cuda.device_count()} GPUs: start as many "
                "processes as there are, or use --device cpu"
            )
        torch.cuda.set_device(device)
        return device
    if name == "cpu" or (name == "mps" and _has_mps()):
        return torch.device(name)
    raise UserError(f"this machine has no device {name}: use --device cpu, or leave the flag out")


def set_up(device: torch.device) -> None:
    """Make results repeatable, and keep freed memory for the next round."""
    if device.type == "cpu":
        # Without it oneDNN's convolutions ended in other bits in about one process of ten.
        torch.backends.mkldnn.deterministic = True  # ty: ignore[invalid-assignment]
        _keep_freed_memory()
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True


@cache
def faster_precision(device: torch.device) -> str:
    """Return "bfloat16" where its products are clearly faster, measured, else "float32".

    A processor that only emulates them is not measured: that alone took 12 s on one with AVX2. A process
    measures once: a short training takes hardly longer, and all that it trains is to be in one format.
    """
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    if device.type != "cpu":
        return "float32"
    if not multiplies_bfloat16():
        return "float32"
    # In turns: a machine that is busy for a moment is so for both, and equal commands choose alike.
    kinds = (torch.bfloat16, torch.float32)
    turns = [[matrix_rate(kind, repeats=1) for kind in kinds] for _ in range(TURNS)]
    half, whole = (max(rates) for rates in zip(*turns, strict=True))
    return "bfloat16" if half >= FASTER * whole else "float32"


def precision_for(recipe: Playable, device: torch.device) -> str:
    """Return the recipe's precision; for "auto" the one that is faster here, for all processes."""
    if recipe.precision != "auto":
        return recipe.precision
    fast = "float32" if recipe.kind == "points" else faster_precision(device)
    return str(mesh.first(fast))


def matrix_rate(dtype: torch.dtype, side: int = 1024, repeats: int = 5) -> float:
    """Return the CPU's rate for products of ``side`` x ``side`` matrices, in FLOP/s, at its best."""
    a, b = (torch.ones(side, side, dtype=dtype) for _ in range(2))
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - start)
    return 2 * side**3 / best


def multiplies_bfloat16() -> bool:
    """Return whether the CPU has instructions for products of bfloat16, as far as it says what it has.

    AVX-512's avx512_bf16, AMX's amx_bf16, ARM's bf16. Where it says nothing, a small product tells: an
    emulated one takes many times as long as float32's.
    """
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            flags = next(line for line in file if line.lower().startswith(("flags", "features")))
    except (OSError, StopIteration):
        return matrix_rate(torch.bfloat16, 128, 2) > matrix_rate(torch.float32, 128, 2) / 4
    return not {"avx512_bf16", "amx_bf16", "bf16"}.isdisjoint(flags.split())


def peak_memory(device: torch.device) -> float:
    """Return the most memory used so far, in GiB: the GPU's on CUDA, else this process's.

    0 on Windows, which does not say.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**30
    try:
        import resource
    except ImportError:
        return 0.0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30


def memory_of(device: torch.device) -> int:
    """Return the bytes of memory that a device has in all: the machine's, or what its container may use.

    A very large number where the system does not say.
    """
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    try:
        limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    except (AttributeError, OSError, ValueError):  # Windows
        limits = [1 << 62]
    for place in ("memory.max", "memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):  # none, or "max"
            limits.append(int(Path("/sys/fs/cgroup", place).read_text(encoding="ascii")))
    return min(limits)


def describe_machine(device: torch.device) -> dict[str, object]:
    """Return what machine.json says of versions and hardware."""
    from importlib.metadata import version

    return {
        "figment": version("figment-gan"),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": _processor(device),
        "device": device.type,
        "threads": torch.get_num_threads(),
        "processes": mesh.size(),
        "memory_gib": round(memory_of(torch.device("cpu")) / 2**30, 1),
    }


def _processor(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.split(":")[1].strip() for line in file if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _keep_freed_memory() -> None:
    """Tell glibc not to give large blocks back: fetching them anew every round costs page faults.

    Measured on DCGAN at 64 px, batch 128: 1.4 times the images/s (benchmarks/dcgan_cpu.py). Other
    systems' allocators are left alone.
    """
    import ctypes

    trim_threshold, mmap_threshold = -1, -3
    with contextlib.suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(mmap_threshold, 1 << 30)
        mallopt(trim_threshold, (1 << 31) - 1)


def _has_mps() -> bool:
    return torch.backends.mps.is_available() and mesh.size() == 1  # its processes cannot meet
