"""Whether an exported graph draws what the generator draws: in onnxruntime, against torch."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from figment.errors import UserError
from figment.export.graph import inputs, needed, networks, styled
from figment.pixels import to_uint8
from figment.sampling.generator import Generator

if TYPE_CHECKING:
    import onnx

BATCHES = (1, 3, 17)
TOLERANCE = 1e-4
"""Largest difference of a float32 graph, where pictures reach from -1 to 1."""
ROUNDINGS = 4
"""Times that a graph may differ as much as the network's own float32 does from float64."""
PICTURES = 64
"""Pictures that a form's difference is measured on,"""
PART = 8
"""so many at once: 64 through a wide generator took 10 GB."""


class Difference(NamedTuple):
    """How far an exported generator's pictures are from torch's: of 255, or of points in their unit."""

    mean: float
    max: float


def session_of(model: onnx.ModelProto | bytes) -> Any:
    """Return onnxruntime's session of a graph, on the CPU, with as many threads as torch has."""
    runtime = needed()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors: it warns of every weight that it folds
    # int8 weights become float32 when the session begins, not in every call.
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    data = model if isinstance(model, bytes) else model.SerializeToString()
    return runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def refuse_wrong(generator: Generator, models: dict[str, onnx.ModelProto]) -> float:
    """Return the largest difference between graphs and networks; raise UserError above ``TOLERANCE``.

    In batches of 1, 3 and 17, and relative to the largest output: pictures of an untrained generator are
    nearly grey, which would hide any mistake. A network that rounds off more than that itself, as a steep
    tanh does, is allowed a few times what it does.
    """
    worst, allowed = 0.0, TOLERANCE
    for name, model in models.items():
        session, net = session_of(model), networks(generator)[name]
        for batch in BATCHES:
            given = inputs(generator, name, range(batch))
            with torch.inference_mode():
                expected = net(**given).numpy()
            found = session.run(None, {key: value.numpy() for key, value in given.items()})[0]
            if found.shape != expected.shape:
                raise UserError(
                    f"the graph of this generator draws {list(found.shape)} where it draws "
                    f"{list(expected.shape)}: its forward has to take the batch from x.shape[0]"
                )
            apart = relative(found, expected)
            if not apart <= TOLERANCE:
                allowed = max(allowed, ROUNDINGS * rounding(net, given, expected))
            worst = max(worst, apart)
    if not worst <= allowed:
        raise UserError(
            f"the graph of this generator differs from it by {worst:.2g} where pictures reach from -1 to 1 "
            f"(at most {allowed:.1g}): {_cure(generator)}"
        )
    return worst


def _cure(generator: Generator) -> str:
    """Return what to do about a graph that is wrong: only code of one's own may be to blame for it."""
    if type(generator.recipe).__module__.startswith("figment."):
        return (
            "--to safetensors writes its weights as they are, and another version of onnxscript or "
            "onnxruntime may write a graph that is right"
        )
    return "does its forward draw random numbers, or branch on what it is given?"


def rounding(net: nn.Module, given: dict[str, Tensor], expected: np.ndarray) -> float:
    """Return how far a network's float32 output is from its output in float64: 0 where it has none."""
    wide = {key: x.double() if x.is_floating_point() else x for key, x in given.items()}
    try:
        with torch.inference_mode():
            exact = copy.deepcopy(net).double()(**wide).numpy()
    except (RuntimeError, TypeError):
        return 0.0
    return relative(expected, exact)


def relative(found: np.ndarray, expected: np.ndarray) -> float:
    """Return the largest difference, where the largest number expected is widened to 1."""
    reach = float(np.abs(expected).max(initial=0.0))
    apart = float(np.abs(found.astype(np.float64) - expected).max(initial=0.0))
    return apart / min(1.0, reach) if reach > 0 else apart


def difference(generator: Generator, models: dict[str, onnx.ModelProto]) -> Difference:
    """Return how far the graphs' pictures of the first seeds are from torch's, as bytes."""
    sessions = {name: session_of(model) for name, model in models.items()}
    parts = [range(first, first + PART) for first in range(0, PICTURES, PART)]
    apart = np.concatenate([_apart(generator, sessions, seeds) for seeds in parts])
    return Difference(round(float(apart.mean()), 6), round(float(apart.max()), 6))


def _apart(generator: Generator, sessions: dict[str, Any], seeds: range) -> np.ndarray:
    """Return how far each number of these seeds' pictures is from torch's [N, ...]."""
    recipe = generator.recipe
    labels = recipe.labels_for(seeds, torch.device("cpu"))
    expected = generator.draw(recipe.latents(seeds), labels).numpy()
    first, net = next(iter(sessions)), styled(generator)
    given = {key: value.numpy() for key, value in inputs(generator, first, seeds).items()}
    found: np.ndarray = sessions[first].run(None, given)[0]
    if net is not None:
        layers = np.repeat(found[:, None], net.layers, axis=1)  # [N, layers, W]
        found = sessions["generator"].run(None, {"styles": layers})[0]
    if recipe.kind == "images":
        found = to_uint8(torch.from_numpy(found)).numpy()
    return np.abs(found.astype(np.float64) - expected)
