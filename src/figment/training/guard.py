"""Guard: whether the folder of a run in training is still the one that it began in."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from figment.errors import UserError
from figment.training.folder import holds_run, refuse_links


def lock_id(run: Path) -> tuple[int, int] | None:
    """Return what tells the lock from one of the same name that is made later; None where none is there."""
    try:
        found = os.stat(run / "lock")
    except OSError:
        return None
    return found.st_dev, found.st_ino


def refuse_changed(run: Path, lock: tuple[int, int] | None) -> None:
    """Raise UserError where a run in training leads elsewhere now, or is gone: nothing more is written.

    ``lock`` is that of this training: another one is that of a run begun in the place of this.
    """
    refuse_links(run)
    other = lock is not None and lock_id(run) not in (None, lock)
    if other or not holds_run(run):
        raise UserError(
            f"{run} was removed or moved while it was in training, so nothing more can be saved: train "
            "again, or `figment resume` it where it is now"
        )


@contextmanager
def telling(run: Path, lock: tuple[int, int] | None) -> Generator[None]:
    """Let a mistake that comes of a folder that went away in the middle of a writing say so."""
    try:
        yield
    except (UserError, OSError):
        refuse_changed(run, lock)
        raise
