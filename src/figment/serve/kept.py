"""What takes a while to make of a generator, kept in figment's cache for the next start."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from figment.errors import UserError
from figment.export.directions import SAMPLES, directions
from figment.export.onnx_export import onnx_files
from figment.export.subject import Subject
from figment.files import cache_root, replacing
from figment.progress import say
from figment.records import Unreadable, read_json
from figment.sampling.generator import Generator

DRAWN = 1.5 * SAMPLES
"""Pictures that finding the directions takes, about."""


def onnx_of(subject: Subject, weights: str) -> dict[str, bytes]:
    """Return a generator as ONNX files, "generator" and perhaps "mapping".

    ``weights`` is the checksum of its weights. Raises UserError as ``onnx_files`` does.
    """
    from importlib.metadata import version

    home = _home(weights, f"onnx {version('onnxscript')} {torch.__version__}")
    names = ["generator", "mapping"] if subject.generator.recipe.styled else ["generator"]
    with suppress(OSError):
        return {name: (home / f"{name}.onnx").read_bytes() for name in names}
    say(f"making the ONNX file of {subject.name}, which is kept for the next time")
    files = onnx_files(subject).files
    for name, data in files.items():
        _keep(home / f"{name}.onnx", data)
    return files


def directions_of(
    generator: Generator, weights: str, *, find: bool = True
) -> list[dict[str, Any]] | None:
    """Return a generator's directions, None where they are not known and not to be found out."""
    path = _home(weights, "directions") / "directions.json"
    with suppress(OSError, Unreadable):
        return read_json(path)
    if not find:
        return None
    found = directions(generator)
    _keep(path, json.dumps(found).encode())
    return found


def _home(weights: str, made: str) -> Path:
    """Return where what is made of weights is kept, by this version of what makes it."""
    from importlib.metadata import version

    key = hashlib.sha256(f"{weights} {version('figment-gan')} {made}".encode()).hexdigest()
    return cache_root() / "serve" / key[:24]


def _keep(path: Path, data: bytes) -> None:
    with suppress(UserError), replacing(path) as temporary:  # a cache that is full is none
        temporary.write_bytes(data)
