"""What ``figment export`` does: a run, or several on a site, into something that others can use."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from figment.errors import UserError
from figment.export.placing import file_at, folder_at, refuse_taken, write

if TYPE_CHECKING:
    from figment.export.forms import Form

FLAGS = {
    "weights": ("onnx", "web", "hub"),
    "single_file": ("web",),
    "webgpu": ("web", "hub"),
    "runtime": ("web", "hub"),
}
"""The targets that a flag does something for, where these are not all."""


def export(
    runs: Sequence[str],
    *,
    to: str,
    out: Path,
    trust: bool = False,
    overwrite: bool = False,
    **how: Any,
) -> str:
    """Write what is asked for; return a sentence that says where, how large and how exact it is.

    Raises UserError for a flag that does nothing for the target, a place that cannot be written, files
    there that figment did not write (unless it is to ``overwrite``), or a missing extra.
    """
    how = {flag: value for flag, value in how.items() if value}
    for flag in how:
        if to not in FLAGS.get(flag, (to,)):
            named = " and ".join(f"--to {each}" for each in FLAGS[flag])
            raise UserError(f"--{flag.replace('_', '-')} is for {named}: leave it out of --to {to}")
    if len(runs) > 1 and to != "web":
        raise UserError(f"--to {to} is of one run, not of {len(runs)}: export them one by one")
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
    return f"{out}: {made.said}"


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
    **how: Any,
) -> str:
    from figment.export.graph import needed
    from figment.export.site import site
    from figment.export.subject import Subject

    needed()
    if single_file:
        file_at(out, ".html", "a page with --single-file")
    else:
        folder_at(out, "a site")
    refuse_taken([out if single_file else out / "index.html"], overwrite=overwrite)
    made = site([Subject(run, trust=trust) for run in runs], package=runtime, **how)
    files = {out: made.alone()} if single_file else _under(out, made.folder())
    refuse_taken(files, overwrite=overwrite)
    write(files)
    size = sum(map(len, files.values())) / 1e6
    opened = "open it in a browser" if single_file else f"try it with {_serving(out)}"
    return f"{out}: {size:.1f} MB in all; {made.said}. To see it, {opened}"


def _under(out: Path, files: dict[str, bytes]) -> dict[Path, bytes]:
    return {out / place: data for place, data in files.items()}


def _serving(out: Path) -> str:
    return f"{Path(sys.executable).name} -m http.server -d {out}"


TARGETS = {"onnx": _onnx, "web": _web}
