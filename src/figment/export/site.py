"""A site of plain files that draws in its visitors' browsers, and the same as a single HTML file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from figment import page
from figment.errors import UserError
from figment.export import runtime
from figment.export.forms import Form
from figment.export.neighbours import carried, neighbours
from figment.export.onnx_export import Exported, onnx_files
from figment.export.subject import Subject
from figment.files import MARK
from figment.sampling.pictures import png

RUNTIME = "runtime/"
"""Where a site has onnxruntime-web."""
COVER = 16
"""Samples on the cover of a generator, which a site of several shows."""


class Site(NamedTuple):
    """The files of a site by their places in it."""

    config: dict[str, Any]
    """What the page is told."""
    files: dict[str, bytes]
    """Models, runtime and notices: all but the page's own."""
    said: str
    """What was exported, how large and how exact it is, as a sentence."""

    def folder(self) -> dict[str, bytes]:
        """Return all files, the page's own included; index.html, which names the others, comes last."""
        files = {**self.files, **page.site({**self.config, "host": "site"})}
        return {**files, "index.html": files.pop("index.html")}

    def alone(self) -> bytes:
        """Return one HTML file that has all of them inside."""
        return page.page({**self.config, "host": "file"}, self.files).encode()


def site(
    subjects: Sequence[Subject],
    *,
    weights: Form = "fp16",
    title: str = "",
    webgpu: bool = False,
    package: Path | None = None,
    nearest: bool = False,
    trust: bool = False,
    **said: Any,
) -> Site:
    """Return the site of one generator, or of several with a front page.

    ``title`` names the page. With ``nearest`` it carries thumbnails of training pictures, for which the
    run is opened, and may have to be trusted. ``package`` is that of ``figment.export.runtime.files_of``,
    ``said`` that of ``figment.export.about.about``. Raises UserError for what no page can draw.
    """
    for subject in subjects:
        refuse_undrawable(subject)
    files, runtimes = _runtimes(webgpu, package)
    models, about = [], []
    for subject, name in zip(subjects, _names(subjects), strict=True):
        own = {"title": title} if title and len(subjects) == 1 else {}
        made = onnx_files(subject, weights, **said, **own)
        if nearest:
            made.about["nearest"] = neighbours(subject, trust=trust)
            made.about["carries"].append(carried(made.about["nearest"]))
        place = f"models/{name}/"
        files |= _model(place, name, made)
        entry = {"name": name, "title": made.about.get("title") or name, "at": place}
        if len(subjects) > 1:
            files[f"{place}cover.png"] = cover(subject)
            entry |= {"cover": f"{place}cover.png", "sentence": made.about["card"]["sentence"]}
        models.append(entry)
        about.append(made.said)
    config = {"models": models, **runtimes}
    if title:
        config["title"] = title
    return Site(config, files, "; ".join(about))


def refuse_undrawable(subject: Subject) -> None:
    """Raise UserError for a generator that a browser could not draw from seeds as figment does."""
    from figment.export.about import law

    if subject.generator.recipe.kind == "points":
        raise UserError(
            "a page shows pictures, and these are points: export them --to onnx or safetensors"
        )
    if law(subject.generator) != "normal":
        raise UserError(
            f"the recipe {subject.recipe} draws latents or classes by code of its own, which a page cannot "
            "run: export it --to onnx or safetensors"
        )


def cover(subject: Subject) -> bytes:
    """Return a grid of samples as a PNG."""
    return png(subject.generator.overview(COVER).grid())


def _model(place: str, name: str, made: Exported) -> dict[str, bytes]:
    """Return a model's files by their places; its name is that of the page's address."""
    about = {**made.about, "name": name}
    files = {f"{place}{made.about[part]['file']}": data for part, data in made.files.items()}
    return {**files, f"{place}model.json": (json.dumps(about, indent=1) + "\n").encode()}


def _names(subjects: Sequence[Subject]) -> list[str]:
    """Return a name for each that no other has."""
    found: list[str] = []
    for subject in subjects:
        name, number = subject.name, 2
        while name in found:
            name, number = f"{subject.name}-{number}", number + 1
        found.append(name)
    return found


def _runtimes(webgpu: bool, package: Path | None) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Return the files of onnxruntime-web with its licence, and what the config says of them."""
    files: dict[str, bytes] = {}
    config = {}
    wanted = {"runtime": runtime.WASM} | ({"webgpu": runtime.WEBGPU} if webgpu else {})
    for key, one in wanted.items():
        files |= {f"{RUNTIME}{name}": data for name, data in runtime.files_of(one, package).items()}
        config[key] = {
            "module": f"{RUNTIME}{one.module}",
            "wasm": f"{RUNTIME}{one.wasm}",
            "version": one.sums[1],
        }
    files |= {f"{RUNTIME}{name}": data for name, data in runtime.notices().items()}
    files["LICENSES.txt"] = LICENCES.encode()
    return files, config


LICENCES = f"""{MARK}

page/, index.html, service-worker.js, icon.svg: figment, MIT licence,
Copyright (c) 2026 The figment authors.

{RUNTIME}: onnxruntime-web {runtime.VERSION}, MIT licence, Copyright (c) Microsoft Corporation.
Its licence is {RUNTIME}LICENSE; the notices of other software in it are
{RUNTIME}ThirdPartyNotices.txt, from the Python package of onnxruntime, since the npm
package has none: they are of a build with more parts than this one.

models/: each model.json says, under "card", the licence of its model and what of the
training data it carries, under "carries".

{runtime.MIT.replace("Microsoft Corporation", "2026 The figment authors")}"""
"""What a site says of the terms of its parts."""
