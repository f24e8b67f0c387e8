"""Data sets of the Hugging Face Hub, ``hf:owner/name[:part][@revision]``: fetched once, then files.

By huggingface_hub, which comes with ``figment-gan[datasets]``: it resumes what was cut off and takes
``HF_TOKEN`` and ``HF_ENDPOINT``. The files lie in figment's cache, a folder for each part and commit.
"""

from __future__ import annotations

import errno
import functools
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any, NamedTuple

from figment.data import kinds
from figment.data.cache import key_of
from figment.data.printing import listed, readable
from figment.errors import UserError
from figment.files import cache_root

PREFIX = "hf:"
CONVERTED = "refs/convert/parquet"
"""The revision in which the Hub keeps every data set as Parquet, where it can."""
SPLITS = ("train", "validation", "test")
FORM = re.compile(
    r"hf:(?P<repo>\w[\w.-]*/(?P<name>\w[\w.-]*))(?::(?P<part>[\w./-]+))?(?:@(?P<revision>[\w./-]+))?"
)


class Parts(NamedTuple):
    """What a source on the Hub names."""

    repo: str  # owner/name
    name: str
    part: str | None  # a split such as train, or a folder and a split
    revision: str | None


def is_remote(source: str) -> bool:
    """Return whether a source is on the Hub."""
    return source.startswith(PREFIX)


def parts_of(source: str) -> Parts:
    """Return what a source names. UserError where it is not of the form."""
    match = FORM.fullmatch(source)
    if not match:
        raise UserError(
            f"{readable(source)!r} is no data set: write hf:owner/name, hf:owner/name:train"
        )
    return Parts(match["repo"], match["name"], match["part"], match["revision"])


@functools.cache
def fetched(source: str) -> Path:
    """Return the folder of a data set's files of this part, fetched if they are not there yet.

    Without a part it is ``train`` where there is one, else all. Without a network it is what was
    fetched last. UserError, in one line, where the extra is missing, where there is no network, no
    such data set, or no right to read it.
    """
    parts = parts_of(source)
    try:
        from huggingface_hub import errors
    except ImportError:
        raise UserError(f"{source} needs: pip install 'figment-gan[datasets]'") from None
    try:
        return _fetch(source, parts)
    except errors.GatedRepoError:
        cure = "accept its terms on its page, and set HF_TOKEN"
        raise UserError(f"{source} is open only to those who ask for it: {cure}") from None
    except errors.RevisionNotFoundError:
        raise UserError(f"{parts.repo} has no revision {parts.revision}: leave it out") from None
    except errors.RepositoryNotFoundError:
        raise UserError(
            f"there is no data set {parts.repo} on the Hub, or it is private (then set HF_TOKEN)"
        ) from None
    except (OSError, errors.HTTPError) as error:  # of the network, of the disk, what servers answer
        before = _pointer(source)
        if before.exists() and (folder := before.with_name(before.read_text("utf-8"))).exists():
            return folder
        raise UserError(_unreached(source, error)) from None


def _fetch(source: str, parts: Parts) -> Path:
    import huggingface_hub

    commit, files = _listing(huggingface_hub, parts)
    wanted = _of_part(source, files, parts.part)
    home, key = cache_root() / "hub", key_of(parts.repo, commit, wanted, _endpoint())
    folder = home / f"{parts.repo.replace('/', '--')}-{key[:12]}"
    done = home / f"{folder.name}.complete"
    if not done.exists():
        if not sys.stderr.isatty():
            huggingface_hub.utils.disable_progress_bars()
        huggingface_hub.snapshot_download(
            parts.repo,
            repo_type="dataset",
            revision=commit,
            endpoint=_endpoint(),
            local_dir=folder,
            allow_patterns=[_literally(file) for file in wanted],
        )
        shutil.rmtree(folder / ".cache", ignore_errors=True)  # what a resume needs
        done.touch()
    _pointer(source).write_text(folder.name, "utf-8")
    return folder


def _pointer(source: str) -> Path:
    """Return the file that says which folder a source was fetched to last."""
    return cache_root() / "hub" / f"{key_of(source, _endpoint())[:16]}.last"


def _unreached(source: str, error: Exception) -> str:
    host = _endpoint() or "huggingface.co"
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full: {source} cannot be fetched. Free some, or set FIGMENT_CACHE"
    if status:
        return f"{source} cannot be fetched: {host} answers {status}. Try again later"
    return (
        f"{source} cannot be fetched: no connection to {host} ({type(error).__name__}). Try again, or give"
        " a folder with its files"
    )


def _listing(hub: Any, parts: Parts) -> tuple[str, list[str]]:
    """Return the revision (as its commit) and the files that a data set's pictures are in."""
    api = hub.HfApi(endpoint=_endpoint())

    def listed_at(revision: str | None) -> tuple[str, list[str]]:
        found = api.dataset_info(parts.repo, revision=revision, timeout=20)
        return found.sha, [one.rfilename for one in found.siblings or []]

    commit, files = listed_at(parts.revision)
    useful = _useful(files)
    if not useful and parts.revision is None:
        try:
            commit, files = listed_at(CONVERTED)
        except hub.errors.RevisionNotFoundError:
            files = []
        useful = _useful(files)
    if not useful:
        raise UserError(
            f"{parts.repo} holds neither Parquet nor picture files: fetch and unpack it yourself"
        )
    return commit, useful


def _useful(files: list[str]) -> list[str]:
    """Return the Parquet files, or else the pictures and a StyleGAN label file."""
    tables = [file for file in files if file.lower().endswith(".parquet")]
    pictures = [file for file in files if os.path.splitext(file)[1].lower() in kinds.SUFFIXES]
    return tables or (pictures and [*pictures, *(f for f in files if f.endswith("dataset.json"))])


def _of_part(source: str, files: list[str], part: str | None) -> list[str]:
    """Return the files of a part: its words are in their paths, as the Hub names splits."""
    if part is None:
        found = [file for file in files if _names(file, "train")] or files
        tables = [file.split("/") for file in found if file.lower().endswith(".parquet")]
        sets = sorted({path[0] for path in tables if len(path) > 1} - {"data", *SPLITS})
        if len(sets) > 1:
            one = f"name one, {source}:{sets[0]}"
            raise UserError(f"{source} holds several sets, {listed(sets, 6)}: {one}")
        return found
    found = [file for file in files if all(_names(file, word) for word in part.split("/"))]
    if not found:
        splits = [word for word in SPLITS if any(_names(f, word) for f in files)]
        kept = f"its parts are {listed(splits)}" if splits else "it has no parts: leave this out"
        raise UserError(f"{readable(source)}: there is no part {part}, {kept}")
    return found


def _names(file: str, word: str) -> bool:
    return re.search(rf"(^|[/_.-]){re.escape(word)}([/_.-]|$)", file) is not None


def _literally(file: str) -> str:
    """Return a pattern that this name alone matches."""
    return re.sub(r"([\[*?])", r"[\1]", file)


def _endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT")
