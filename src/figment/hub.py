"""Generators on the Hugging Face Hub: fetched by ``figment.load("owner/name")``, pushed by an export.

By huggingface_hub, which comes with ``figment-gan[hub]`` and takes ``HF_TOKEN`` and ``HF_ENDPOINT``. What
is fetched is tensors and JSON, never code.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from figment.errors import UserError
from figment.files import cache_root

WEIGHTS = "generator.safetensors"
"""The file of a repository, or of a folder to be pushed, that a generator is opened from."""
FETCHED = (WEIGHTS, "model.json", "README.md")
TOKEN = "set HF_TOKEN to a token of yours that may do that"
NAME = re.compile(r"\w[\w.-]*/\w[\w.-]*")


def is_name(text: str) -> bool:
    """Return whether a text may be a repository's name, ``owner/name``, and is nothing on this disk."""
    owner = text.partition("/")[0]
    return NAME.fullmatch(text) is not None and not os.path.lexists(owner)


def check_name(name: str) -> None:
    """Raise UserError unless this is of the form ``owner/name``, and the extra is there that pushes."""
    if not NAME.fullmatch(name):
        raise UserError(f"{name!r} is no name of a repository: write owner/name")
    with _said(f"{name} cannot be written to"):
        pass  # but for the extra, which it names


def fetched(name: str) -> Path:
    """Return the folder of a repository's generator, fetched unless it is there already.

    Without a network it is what was fetched last. Raises UserError, in one line, where the extra is
    missing, where there is no such repository, or no generator of figment's in it.
    """
    last = _home(name) / "last"
    try:
        with _said(f"{name} cannot be fetched"):
            return _fetch(name, last)
    except _Unreached as error:
        if last.is_file() and (folder := _home(name) / last.read_text("utf-8")).is_dir():
            return folder
        raise UserError(str(error)) from None


def pushed(folder: Path, name: str, files: Iterable[str], *, space: bool = False) -> str:
    """Upload these ``files`` of a folder to a repository, made if it is not there; return its address.

    With ``space`` to the static Space of that name, which shows the page. Raises UserError, in one line,
    where the extra or the right to write is missing.
    """
    check_name(name)
    kind = "space" if space else "model"
    with _said(f"{name} cannot be written to"):
        hub = _library()
        api = hub.HfApi(endpoint=_endpoint())
        made = {"space_sdk": "static"} if space else {}
        address = api.create_repo(name, repo_type=kind, exist_ok=True, **made)
        api.upload_folder(
            repo_id=name,
            repo_type=kind,
            folder_path=folder,
            allow_patterns=[re.sub(r"([\[*?])", r"[\1]", file) for file in files],
            commit_message="made by figment",
        )
    return str(address)


class _Unreached(UserError):
    """Nobody answers."""


def _fetch(name: str, last: Path) -> Path:
    hub = _library()
    found = hub.HfApi(endpoint=_endpoint()).model_info(name, timeout=20)
    files = [one.rfilename for one in found.siblings or []]
    if WEIGHTS not in files:
        raise UserError(f"{name} is no generator that figment has published: it holds no {WEIGHTS}")
    folder = _home(name) / found.sha
    if not (folder / WEIGHTS).is_file():
        hub.snapshot_download(
            name,
            revision=found.sha,
            endpoint=_endpoint(),
            local_dir=folder,
            allow_patterns=list(FETCHED),
        )
        shutil.rmtree(folder / ".cache", ignore_errors=True)  # what a resume needs
    last.write_text(folder.name, "utf-8")
    return folder


@contextmanager
def _said(wrong: str) -> Generator[None]:
    """Let what the Hub, the network or the disk refuses be raised as UserError, in one line."""
    try:
        from huggingface_hub import errors
    except ImportError:
        raise UserError(f"{wrong}: pip install 'figment-gan[hub]'") from None
    try:
        yield
    except errors.GatedRepoError:
        raise UserError(f"{wrong}: accept its terms on its page, and set HF_TOKEN") from None
    except errors.RepositoryNotFoundError:
        raise UserError(
            f"{wrong}: there is no such generator on the Hub, or it is private (then set HF_TOKEN)"
        ) from None
    except errors.HFValidationError:
        raise UserError(
            f"{wrong}: that is no name on the Hub, which has the form owner/name"
        ) from None
    except errors.LocalTokenNotFoundError:
        raise UserError(f"{wrong}: {TOKEN}") from None
    except errors.HTTPError as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        if status in (401, 403):
            raise UserError(f"{wrong}: {TOKEN}") from None
        if status:
            raise _Unreached(f"{wrong}: {_host()} answers {status}. Try again later") from None
        raise _Unreached(f"{wrong}: {_unreached(error)}") from None
    except OSError as error:
        raise _Unreached(f"{wrong}: {_unreached(error)}") from None


def _unreached(error: Exception) -> str:
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    if full:
        return "the disk is full. Free some, or set FIGMENT_CACHE"
    return f"no connection to {_host()} ({type(error).__name__})"


def _library() -> Any:
    import huggingface_hub
    import huggingface_hub.utils

    if not sys.stderr.isatty():
        huggingface_hub.utils.disable_progress_bars()
    return huggingface_hub


def _home(name: str) -> Path:
    """Return the folder of all that was fetched of a repository."""
    home = cache_root() / "hub" / f"model--{name.replace('/', '--')}"
    home.mkdir(parents=True, exist_ok=True)
    return home


def _endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT")


def _host() -> str:
    return _endpoint() or "huggingface.co"
