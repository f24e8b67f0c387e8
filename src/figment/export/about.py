"""model.json: all that a page, a server or a script without figment needs to draw, and to say what it is.

The same object is the metadata ``figment`` of the ONNX file. Nothing of it is a path or a name of a person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from figment.export.card import card_of, carried
from figment.export.directions import directions
from figment.export.graph import styled
from figment.export.subject import Subject
from figment.files import MARK
from figment.randomness import low_discrepancy
from figment.recipes import SYSTEMS
from figment.sampling.latents import latents_of

if TYPE_CHECKING:
    from torch import Tensor

    from figment.sampling.generator import Generator

FORMAT = 1
PROBE = range(40)
"""Seeds on which it is checked that latents and classes follow the law that is written down."""


def about(
    subject: Subject,
    *,
    title: str = "",
    licence: str = "",
    use: str = "",
    progress: bool = True,
) -> dict[str, Any]:
    """Return model.json but for what is known of the files beside it: its ``facts`` and directions.

    Directions are found by drawing a thousand pictures, with a bar on stderr.
    """
    found = facts(subject, title=title, licence=licence, use=use)
    return {**found, "directions": directions(subject.generator, progress=progress)}


def facts(subject: Subject, *, title: str = "", licence: str = "", use: str = "") -> dict[str, Any]:
    """Return what a generator is, how its latents are drawn, its card, and what it carries of its data.

    ``licence`` and ``use`` are what the user says of terms and of the use it is meant for.
    """
    from importlib.metadata import version

    generator, recipe = subject.generator, subject.generator.recipe
    system = SYSTEMS.get(subject.recipe)
    found: dict[str, Any] = {
        "figment": version("figment-gan"),
        "format": FORMAT,
        "made": MARK,
        "name": subject.name,
    }
    if title:
        found["title"] = title
    found |= {
        "recipe": subject.recipe,
        "family": type(recipe).__name__,
        "source": system.source if system else "",
        "kind": recipe.kind,
        "resolution": recipe.shape[-1] if recipe.kind == "images" else None,
        "channels": recipe.shape[0] if recipe.kind == "images" else None,
        "images": subject.images,
        "latent": {"size": recipe.latent, "law": law(generator), "stream": "latent"},
        "classes": list(generator.classes),
        "class_ends": ends(generator),
        "truncation": truncation(generator),
        "card": card_of(subject, licence=licence, use=use),
        "carries": carried(subject),
        "nearest": None,
    }
    if (net := styled(generator)) is not None:
        mean = net.mean_style.tolist()
        found["styles"] = {"size": len(mean), "layers": net.layers, "mean": mean}
    return found


def law(generator: Generator) -> str:
    """Return how seeds become latents: "normal" as ``figment.sampling.latents`` has it, or "own".

    Asked of the recipe itself, since one of a user's own may draw otherwise.
    """
    recipe = generator.recipe
    same = torch.equal(recipe.latents(PROBE), latents_of(PROBE, recipe.latent))
    return "normal" if same and _same_classes(generator) else "own"


def ends(generator: Generator) -> list[float] | None:
    """Return the cumulative shares of the classes, None where they come in turn or there are none."""
    shares = getattr(generator.recipe, "class_shares", ())
    if not generator.classes or not shares:
        return None
    return torch.tensor(shares, dtype=torch.float64).cumsum(0).tolist()


def class_of(seed: int, count: int, ends: list[float] | None) -> int:
    """Return the class of a seed as readers of model.json are to find it: the law of ``class_ends``."""
    if ends is None:
        return seed % count
    place = low_discrepancy(seed) * ends[-1]
    return sum(end <= place for end in ends[:-1])


def truncation(generator: Generator) -> dict[str, Any]:
    """Return what truncation acts on, "latents", "styles" or None, and its usual range."""
    recipe = generator.recipe
    if recipe.styled:
        return {"of": "styles", "usual": [0.0, 1.0]}
    cut = latents_of(PROBE, recipe.latent, 1.0)
    whole = torch.equal(recipe.latents(PROBE, 1.0), cut)
    return {"of": "latents" if whole else None, "usual": [0.5, 2.0] if whole else None}


def _same_classes(generator: Generator) -> bool:
    labels: Tensor | None = generator.recipe.labels_for(PROBE, torch.device("cpu"))
    if labels is None:
        return not generator.classes
    shares = ends(generator)
    return labels.tolist() == [class_of(seed, len(generator.classes), shares) for seed in PROBE]
