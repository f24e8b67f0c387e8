"""Two processes of a training, as torchrun would start them, on the CPU."""

from __future__ import annotations

import multiprocessing
import os
import socket
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import torch

from figment import mesh

LOADED = ["torch._dynamo", "figment.launch", "figment.recipes", "figment.training.trainer"]
"""What takes seconds to import: one process does so, and each of the two is a fork of it."""
FORKS = "forkserver" in multiprocessing.get_all_start_methods()


def as_two(play: Callable[[], Any], folder: Path) -> tuple[Any, Any]:
    """Return what each of two processes that call ``play`` together comes to; it is a module's function.

    ``folder`` is where they leave it.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    if FORKS:
        multiprocessing.set_forkserver_preload(LOADED)
    torch.multiprocessing.start_processes(
        _one_of_two,
        (port, folder, play, dict(os.environ)),
        nprocs=2,
        start_method="forkserver" if FORKS else "spawn",
    )
    first, second = (torch.load(folder / f"{rank}.pt") for rank in (0, 1))
    return first, second


def command(words: list[str]) -> tuple[int, str]:
    """Return the exit code of a command of figment, and what it prints."""
    from figment.cli import main

    with redirect_stdout(StringIO()) as printed:
        return main(words), printed.getvalue()


def _one_of_two(
    rank: int, port: int, folder: Path, play: Callable[[], Any], environment: dict[str, str]
) -> None:
    os.environ |= environment  # a fork has what was so when the process that it is of began
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": "2"}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    mesh.start(torch.device("cpu"))
    torch.save(play(), folder / f"{rank}.pt")
    mesh.stop()
