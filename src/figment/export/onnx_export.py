"""``figment export --to onnx``: a file FILE.onnx, or a folder with model.json beside it.

Every file says of itself what it is (metadata ``figment``, the object of model.json), so that a script
without figment can draw from it.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from figment.export.about import about
from figment.export.forms import Form, stored_as
from figment.export.graph import graph_of, networks
from figment.export.measure import difference, refuse_wrong
from figment.export.subject import Subject
from figment.files import MARK
from figment.report.labels import amount

if TYPE_CHECKING:
    import onnx


class Exported(NamedTuple):
    """A generator as ONNX."""

    about: dict[str, Any]
    """The object of model.json."""
    files: dict[str, bytes]
    """ONNX files by what they are: "generator", and before it "mapping" where there are styles."""
    said: str
    """How large and how exact it is, as a sentence."""


def onnx_files(subject: Subject, form: Form = "fp32", *, name: str = "", **said: Any) -> Exported:
    """Return a generator as ONNX files and their model.json.

    ``name`` is that of the generator's file, if it is not generator.onnx; ``said`` is that of
    ``figment.export.about.about``. Raises UserError where the extra is missing, or the float32 graph
    differs from the generator by more than 1e-4.
    """
    generator = subject.generator
    whole = {part: graph_of(generator, part) for part in networks(generator)}
    worst = refuse_wrong(generator, whole)
    stored = {part: stored_as(model, form) for part, model in whole.items()}
    apart = difference(generator, stored)
    found = about(subject, **said)
    stem = name.removesuffix(".onnx") if name else ""
    for part in stored:
        own = f"{stem}.{part}.onnx" if name else f"{part}.onnx"
        found[part] = {"file": name if name and part == "generator" else own, "form": form}
    found["generator"]["difference"] = apart._asdict()
    files = {}
    for part, model in stored.items():
        _sign(model, found)
        files[part] = model.SerializeToString()
    for part, data in files.items():
        found[part] |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    return Exported(found, files, _said(found, worst))


def _said(found: dict[str, Any], worst: float) -> str:
    parts = [found[part] for part in ("mapping", "generator") if part in found]
    size = sum(part["bytes"] for part in parts)
    apart, drawn = found["generator"]["difference"], found["kind"]
    unit = " of 255" if drawn == "images" else ""
    return (
        f"{amount(size)}B of ONNX, weights in {found['generator']['form']}; its {drawn} differ from "
        f"torch's by {apart['mean']:.2g}{unit} on average, {apart['max']:.2g} at most (the float32 "
        f"graph by {worst:.0e} of 1)"
    )


def _sign(model: onnx.ModelProto, found: dict[str, Any]) -> None:
    """Write into a graph what it is, for people and for programs."""
    import onnx

    card = found["card"]
    onnx.helper.set_model_props(
        model,
        {
            "figment": json.dumps(found),
            "recipe": found["recipe"],
            "classes": json.dumps(found["classes"]),
            "licence": card["licence"],
            "latents": LAWS[found["latent"]["law"]].format(size=found["latent"]["size"]),
        },
    )
    model.producer_name, model.producer_version = "figment", found["figment"]
    model.doc_string = f"{MARK}. {card['sentence']}"


LAWS = {
    "normal": (
        "float32 [N, {size}], standard normal. The latent of a seed: numpy's Generator(Philox(SeedSequence("
        "[1827798387, seed]))).random({size}), clipped to [2**-53, 1 - 2**-53], through the inverse of the "
        "normal distribution function (scipy.special.ndtri)"
    ),
    "own": "float32 [N, {size}], drawn by the recipe's own code",
}
"""How latents are drawn, in the words of the metadata; 1827798387 is crc32(b"latent")."""
