"""The runs that are served: opened, and opened anew when their weights change."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from shlex import quote
from typing import Any, Literal

import torch

from figment.errors import UserError
from figment.export.about import facts
from figment.export.subject import Subject, plain_name
from figment.progress import say
from figment.sampling.generator import Generator
from figment.serve import kept
from figment.serve.drawing import Drawing
from figment.serve.engines import Engine, OnnxEngine, TorchEngine
from figment.serve.texts import sayable
from figment.training import folder
from figment.training.devices import choose_device
from figment.units import duration

Choice = Literal["auto", "onnx", "torch"]
NEEDED = ("onnx", "onnxscript", "onnxruntime")
CURE = "pip install 'figment-gan[serve]'"
WARM = (1, 1, 4)
"""Pictures of the batches that are drawn to see what a picture takes; the last of them counts."""
PATIENCE = 90.0
"""Seconds that finding a generator's directions may take when it is opened."""


@dataclass(frozen=True)
class How:
    """How runs are opened."""

    engine: Choice = "auto"
    device: str = "auto"
    trust: bool = False
    title: str = ""


@dataclass(eq=False)
class Opened:
    """A generator at a moment of its run."""

    name: str
    generator: Generator
    engine: Engine
    about: dict[str, Any]
    """model.json, see ``figment.export.about``."""
    version: str
    """Of the weights and of what draws them: what is alike in it draws alike."""
    cost: float
    """Seconds that a picture takes in a batch, as measured."""

    @property
    def styled(self) -> bool:
        """Whether it is styles that are truncated, and can be mixed."""
        return "styles" in self.about


class Model:
    """A run, or a file of weights, under the name that it is served by."""

    def __init__(self, name: str, path: Path, how: How) -> None:
        self.name, self.path, self.how = name, path, how
        self.opened: Opened | None = None
        """None while a run in training has no weights yet."""
        self._stamp: tuple[object, ...] = ()

    @property
    def run(self) -> Path | None:
        """The folder of the run, None where a file of weights stands alone."""
        return self.path if self.path.is_dir() else None

    @property
    def training(self) -> bool:
        """Whether a process is training it now."""
        return self.run is not None and folder.in_training(self.run)

    def refresh(self) -> bool:
        """Open the run's weights where they are others than those that are open; return whether they were.

        Raises UserError where there are none, or they cannot be opened.
        """
        stamp = self._seen()
        if stamp == self._stamp:
            return False
        self.opened = _opened(self.name, self.path, self.how, training=bool(stamp[-1]))
        self._stamp = stamp
        return True

    def _seen(self) -> tuple[object, ...]:
        """What tells one state of the weights from another, and whether they are of a run in training."""
        weights = self.path if self.path.is_file() else folder.weights_of(self.path)
        status = os.stat(weights)
        return weights, status.st_mtime_ns, status.st_size, status.st_ino, self.training


def open_models(paths: Sequence[str | Path], how: How) -> dict[str, Model]:
    """Return the runs at these paths by name, opened. Raises UserError where one cannot be served.

    A run without weights is served if it is being trained: its live view.
    """
    if how.engine == "onnx":
        refuse_without_onnx()
    models: dict[str, Model] = {}
    for path in map(Path, paths):
        model = Model(_free(_name(path), models), path, how)
        try:
            model.refresh()
        except UserError:
            if not model.training:
                raise
        models[model.name] = model
    return models


def refuse_without_onnx() -> None:
    """Raise UserError where onnxruntime, or what makes its files, is missing."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise UserError(f"--engine onnx needs {', '.join(missing)}: {CURE}")


def _name(path: Path) -> str:
    """Return the name that a run goes by in addresses: its folder's, in plain letters."""
    path = path.resolve()
    if path.is_file():
        path = path.parent.parent if path.parent.name == "snapshots" else path.with_suffix("")
    return plain_name(path.name)


def _free(name: str, taken: dict[str, Model]) -> str:
    number, found = 2, name
    while found in taken:
        found, number = f"{name}-{number}", number + 1
    return found


def _opened(name: str, path: Path, how: How, *, training: bool) -> Opened:
    """Open a generator, choose what draws it, and measure what a picture takes."""
    subject = Subject(path, trust=how.trust)
    generator = subject.generator
    if generator.recipe.kind != "images":
        raise UserError(
            f"{path} makes points, which are no pictures to serve: "
            f"`figment report {quote(str(path))}` shows them"
        )
    weights = _digest(subject.weights)
    engine = _engine(subject, weights, how, training=training)
    found = sayable({**facts(subject, title=how.title), "name": name})
    version = hashlib.sha256(f"{weights} {engine.name} {found['figment']}".encode()).hexdigest()
    found |= {"version": version[:16], "engine": engine.name}
    opened = Opened(name, generator, engine, found, version[:16], cost=1.0)
    opened.cost = _measured(opened)
    # those of a run in training would be others soon
    found["directions"] = [] if training else _directions(opened, weights)
    return opened


def _directions(opened: Opened, weights: str) -> list[dict[str, Any]]:
    """Return the sliders of the page, none where finding them out would take too long."""
    seconds = opened.cost * kept.DRAWN
    if (known := kept.directions_of(opened.generator, weights, find=seconds < PATIENCE)) is None:
        say(f"{opened.name} has no sliders: to find its directions would take {duration(seconds)}")
    return known or []


def _engine(subject: Subject, weights: str, how: How, *, training: bool) -> Engine:
    """Return what draws: onnxruntime where it can, but for weights that are soon to be others."""
    place = choose_device(how.device)
    possible = place.type == "cpu" and not training and all(map(find_spec, NEEDED))
    if how.engine == "onnx" or (how.engine == "auto" and possible):
        try:
            return OnnxEngine(kept.onnx_of(subject, weights), subject.generator)
        except UserError as error:
            if how.engine == "onnx":
                raise
            say(f"{subject.name} is drawn by torch: {error}")
    subject.generator.net.to(place)
    return TorchEngine(subject.generator)


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _measured(opened: Opened) -> float:
    """Return the seconds that a picture takes in a batch of a few."""
    taken = 1.0
    for count in WARM:
        recipe = opened.generator.recipe
        labels = recipe.labels_for(range(count), torch.device("cpu"))
        wanted = Drawing(recipe.latents(range(count)), labels)
        began = time.perf_counter()
        opened.engine.draw(wanted)
        taken = (time.perf_counter() - began) / count
    return max(taken, 1e-6)
