"""Many processes as one: start from torchrun's environment, share what must be equal, average the rest.

There is no wrapper around the networks. Gradients are averaged by one all-reduce a move, which stays
exact with penalties that are applied lazily or differentiated twice.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from figment.errors import UserError

if TYPE_CHECKING:
    import torch


def size() -> int:
    """Return the number of processes that train together."""
    return int(os.environ.get("WORLD_SIZE", "1")) if "RANK" in os.environ else 1


def rank() -> int:
    """Return this process's number among them, from 0."""
    return int(os.environ.get("RANK", "0"))


def is_first() -> bool:
    """Return whether this process writes the files and talks to the user."""
    return rank() == 0


def start(device: torch.device) -> None:
    """Join the other processes, if there are any: gloo on a CPU, NCCL on CUDA."""
    import torch.distributed as dist

    if size() > 1 and not dist.is_initialized():
        kind = "nccl" if device.type == "cuda" else "gloo"
        dist.init_process_group(kind, timeout=timedelta(days=1))  # packing may take long


def stop() -> None:
    """Leave the group of processes."""
    import torch.distributed as dist

    if size() > 1 and dist.is_initialized():
        dist.destroy_process_group()


@contextmanager
def together(device: torch.device) -> Generator[None]:
    """Join the other processes for as long as it is open."""
    start(device)
    try:
        yield
    finally:
        stop()


def barrier() -> None:
    """Wait until every process is here."""
    import torch.distributed as dist

    if size() > 1:
        dist.barrier()


def first(value: object) -> object:
    """Return the first process's value (any picklable object) in every process."""
    import torch.distributed as dist

    if size() == 1:
        return value
    box = [value]
    dist.broadcast_object_list(box, src=0)
    return box[0]


def average(tensors: Iterable[torch.Tensor]) -> None:
    """Replace each tensor by its mean over the processes, in one all-reduce per dtype, in place."""
    if size() == 1:
        return
    kinds: dict[torch.dtype, list[torch.Tensor]] = {}
    for tensor in tensors:
        kinds.setdefault(tensor.dtype, []).append(tensor)
    for same in kinds.values():
        _average_flat(same)


def _average_flat(tensors: Sequence[torch.Tensor]) -> None:
    import torch
    import torch.distributed as dist

    flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
    dist.all_reduce(flat)
    flat /= size()
    for tensor, mean in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
        tensor.copy_(mean.view_as(tensor))


def gather(tensor: torch.Tensor) -> torch.Tensor:
    """Return the processes' tensors [N, ...] one after another, in every process."""
    import torch
    import torch.distributed as dist

    if size() == 1:
        return tensor
    sent = tensor.cpu()  # from a GPU each would arrive on the sender's
    parts: list[torch.Tensor] = [sent] * size()
    dist.all_gather_object(parts, sent)
    return torch.cat(parts).to(tensor.device)


def check_batch(batch: int, group: int = 1) -> None:
    """Raise UserError where the processes cannot share a batch evenly, in whole groups of pictures."""
    step = size() * group if size() > 1 else 1
    if batch % step:
        why = f", which judge {group} pictures together" if group > 1 else ""
        raise UserError(
            f"batch {batch} cannot be shared by {size()} processes{why}: "
            f"try --batch {batch - batch % step or step}"
        )


def rows(count: int) -> slice:
    """Return this process's share of ``count`` rows of a batch that belongs to all processes."""
    share = count // size()
    return slice(rank() * share, (rank() + 1) * share)
