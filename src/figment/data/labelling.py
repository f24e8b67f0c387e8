"""Which pictures of a data set are labelled: as many of each class by the seed, or those of a list."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from figment.data.dataset import Dataset
from figment.data.names import names_of
from figment.errors import UserError
from figment.randomness import stream


def choose_labelled(
    dataset: Dataset,
    rows: np.ndarray,
    class_names: Sequence[str],
    *,
    classes: int,
    labelled: int,
    labelled_list: str,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the labelled pictures among the ``rows`` that are learned from, and their classes.

    ``labelled`` of them, as many of each of the ``classes``, drawn by the seed; or those of the file
    ``labelled_list``. UserError where there are too few.
    """
    if class_names and dataset.classes and dataset.classes != tuple(class_names):
        lost = ", ".join(sorted({*class_names} - {*dataset.classes}))
        raise UserError(
            f"no picture of {lost} in {dataset.source} can be read: remove that class's folder, or "
            "add pictures to it"
        )
    if labelled_list:
        return _listed(dataset, rows, class_names, labelled_list)
    each, chosen = labelled // classes, []
    of_class = [rows[dataset.labels[rows] == label] for label in range(classes)]
    fewest = min(map(len, of_class))
    if fewest < each:
        raise UserError(
            f"--labelled {labelled} takes {each} pictures of each class, and the smallest class has "
            f"{fewest} to learn from: use at most --labelled {fewest * classes}"
        )
    for label, own in enumerate(of_class):
        chosen.append(stream("labelled", seed, label).permutation(own)[:each])
    found = np.concatenate(chosen)
    return found, dataset.labels[found]


def read_list(path: str) -> list[tuple[str, str]]:
    """Return (picture, class or "") for each line of a list; UserError where it cannot be read."""
    if Path(path).expanduser().exists() and not Path(path).expanduser().is_file():
        raise UserError(f"{path} is no file: give a list of pictures")  # a pipe would be waited for
    try:
        lines = Path(path).expanduser().read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read as a list of pictures ({error})") from None
    parts = [line.partition("\t") for line in lines if line.strip()]
    found = [(place.strip().removeprefix("./"), name.strip()) for place, _, name in parts]
    if not found:
        raise UserError(f"{path} is empty: write one labelled picture on each line")
    places = [place for place, _ in found]
    if len(set(places)) < len(places):
        twice = next(place for place in places if places.count(place) > 1)
        raise UserError(f"{path} names {twice} twice: leave one out")
    return found


def _listed(
    dataset: Dataset, rows: np.ndarray, class_names: Sequence[str], labelled_list: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the pictures of the list and their classes."""
    where, learned = {name: row for row, name in enumerate(names_of(dataset))}, {*rows.tolist()}
    number = {name: label for label, name in enumerate(class_names)}
    found: list[tuple[int, int]] = []
    for place, written in read_list(labelled_list):
        if place not in where:
            raise UserError(
                f"{labelled_list} names {place}, which {dataset.source} does not hold: "
                "give paths as they are below it"
            )
        row = where[place]
        if row not in learned:
            raise UserError(
                f"{place} is labelled, but held out of training: set --held-out 0, or remove it from "
                f"{labelled_list}"
            )
        name = written or (dataset.classes[dataset.labels[row]] if dataset.classes else "")
        if name not in number:
            raise UserError(
                f"{place} has the class {name!r}, not one of {', '.join(number)}: "
                "write it after a tab"
            )
        found.append((row, number[name]))
    chosen, labels = np.array(found).T
    missing = [name for name, label in number.items() if label not in labels]
    if missing:
        raise UserError(f"{labelled_list} names no picture of {missing[0]}: add some")
    return chosen, labels
