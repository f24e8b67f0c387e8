"""Two processes of a training, as torchrun would start them, on the CPU."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from figment import mesh


def as_two(play: Callable[[], Any], folder: Path) -> tuple[Any, Any]:
    """Return what each of two processes that call ``play`` together comes to; it is a module's function.

    ``folder`` is where they leave it.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torch.multiprocessing.spawn(_one_of_two, (port, folder, play), nprocs=2)
    first, second = (torch.load(folder / f"{rank}.pt") for rank in (0, 1))
    return first, second


def _one_of_two(rank: int, port: int, folder: Path, play: Callable[[], Any]) -> None:
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": "2"}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    mesh.start(torch.device("cpu"))
    torch.save(play(), folder / f"{rank}.pt")
    mesh.stop()
