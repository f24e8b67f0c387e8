"""Runs, opened: their generator, log, report, and going on with them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from figment.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    import torch

    from figment.data import Dataset
    from figment.doctor.finding import Finding
    from figment.judging.classifier import Classes, Classifier
    from figment.judging.evaluate import Evaluation
    from figment.sampling.generator import Generator
    from figment.sampling.pictures import Pictures


class Run:
    """A run folder, opened."""

    def __init__(self, path: str | Path, *, stopped_by: int = 0) -> None:
        from figment.training import folder

        self.path = Path(path)
        self.stopped_by = stopped_by
        self.name, self.recipe, self.machine = folder.read(self.path)

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}, recipe {self.name})"

    @cached_property
    def generator(self) -> Generator:
        """The best generator of the run, or else the latest: ``run.generator.sample(16)``."""
        from figment.training.devices import choose_device

        return self._generator_on(choose_device())

    def _generator_on(self, device: torch.device) -> Generator:
        from figment.sampling.generator import load_generator

        return load_generator(self.weights(), device)

    @cached_property
    def classifier(self) -> Classifier | None:
        """What the run has learned to tell classes by, None where its recipe learns no such thing."""
        from figment.training.devices import choose_device

        return self._classifier_on(choose_device())

    def _classifier_on(self, device: torch.device) -> Classifier | None:
        from figment.judging.classifier import load_classifier
        from figment.training.folder import CLASSIFIER

        path = self.path / CLASSIFIER
        return load_classifier(path, device) if path.exists() else None

    def classify(self, pictures: str | Path | np.ndarray | Pictures) -> Classes:
        """Return the classes of pictures: see ``figment.judging.classifier.Classifier.classify``.

        Raises UserError where the run has no classifier.
        """
        if self.classifier is None:
            raise UserError(
                f"{self.path} tells no classes: train with a recipe that does, such as ssl-mnist"
            )
        return self.classifier.classify(pictures)

    def weights(self) -> Path:
        """Return the file that samples are drawn from. Raises UserError where there is none yet."""
        best = self.path / "best.safetensors"
        snapshots = sorted((self.path / "snapshots").glob("*.safetensors"))
        if best.exists():
            return best
        if not snapshots:
            raise UserError(
                f"{self.path} has no snapshot yet: `figment resume {self.path}` goes on to the first"
            )
        return snapshots[-1]

    def log(self) -> list[dict]:
        """Return the lines of the log."""
        from figment.training.log import read_log

        return read_log(self.path)

    def evaluate(self, against: str | None = None, **how: Any) -> Evaluation:
        """Score the run's samples, write evaluation.json and its pictures, and return the scores.

        Against the data it was trained on, with what was held out of training kept apart, or against other
        data. ``how`` is that of ``figment.judging.evaluate.evaluate_generator``; its ``out`` is the run.
        """
        from figment import mesh
        from figment.judging.evaluate import evaluate_generator
        from figment.training.devices import choose_device

        device = choose_device(how.get("device", "auto"))
        how = {"out": self.path, **how, "device": str(device)}
        dataset, held_out = self._data(against, how.get("progress", True))
        found = evaluate_generator(
            self._generator_on(device),
            dataset,
            held_out=held_out,
            classifier=self._classifier_on(device),
            source=str(self.path),
            **how,
        )
        weights = self.weights()
        found.weights, found.images = weights.name, images_of(weights)
        if mesh.is_first() and how["out"] is not None:
            found.write(how["out"])
        return found

    def doctor(self) -> list[Finding]:
        """Return what the doctor finds in the run's log, the worst first, and write it to doctor.json."""
        from figment.doctor.diagnosis import diagnose
        from figment.files import write_json
        from figment.recipe import fields_of

        log = self.log()
        findings = diagnose(log, fields_of(self.recipe), self.machine["data"])
        images = log[-1]["images"] if log else 0
        found = {"images": images, "findings": [finding._asdict() for finding in findings]}
        write_json(self.path / "doctor.json", found)
        return findings

    def _data(
        self, against: str | None, progress: bool
    ) -> tuple[Dataset, tuple[float, int] | None]:
        """Return data in the form that the run learned, and what it held out if they are its own."""
        from figment.data import open_dataset
        from figment.data.builtin import builtin

        recipe, own = self.recipe, self.machine["data"]
        if against is None and not builtin(own["path"]) and not Path(own["path"]).exists():
            raise UserError(
                f"the data of {self.path} are no longer at {own['path']}: name them with --against"
            )
        dataset = open_dataset(
            against or own["path"],
            resolution=recipe.resolution,
            channels=recipe.channels,
            fit=recipe.fit,
            seed=recipe.seed,
            progress=progress,
        )
        same = dataset.fingerprint == own["fingerprint"]
        if against is None and not same:
            raise UserError(
                f"{own['path']} has changed since {self.path} began: name the data with --against"
            )
        return dataset, (recipe.held_out, recipe.seed) if same else None

    def training_data(self) -> tuple[Dataset, np.ndarray]:
        """Return the run's data and the rows of them that it learns from."""
        from figment.data import split

        dataset, held_out = self._data(None, progress=True)
        assert held_out is not None  # its own data
        return dataset, split(len(dataset), *held_out)[0]

    def report(self) -> Path:
        """Write the run's report and model card; return the report's path."""
        from figment.report.card import write_card
        from figment.report.page import write_report

        write_card(self.path)
        return write_report(self.path)


def load(path: str | Path) -> Run:
    """Return the run in a folder. Raises UserError if there is none."""
    return Run(path)


def evaluate(path: str | Path, *, against: str | None = None, **how: Any) -> Evaluation:
    """Return the scores of a run, or of a folder or zip of pictures ``against`` another.

    A run also gets evaluation.json, its pictures, and a new report.
    """
    from figment import mesh
    from figment.judging.evaluate import evaluate_pictures
    from figment.training.devices import choose_device
    from figment.training.folder import holds_run

    path = Path(path)
    device = choose_device(how.pop("device", "auto"))
    mesh.start(device)
    how["device"] = str(device)
    if holds_run(path):
        run = Run(path)
        found = run.evaluate(against, **how)
        if mesh.is_first():
            run.report()
        return found
    if against is None:
        raise UserError(
            f"{path} is not a run, so there is nothing to compare it with: give --against DATA, "
            "the real pictures"
        )
    if how.pop("seed", 0) != 0 or how.pop("truncation", None) is not None:
        raise UserError(f"{path} is not a run: seed and truncation are for drawing, leave them out")
    found = evaluate_pictures(str(path), against, **how)
    if mesh.is_first() and how.get("out") is not None:
        found.write(how["out"])
    return found


def findings(what: str | Path, *, as_json: bool = False) -> str:
    """Return what the doctor says of a run, whose report then shows it too, or of data."""
    import json

    from figment.doctor.data import examine
    from figment.doctor.text import findings_text
    from figment.training.folder import holds_run

    if holds_run(Path(what)):
        run = Run(what)
        found = run.doctor()
        run.report()
    else:
        found = examine(str(what))
    if as_json:
        return json.dumps([finding._asdict() for finding in found], indent=2)
    return findings_text(found)


def compare(runs: Sequence[str | Path], out: Path | None = None) -> str:
    """Write the page that sets runs side by side; return the table and where the page is."""
    import shutil
    import sys

    from figment.report.compare import comparison_text, write_comparison

    folders = [Run(run).path for run in runs]
    page = write_comparison(folders, out)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    return f"{comparison_text(folders, width)}\n\nlook at {page}"


def images_of(weights: Path) -> int | None:
    """Return where the training was when a file of weights was written."""
    import json

    from safetensors import safe_open

    with safe_open(weights, framework="numpy") as file:
        return json.loads((file.metadata() or {})["figment"]).get("images")
