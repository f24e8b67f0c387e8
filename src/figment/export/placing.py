"""Putting an export in its place: checked before the work begins, written whole, nobody's files lost."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from figment.errors import UserError
from figment.files import cannot_write, keep_others, made_by_figment, replacing
from figment.training import folder

FILES = (".zip", ".tar", ".gz", ".html", ".htm", ".json", ".js", ".pt", ".pth", ".pkl", ".bin")
FILES += (".onnx", ".safetensors", ".png", ".jpg", ".md", ".txt")
"""Endings of files: no folder is meant by a name that has one of them, unless it is there."""


def file_at(out: Path, ending: str, what: str) -> Path:
    """Return where a file goes. Raises UserError unless the name has this ending and no folder has it."""
    if out.suffix.lower() != ending or out.is_dir():
        raise UserError(f"{what} is one file: give --out FILE{ending}, not {out}")
    return out


def folder_at(out: Path, what: str, or_file: str = "") -> Path:
    """Return where a folder goes. Raises UserError where a file is there, or one is meant by the name."""
    other = f", or --out FILE{or_file}" if or_file else ""
    if not out.is_dir() and (os.path.lexists(out) or out.suffix.lower() in FILES):
        raise UserError(f"{what} is a folder: give --out DIR{other}, not {out}")
    return out


def refuse_taken(paths: Iterable[Path], *, overwrite: bool, signed: Sequence[Path] = ()) -> None:
    """Raise UserError where one of these could not be written, before any work is done for it.

    Files that figment did not write are kept, unless it is to ``overwrite``; a folder always is. Not every
    file of an export has room for a mark: where all that are ``signed`` are figment's, the others are.
    Nothing goes among the files of a run: weights there would be taken for those that it scored best with.
    """
    paths = list(paths)
    for path in paths:
        if (run := folder.run_of(path)) is not None:
            raise UserError(
                f"{path} would lie among the files of the run {run}: choose another --out"
            )
    earlier = bool(signed) and all(made_by_figment(path) for path in signed)
    keep_others(paths, overwrite or earlier)
    for path in paths:
        if path.is_dir():
            raise UserError(f"{path} is a folder, where a file is to go: choose another --out")
        there = next(place for place in path.absolute().parents if os.path.lexists(place))
        if not there.is_dir():
            raise UserError(f"{there} is no folder: choose another --out")
        if not os.access(there, os.W_OK | os.X_OK):
            raise UserError(f"{there} cannot be written to: choose another --out")


def write(files: Mapping[Path, bytes]) -> None:
    """Write files, each at once, in this order: the one that names the others is to be the last.

    Raises UserError for a full disk or a folder that cannot be written.
    """
    for path, data in files.items():
        try:
            with replacing(path) as temporary:
                temporary.write_bytes(data)
        except OSError as error:
            raise UserError(cannot_write(path, error)) from error
