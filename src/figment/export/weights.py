"""``figment export --to safetensors``: one file of weights that says all of itself, nothing of its machine.

It is what ``figment.load`` and every command that draws open, as they do a snapshot of a run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from figment.export.about import facts
from figment.export.subject import Subject
from figment.fields import fields_of, neutral
from figment.files import MARK
from figment.report.labels import amount
from figment.rounds import Playable
from figment.tensors import write_tensors


def note_of(subject: Subject, **said: Any) -> dict[str, Any]:
    """Return what the file says: the recipe, names of classes, and under "model" the facts of model.json.

    ``said`` is that of ``figment.export.about.facts``.
    """
    recipe, classes = subject.generator.recipe, subject.generator.classes
    found = {"made": MARK, "recipe": subject.recipe, "fields": portable(recipe)}
    if subject.images is not None:
        found["images"] = subject.images
    if recipe.classed or recipe.kind == "points":
        found |= {"data": subject.data, "classes": list(classes)}
    return {**found, "model": facts(subject, **said)}


def write_weights(subject: Subject, path: Path, **said: Any) -> str:
    """Write the file at once; return a sentence that says how large it is."""
    write_tensors(path, subject.generator.net.state_dict(), note_of(subject, **said))
    return f"{amount(path.stat().st_size)}B, float32, with the recipe inside"


def portable(recipe: Playable) -> dict[str, Any]:
    """Return a recipe's fields without paths of this machine, such as a file of features to score by."""
    found = fields_of(recipe)
    for name, value in found.items():
        if isinstance(value, str) and ("/" in value or "\\" in value):
            found[name] = neutral(type(recipe), name)
    return found
