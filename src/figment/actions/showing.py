"""What ``figment export`` does, a run into something that others can use, and ``figment serve``."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, Literal

from figment.errors import UserError
from figment.export.placing import file_at, folder_at, refuse_taken, write

if TYPE_CHECKING:
    from figment.export.forms import Form

FLAGS = {
    "weights": ("onnx", "web", "hub"),
    "single_file": ("web",),
    "webgpu": ("web", "hub"),
    "runtime": ("web", "hub"),
    "neighbours": ("web", "hub"),
    "push": ("hub",),
}
"""The targets that a flag does something for, where these are not all."""
EXAMPLES = {
    "onnx": "photos.onnx",
    "web": "site",
    "safetensors": "photos.safetensors",
    "hub": "upload",
}
"""A place for each target."""
MUCH = 25_000_000
"""Bytes of a site that a visitor waits for."""


def export(
    runs: Sequence[str],
    *,
    to: str,
    out: Path | None,
    trust: bool = False,
    overwrite: bool = False,
    **how: Any,
) -> str:
    """Write what is asked for; return a sentence that says where, how large and how exact it is.

    Raises UserError for a flag that does nothing for the target, no place or one that cannot be written,
    files there that figment did not write (unless it is to ``overwrite``), or a missing extra.
    """
    how = {flag: value for flag, value in how.items() if value}
    for flag in how:
        if to not in FLAGS.get(flag, (to,)):
            named = " and ".join(f"--to {each}" for each in FLAGS[flag])
            raise UserError(f"--{flag.replace('_', '-')} is for {named}: leave it out of --to {to}")
    if len(runs) > 1 and to != "web":
        raise UserError(f"--to {to} is of one run, not of {len(runs)}: export them one by one")
    if out is None:
        line = f"figment export {quote(str(runs[0]))} --to {to} --out {EXAMPLES[to]}"
        raise UserError(f"figment export needs --out, where it goes, such as in `{line}`")
    places = [Path(run).resolve() for run in runs]
    for run, place in zip(runs, places, strict=True):
        if places.count(place) > 1:
            raise UserError(f"{run} is named twice: name each run once")
    return TARGETS[to](runs, out, trust=trust, overwrite=overwrite, **how)


def _onnx(
    runs: Sequence[str],
    out: Path,
    *,
    trust: bool,
    overwrite: bool,
    weights: Form = "fp32",
    **said: Any,
) -> str:
    from figment.export.graph import needed
    from figment.export.onnx_export import onnx_files
    from figment.export.subject import Subject

    needed()
    single = out.suffix.lower() == ".onnx" and not out.is_dir()
    if not single:
        folder_at(out, "an ONNX export", ".onnx")
    subject = Subject(runs[0], trust=trust)
    places = places_of(out, subject.generator.recipe.styled)
    refuse_taken(places.values(), overwrite=overwrite)
    made = onnx_files(subject, weights, name=out.name if single else "", **said)
    files = {places[part]: data for part, data in made.files.items()}
    if not single:
        files[places["model"]] = (json.dumps(made.about, indent=2) + "\n").encode()
    write(files)
    if "mapping" not in made.files:
        return f"{out}: {made.said}"
    styles = made.about["styles"]
    takes = " and labels [N]" if made.about["classes"] else ""
    return (
        f"two graphs, {places['mapping']}, which takes latents [N, {made.about['latent']['size']}]{takes} "
        f"and gives styles [N, {styles['size']}], and {places['generator']}, which takes the styles of all "
        f"layers [N, {styles['layers']}, {styles['size']}] and gives images: {made.said}"
    )


def places_of(out: Path, styled: bool) -> dict[str, Path]:
    """Return where the parts of an ONNX export go: into a folder, or beside each other as files."""
    parts = ["mapping", "generator"] if styled else ["generator"]
    if out.suffix.lower() == ".onnx" and not out.is_dir():
        beside = {"mapping": out.with_name(f"{out.stem}.mapping.onnx"), "generator": out}
        return {part: beside[part] for part in parts}
    return {**{part: out / f"{part}.onnx" for part in parts}, "model": out / "model.json"}


def _web(
    runs: Sequence[str],
    out: Path,
    *,
    trust: bool,
    overwrite: bool,
    single_file: bool = False,
    runtime: Path | None = None,
    neighbours: bool = False,
    **how: Any,
) -> str:
    from figment.export.graph import needed
    from figment.export.site import site
    from figment.export.subject import Subject
    from figment.report.labels import amount

    needed()
    if single_file:
        file_at(out, ".html", "a page with --single-file")
    else:
        folder_at(out, "a site")
    refuse_taken([out if single_file else out / "index.html"], overwrite=overwrite)
    subjects = [Subject(run, trust=trust) for run in runs]
    made = site(subjects, package=runtime, nearest=neighbours, trust=trust, **how)
    files = {out: made.alone()} if single_file else _under(out, made.folder())
    signed = [out] if single_file else [out / "index.html"]
    refuse_taken(files, overwrite=overwrite, signed=signed)
    write(files)
    size = sum(map(len, files.values()))
    much = size > MUCH and how.get("weights") != "int8" and not how.get("webgpu")
    smaller = " Much for a page: --weights int8 makes it smaller." if much else ""
    opened = "open it in a browser" if single_file else _serving(out)
    return f"{out}: {amount(size)}B in all; {made.said}.{smaller} To see it: {opened}"


def _safetensors(
    runs: Sequence[str], out: Path, *, trust: bool, overwrite: bool, **said: Any
) -> str:
    from figment.export.subject import Subject
    from figment.export.weights import write_weights

    file_at(out, ".safetensors", "a file of weights")
    subject = Subject(runs[0], trust=trust)
    refuse_taken([out], overwrite=overwrite)
    return f"{out}: {write_weights(subject, out, **said)}"


def _hub(
    runs: Sequence[str],
    out: Path,
    *,
    trust: bool,
    overwrite: bool,
    runtime: Path | None = None,
    neighbours: bool = False,
    push: str = "",
    **how: Any,
) -> str:
    from figment import hub
    from figment.export.graph import needed
    from figment.export.hub_folder import hub_files
    from figment.export.subject import Subject
    from figment.export.weights import write_weights
    from figment.report.labels import amount

    needed()
    if push:
        hub.check_name(push)
    folder_at(out, "an upload for the Hub")
    weights = out / hub.WEIGHTS
    signed = [weights, out / "README.md", out / "index.html"]
    refuse_taken(signed, overwrite=overwrite)
    subject = Subject(runs[0], trust=trust)
    page = {"package": runtime, "nearest": neighbours, "trust": trust}
    files, said = hub_files(subject, name=push, **page, **how)
    refuse_taken(_under(out, files), overwrite=overwrite, signed=signed)
    terms = {name: how[name] for name in ("title", "licence", "use") if name in how}
    write_weights(subject, weights, **terms)
    write(_under(out, files))
    size = sum(map(len, files.values())) + weights.stat().st_size
    told = f"{amount(size)}B in all; {said}"
    if not push:
        return f"{out}: {told}. To publish it, add --push OWNER/NAME"
    names = [hub.WEIGHTS, *files]
    places = [hub.pushed(out, push, names), hub.pushed(out, push, names, space=True)]
    return f"{' and '.join(places)}: {told}"


def push_to_hub(run: str | Path, name: str, *, trust: bool = False, **how: Any) -> str:
    """Publish a run's generator as the model and the Space ``name``, OWNER/NAME; return a sentence.

    ``how``: title, licence, use, weights, webgpu, runtime, neighbours, as the flags of ``figment export``.
    Raises UserError, in one line, where the extra or the right to write is missing.
    """
    with tempfile.TemporaryDirectory() as folder:
        return _hub([str(run)], Path(folder), trust=trust, overwrite=False, push=name, **how)


def _under(out: Path, files: dict[str, bytes]) -> dict[Path, bytes]:
    return {out / place: data for place, data in files.items()}


def _serving(out: Path) -> str:
    return f"{Path(sys.executable).name} -m http.server -d {quote(str(out))}"


TARGETS = {"onnx": _onnx, "web": _web, "safetensors": _safetensors, "hub": _hub}
SERVER = ("fastapi", "uvicorn", "httptools", "python_multipart", "prometheus_client")
"""Modules that serving needs."""
LARGEST_BATCH = 1_024
LARGEST_QUEUE = 3_600.0


def serve(
    runs: list[str],
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    token: str = "",
    hosts: tuple[str, ...] = (),
    title: str = "",
    engine: Literal["auto", "onnx", "torch"] = "auto",
    device: str = "auto",
    batch: int = 32,
    queue: float = 10.0,
    trust: bool = False,
) -> None:
    """Serve runs until a signal to stop. Raises UserError for what cannot be served, or a missing extra."""
    _check(port, batch, queue)
    token = _token(token)
    missing = [name for name in SERVER if find_spec(name) is None]
    if missing:
        raise UserError(f"serving needs {', '.join(missing)}: pip install 'figment-gan[serve]'")
    from figment.serve.limits import Limits
    from figment.serve.models import How, open_models
    from figment.serve.server import run

    models = open_models(runs, How(engine=engine, device=device, trust=trust, title=title))
    limits = Limits(batch=batch, queue_seconds=queue)
    names = tuple(name.lower() for name in hosts)
    run(models, host=host, port=port, limits=limits, token=token, hosts=names, title=title)


def _check(port: int, batch: int, queue: float) -> None:
    if not 0 <= port <= 65_535:
        raise UserError(f"port must be 0 or more and at most 65535, not {port}")
    if not 1 <= batch <= LARGEST_BATCH:
        raise UserError(f"batch must be 1 or more and at most {LARGEST_BATCH:,}, not {batch}")
    if not 0 < queue <= LARGEST_QUEUE:
        raise UserError(f"queue must be above 0 and at most {LARGEST_QUEUE:,.0f} s, not {queue}")


def _token(token: str) -> str:
    """Return the token, that of the environment without one. Raises UserError where it fits no header."""
    token = token or os.environ.get("FIGMENT_TOKEN", "")
    if not token.isascii() or any(not c.isalnum() and c not in "-._~" for c in token):
        raise UserError("a token has letters, digits and - . _ ~ only, since addresses hold it")
    return token
