"""What ``figment export`` does: a run, or several on a site, into something that others can use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from figment.errors import UserError

if TYPE_CHECKING:
    from figment.export.forms import Form

FLAGS = {
    "weights": ("onnx", "web", "hub"),
}
"""The targets that each flag does something for."""


def export(
    runs: list[str],
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
    for flag, value in how.items():
        if value and to not in FLAGS.get(flag, (to,)):
            named = " and ".join(f"--to {each}" for each in FLAGS[flag])
            raise UserError(f"--{flag.replace('_', '-')} is for {named}: leave it out of --to {to}")
    if len(runs) > 1 and to != "web":
        raise UserError(f"--to {to} is of one run, not of {len(runs)}: export them one by one")
    how = {name: value for name, value in how.items() if value}
    return TARGETS[to](runs, out, trust=trust, overwrite=overwrite, **how)


def _onnx(
    runs: list[str], out: Path, *, trust: bool, overwrite: bool, weights: Form = "fp32", **said: Any
) -> str:
    from figment.export.graph import needed
    from figment.export.onnx_export import onnx_files
    from figment.export.placing import folder_at, refuse_taken, write
    from figment.export.subject import Subject

    needed()
    single = out.suffix.lower() == ".onnx" and not out.is_dir()
    if not single:
        folder_at(out, "an ONNX export", ".onnx")
    subject = Subject(runs[0], trust=trust)
    name = out.name if single else ""
    places = places_of(out, subject.generator.recipe.styled)
    refuse_taken(places.values(), overwrite=overwrite)
    made = onnx_files(subject, weights, name=name, **said)
    files = {places[key]: data for key, data in made.files.items()}
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


TARGETS = {"onnx": _onnx}
