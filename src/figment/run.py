"""Runs, opened: their generator, classifier, log, scores, findings and report."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from figment import hub
from figment.errors import UserError
from figment.opened import (
    known_fields,
    load_classifier,
    load_generator,
    open_data,
    read_run,
)
from figment.training import folder

if TYPE_CHECKING:
    import numpy as np
    import torch

    from figment.data import Dataset
    from figment.doctor.finding import Finding, Findings
    from figment.judging.classifier import Classes, Classifier
    from figment.judging.evaluation import Evaluation
    from figment.recipe import Recipe
    from figment.sampling.generator import Generator
    from figment.sampling.pictures import Pictures


class Run:
    """A run folder, opened. Its log, findings and report are read from JSON alone.

    A generator without a run (a snapshot, an export for the Hub) is opened as one that has no log.
    """

    def __init__(self, path: str | Path, *, stopped_by: int = 0, trust: bool = False) -> None:
        self.path = Path(path)
        self.stopped_by = stopped_by
        """The signal that ended its training, 0 if it came to its end."""
        self.trust = trust
        """Whether a recipe that is not built in may be imported."""
        self.alone = folder.alone(self.path)
        """The file of weights where there is a generator and no run, else None."""
        read = folder.read(self.path) if self.alone is None else folder.read_alone(self.alone)
        self.name, self.fields, self.machine = read

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}, recipe {self.name})"

    def _refuse_alone(self, what: str) -> None:
        if self.alone is not None:
            raise UserError(f"{self.path} is a generator without its run, which has no {what}")

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe. Raises UserError where it is not built in and not trusted, or not to be found."""
        return read_run(self.path, trust=self.trust)[1]

    @cached_property
    def generator(self) -> Generator:
        """The best generator of the run, or else the latest: ``run.generator.sample(16)``."""
        from figment.training.devices import choose_device

        return load_generator(self.weights(), choose_device(), trust=self.trust)

    @cached_property
    def classifier(self) -> Classifier | None:
        """What the run has learned to tell classes by, None where its recipe learns no such thing."""
        from figment.training.devices import choose_device

        return self._classifier_on(choose_device())

    def _classifier_on(self, device: torch.device) -> Classifier | None:
        path = self.path / folder.CLASSIFIER
        return load_classifier(path, device, trust=self.trust) if path.exists() else None

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
        return folder.weights_of(self.path)

    def log(self) -> list[dict]:
        """Return the lines of the log."""
        from figment.training.log import read_log

        self._refuse_alone("log")
        return read_log(self.path)

    def evaluate(self, against: str | None = None, **how: Any) -> Evaluation:
        """Score the run's samples, write evaluation.json and its pictures, and return the scores.

        Against the data it was trained on, with what was held out of training kept apart, or against other
        data. ``how`` is that of ``figment.judging.evaluate.evaluate_generator``; its ``out`` is the run.
        """
        from figment import mesh
        from figment.judging.evaluate import evaluate_generator
        from figment.training.devices import choose_device

        folder.refuse_links(self.path)
        device = choose_device(how.get("device", "auto"))
        home = self.path if self.alone is None else None
        how = {"out": home, **how, "device": str(device)}
        dataset, held_out = open_data(
            self.path, against, trust=self.trust, progress=how.get("progress", True)
        )
        weights = self.weights()
        found = evaluate_generator(
            load_generator(weights, device, trust=self.trust),
            dataset,
            held_out=held_out,
            classifier=self._classifier_on(device),
            source=str(self.path),
            **how,
        )
        found.weights, found.images = weights.name, folder.images_of(weights)
        found.own_data = held_out is not None
        if mesh.is_first() and how["out"] is not None:
            found.write(how["out"])
        return found

    def _repr_html_(self) -> str:
        """Return what a notebook shows: how far it got, how good it is, and what it makes."""
        from figment.report.cell import run_cell

        if self.alone is not None:
            return self.generator._repr_html_()
        return run_cell(self.path)

    def doctor(self) -> Findings:
        """Return what the doctor finds in the run's files, the worst first, and write it to doctor.json."""
        from figment.doctor.finding import Findings
        from figment.files import write_json

        log = self.log()
        findings = Findings(findings_of(self.path, log))
        images = log[-1]["images"] if log else 0
        found = {"images": images, "findings": [finding._asdict() for finding in findings]}
        write_json(self.path / "doctor.json", found)
        return Findings(finding.of(self.path) for finding in findings)

    def training_data(self) -> tuple[Dataset, np.ndarray]:
        """Return the run's data and the rows of them that it learns from."""
        from figment.data import split

        dataset, held_out = open_data(self.path, trust=self.trust)
        assert held_out is not None  # its own data
        return dataset, split(dataset, *held_out)[0]

    def report(self) -> Path:
        """Write the run's report and model card; return the report's path."""
        from figment.report.card import write_card
        from figment.report.page import write_report

        self._refuse_alone("report")
        write_card(self.path)
        return write_report(self.path)


def findings_of(path: Path, log: list[dict]) -> list[Finding]:
    """Return what the doctor finds in the log of a run, as long as it is or cut off, from its files alone.

    Flags are advised that the recipe takes; those of a recipe that is not built in are not asked, since its
    code is not run.
    """
    from figment.doctor.diagnosis import diagnose
    from figment.doctor.remedies import taken
    from figment.recipe import with_fields
    from figment.recipes import SYSTEMS, system_fields
    from figment.training.monitor import read_measurements

    name, fields, machine = folder.read(path)
    fields, system = known_fields(name, fields), SYSTEMS.get(name)
    own = system_fields(name, fields, machine)
    end = log[-1]["images"] if log else 0
    scores = [line for line in read_measurements(path) if line["images"] <= end]
    begun, data = "from" in machine, machine["data"]
    findings = diagnose(log, fields, data, scores, own, _evaluation(path), begun=begun)
    if system is not None:
        with suppress(UserError):  # damaged fields
            return taken(with_fields(system.recipe, fields), findings)
    return findings


def _evaluation(path: Path) -> dict[str, Any]:
    """Return a run's evaluation.json where it is of its own data and the weights drawn from, else {}."""
    from figment.judging.evaluation import read_evaluation

    with suppress(UserError):  # no weights yet
        weights, found = folder.weights_of(path), read_evaluation(path) or {}
        drawn = {"weights": weights.name, "images": folder.images_of(weights)}
        same = all(found.get(name) == value for name, value in drawn.items())
        if same and found.get("own_data", True):  # which earlier versions did not say
            return found
    return {}


def load(path: str | Path, *, trust: bool = False) -> Run:
    """Return the run in a folder, a generator in a file of weights, or one of the Hub, ``owner/name``.

    What is on this disk comes first. Raises UserError if there is none.

    ``trust``: a recipe of one's own, which the run only names, may be imported when it is needed. See
    docs/safety.md.
    """
    if isinstance(path, str) and hub.is_name(path):
        path = hub.fetched(path)
    return Run(path, trust=trust)
