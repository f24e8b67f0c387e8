"""``figment sample --format wds|parquet``: any number of pictures, in shards, by any number of processes.

Which process draws a shard changes no byte of it (``figment.sampling.drawn``). It appears under its name
when it is whole, so after a kill the same command draws what is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from tqdm.std import tqdm

from figment import mesh
from figment.errors import UserError
from figment.files import MARK, keep_others, replacing, tidy, write_json
from figment.progress import progress_bar
from figment.records import Unreadable, read_object
from figment.sampling.archives import ARCHIVES, Archive, is_whole
from figment.sampling.drawn import BATCH, Row, Sample, drawn
from figment.sampling.generator import Generator

USUAL = 16 * BATCH
"""Pictures of a shard unless ``--shards`` says otherwise."""
MOST = 1_000_000_000
"""Pictures of one command."""
MANIFEST = "manifest.json"


class Order(NamedTuple):
    """What is to be drawn into which files."""

    out: Path
    format: str
    shards: int
    count: int
    seed: int
    label: str | None
    truncation: float | None
    weights: str
    """SHA-256 of the file of weights."""

    @property
    def archive(self) -> Archive:
        return ARCHIVES[self.format]

    @property
    def manifest(self) -> dict[str, Any]:
        """What manifest.json says."""
        about = {**self._asdict(), "class": self.label, "software": MARK}
        return {key: value for key, value in about.items() if key not in ("out", "label")}

    def path(self, number: int) -> Path:
        """Return the file of a shard, numbered from 0."""
        return self.out / f"{number:05d}{self.archive.ending}"

    @property
    def row(self) -> Row:
        """Return all seeds, with what else decides their pictures."""
        return Row(range(self.seed, self.seed + self.count), self.label, self.truncation)

    def seeds(self, number: int) -> range:
        """Return the seeds of a shard."""
        return self.row.part(self.shards, number)


def ordered(
    out: Path,
    *,
    form: str,
    shards: int | None,
    count: int,
    seed: int,
    label: str | None,
    truncation: float | None,
    weights: str,
) -> Order:
    """Return an order. Raises UserError where it cannot be drawn."""
    if not 1 <= count <= MOST:
        raise UserError(
            f"count must be 1 to {MOST:,}, not {count:,}: draw more with another --seed"
        )
    if not 0 <= seed <= 2**63 - count:
        raise UserError(f"seed must be 0 to {2**63 - count} for {count:,} pictures, not {seed}")
    if shards is not None and not 1 <= shards <= count:
        raise UserError(f"shards must be 1 to {count:,}, a picture each, not {shards:,}")
    number = shards or -(-count // USUAL)
    return Order(out, form, number, count, seed, label, truncation, weights)


def write_shards(
    generator: Generator, order: Order, *, overwrite: bool = False, progress: bool = True
) -> str:
    """Draw what is missing of an order's shards, all processes together; return a sentence that says where.

    Raises UserError where the folder holds the shards of another order, or files that figment did not
    write, unless it is to ``overwrite`` these.
    """
    if generator.recipe.kind == "points":
        raise UserError("points have no single pictures: give --out FILE.npy")
    generator.batches((), label=order.label, truncation=order.truncation)  # refuses what is wrong
    _begin(order, overwrite)
    shows = progress and mesh.is_first()
    missing = _missing(order, shows)
    keep_others((order.path(number) for number in missing), overwrite)
    own = missing[mesh.rank() :: mesh.size()]
    total = sum(len(order.seeds(number)) for number in own)
    each = f" (each of {mesh.size()} processes)" if mesh.size() > 1 else ""
    bar = progress_bar(total=total, unit=" pictures", desc=f"sampling{each}", shown=shows)
    with bar:
        for number in own:
            with replacing(order.path(number)) as temporary:
                samples = drawn(generator, order.row, order.seeds(number))
                order.archive.write(temporary, _counted(samples, bar))
    mesh.barrier()  # what follows is said when all is there
    there = order.shards - len(missing)
    kept = f", {there:,} of them there already" if there else ""
    last, shards = order.seed + order.count - 1, "shard" if order.shards == 1 else "shards"
    return (
        f"{order.out}: {order.count:,} samples in {order.shards:,} {shards}{kept}, "
        f"seeds {order.seed} to {last}, {MANIFEST}"
    )


def _begin(order: Order, overwrite: bool) -> None:
    """Let the first process put the manifest down, or find the same one; all leave if it cannot."""
    problem = None
    if mesh.is_first():
        try:
            _claim(order, overwrite)
        except UserError as error:
            problem = str(error)
    found: Any = mesh.first((problem, order.weights))
    if found[0] is not None:
        raise UserError(found[0]) if mesh.is_first() else SystemExit(2)  # it is said once
    if found[1] != order.weights:
        raise UserError("the weights changed while the processes opened them: start again")


def _claim(order: Order, overwrite: bool) -> None:
    """Write the manifest where there is none. Raises UserError where the folder is another order's."""
    path = order.out / MANIFEST
    tidy(order.out)
    found = _read(path)
    if found is not None:
        wanted = order.manifest
        for key in wanted:
            if found.get(key) != wanted[key]:
                there, here = (_said(key, about.get(key)) for about in (found, wanted))
                raise UserError(
                    f"{order.out} holds the shards of another command ({there}, not {here}): "
                    "choose another folder"
                )
        return
    stray = next(order.out.glob(f"[0-9]*{order.archive.ending}"), None)
    if stray is not None and not overwrite:
        raise UserError(
            f"{order.out} holds {stray.name} without a {MANIFEST} that says what it is of: choose "
            "another folder, or replace what is there with --overwrite"
        )
    keep_others([path], overwrite)
    write_json(path, order.manifest)


def refuse_shards(out: Path) -> None:
    """Raise UserError where a folder holds a set of shards: pictures beside them are not what it says."""
    if _read(out / MANIFEST) is not None:
        raise UserError(
            f"{out} holds a set of shards, finished or not: choose another folder, or go on with the "
            "command that began it"
        )


def _said(key: str, value: object) -> str:
    """A line of a manifest, as the flag that it is of."""
    if key == "weights":
        return f"weights {str(value)[:12]}"
    return f"no --{key}" if value is None else f"--{key} {value}"


def _read(path: Path) -> dict[str, Any] | None:
    """The manifest at a path, None where there is none that figment wrote."""
    try:
        found = read_object(path)
    except (Unreadable, OSError):
        return None
    return found if found.get("software") == MARK else None


def _missing(order: Order, shows: bool) -> list[int]:
    """The shards that are not there or not whole; the processes share the looking."""
    own = range(mesh.rank(), order.shards, mesh.size())
    there = any(order.path(number).exists() for number in own)
    through = progress_bar(own, unit=" shards", desc="looking through", shown=shows and there)
    gaps = [n for n in through if not is_whole(order.path(n), order.archive, order.seeds(n))]
    return sorted(mesh.gather(torch.tensor(gaps, dtype=torch.int64)).tolist())


def _counted(samples: Iterator[Sample], bar: tqdm) -> Iterator[Sample]:
    for sample in samples:
        yield sample
        bar.update()
