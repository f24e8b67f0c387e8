"""What draws: torch, or onnxruntime, which is faster for single pictures on a CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from torch import Tensor

from figment.pixels import to_uint8
from figment.sampling.generator import Generator
from figment.serve.drawing import Drawing

if TYPE_CHECKING:
    import onnxruntime


class Engine(Protocol):
    """Draws a whole batch at once, in the thread that calls it."""

    name: str

    def draw(self, wanted: Drawing) -> np.ndarray:
        """Return the pictures, uint8 [N, C, R, R]."""
        ...


class TorchEngine:
    """Draws as ``figment sample`` does."""

    name = "torch"

    def __init__(self, generator: Generator) -> None:
        self.generator = generator

    def draw(self, wanted: Drawing) -> np.ndarray:
        """Return the pictures, uint8 [N, C, R, R]."""
        count = len(wanted.latents)
        if wanted.second is None:
            how = {"batch": count, "truncation": wanted.truncation}
            return self.generator.draw(wanted.latents, wanted.labels, **how).numpy()
        return self._mixed(wanted)

    @torch.inference_mode()
    def _mixed(self, wanted: Drawing) -> np.ndarray:
        recipe, net = self.generator.recipe, self.generator.net
        device = next(net.parameters()).device
        labels = None if wanted.labels is None else wanted.labels.to(device)
        layered = layered_styles(wanted, net, lambda z: recipe.style(net, z.to(device), labels))
        return to_uint8(net(layered)).cpu().contiguous().numpy()


class OnnxEngine:
    """Draws by onnxruntime, from the graphs that ``figment export`` writes.

    Mixtures of classes, which the graphs do not take, are torch's.
    """

    name = "onnx"

    def __init__(self, files: dict[str, bytes], generator: Generator) -> None:
        self.generator = generator
        self.sessions = {name: session(data) for name, data in files.items()}
        """By name: "generator", before it "mapping" for a generator with styles."""

    def draw(self, wanted: Drawing) -> np.ndarray:
        """Return the pictures, uint8 [N, C, R, R]."""
        if wanted.labels is not None and wanted.labels.ndim > 1:
            return TorchEngine(self.generator).draw(wanted)
        given = {"latents": wanted.latents.numpy()}
        if wanted.labels is not None:
            given["labels"] = wanted.labels.numpy()
        if "mapping" in self.sessions:
            given = {"styles": self._styles(wanted, given)}
        return to_uint8(torch.from_numpy(self._run("generator", given))).numpy()

    def _styles(self, wanted: Drawing, given: dict[str, np.ndarray]) -> np.ndarray:
        """Return the styles of every layer [N, layers, W]."""

        def styles(latents: Tensor) -> Tensor:
            return torch.from_numpy(self._run("mapping", {**given, "latents": latents.numpy()}))

        return layered_styles(wanted, self.generator.net, styles).contiguous().numpy()

    def _run(self, name: str, given: dict[str, np.ndarray]) -> np.ndarray:
        opened = self.sessions[name]
        wanted = {each.name: given[each.name] for each in opened.get_inputs()}
        return np.asarray(opened.run(None, wanted)[0])


def layered_styles(wanted: Drawing, net: Any, styles: Callable[[Tensor], Tensor]) -> Tensor:
    """Return the styles of every layer [N, layers, W], truncated, and mixed where there is a second.

    ``styles`` makes styles [N, W] of latents; ``net`` is the generator, see ``Recipe.style``.
    """

    def layered(latents: Tensor) -> Tensor:
        found = styles(latents)
        if wanted.truncation is not None:
            found = net.mean_style.to(found).lerp(found, wanted.truncation)
        return found[:, None].expand(-1, net.layers, -1)

    first = layered(wanted.latents)
    if wanted.second is None:
        return first
    mixed = first.clone()
    mixed[:, wanted.second.layer :] = layered(wanted.second.latents)[:, wanted.second.layer :]
    return mixed


def session(data: bytes) -> onnxruntime.InferenceSession:
    """Return an onnxruntime session on the CPU, with as many threads as torch has."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
