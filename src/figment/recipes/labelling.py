"""Which pictures of a data set are labelled: as many of each class by the seed, or those of a list."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from figment.errors import UserError

if TYPE_CHECKING:
    import numpy as np

    from figment.data import Dataset
    from figment.recipes.semisupervised import SemiSupervised


def choose(
    recipe: SemiSupervised, dataset: Dataset, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the labelled pictures among the ``rows`` that are learned from, and their classes.

    As many of each class, drawn by the seed, or those of the list. UserError where there are too few.
    """
    import numpy as np

    from figment.randomness import stream

    if recipe.class_names and dataset.classes and dataset.classes != recipe.class_names:
        lost = ", ".join(sorted({*recipe.class_names} - {*dataset.classes}))
        raise UserError(f"no picture of {lost} in {dataset.source} can be read: take it out")
    if recipe.labelled_list:
        return _listed(recipe, dataset, rows)
    each, chosen = recipe.labelled // recipe.classes, []
    of_class = [rows[dataset.labels[rows] == label] for label in range(recipe.classes)]
    fewest = min(map(len, of_class))
    if fewest < each:
        raise UserError(
            f"labelled {recipe.labelled} takes {each} pictures of each class, and there is one with "
            f"{fewest} to learn from: at most --labelled {fewest * recipe.classes}"
        )
    for label, own in enumerate(of_class):
        chosen.append(stream("labelled", recipe.seed, label).permutation(own)[:each])
    found = np.concatenate(chosen)
    return found, dataset.labels[found]


def read_list(path: str) -> list[tuple[str, str]]:
    """Return (picture, class or "") for each line of a list; UserError where it cannot be read."""
    try:
        lines = Path(path).expanduser().read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read as a list of pictures ({error})") from None
    parts = [line.partition("\t") for line in lines if line.strip()]
    found = [(place.strip().removeprefix("./"), name.strip()) for place, _, name in parts]
    if not found:
        raise UserError(f"{path} is empty: name a labelled picture a line")
    places = [place for place, _ in found]
    if len(set(places)) < len(places):
        twice = next(place for place in places if places.count(place) > 1)
        raise UserError(f"{path} names {twice} twice: leave one out")
    return found


def _listed(
    recipe: SemiSupervised, dataset: Dataset, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the pictures of the list and their classes."""
    import numpy as np

    from figment.data.names import names_of

    where, learned = {name: row for row, name in enumerate(names_of(dataset))}, {*rows.tolist()}
    number = {name: label for label, name in enumerate(recipe.class_names)}
    found: list[tuple[int, int]] = []
    for place, told in read_list(recipe.labelled_list):
        if place not in where:
            raise UserError(
                f"{recipe.labelled_list} names {place}, which {dataset.source} does not hold: "
                "give paths as they are below it"
            )
        row = where[place]
        if row not in learned:
            raise UserError(f"{place} is labelled and held out: set --held-out 0, or unlist it")
        name = told or (dataset.classes[dataset.labels[row]] if dataset.classes else "")
        if name not in number:
            raise UserError(
                f"{place} has the class {name!r}, not one of {', '.join(number)}: "
                "write it after a tab"
            )
        found.append((row, number[name]))
    chosen, labels = np.array(found).T
    missing = [name for name, label in number.items() if label not in labels]
    if missing:
        raise UserError(f"{recipe.labelled_list} names no picture of {missing[0]}: add some")
    return chosen, labels
