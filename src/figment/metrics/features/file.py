"""A user's own feature network, from a TorchScript or ONNX file.

Its contract: uint8 pictures [N, 3, H, W] -> features [N, D]. The file resizes and normalises by itself.
"""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from figment.errors import UserError
from figment.metrics.features.extractor import Extractor, protocol
from figment.metrics.features.weights import sha256

SCRIPTS = {".pt", ".pth", ".ts"}
SIDES = (64, 224, 299)  # px of the pictures a file is tried with

Run = Callable[[Tensor], Tensor]  # uint8 [N, 3, H, W] -> [N, D]


def open_file(given: str, device: torch.device) -> Extractor:
    """Return the extractor of a file; it runs in the number format that the file was made in.

    ONNX runs on the CPU. Raises UserError for a file that is missing, unreadable or not of the contract.
    """
    path = Path(given).expanduser()
    if not path.is_file():
        raise UserError(f"there is no file {path}: give file:PATH of a TorchScript or ONNX network")
    run = read(path, device)
    width = _width(run, path)

    def network(images: Tensor) -> tuple[Tensor, None]:
        return _checked(run, images, path, width), None

    return Extractor(
        name=f"file:{given}",
        protocol=protocol(f"file {path.name}", f"weights {sha256(path)[:8]}", "not resized here"),
        width=width,
        has_logits=False,
        network=network,
        resize=lambda images: images,
        batch=64,
        device=torch.device("cpu") if path.suffix.lower() == ".onnx" else device,
    )


def read(path: Path, device: torch.device) -> Run:
    """Return the function that a file holds, by the ending of its name."""
    ending = path.suffix.lower()
    if ending in SCRIPTS:
        return _torchscript(path, device)
    if ending == ".onnx":
        return _onnx(path)
    raise UserError(
        f"{path} is neither TorchScript (.pt, .pth, .ts) nor ONNX (.onnx): export it to one"
    )


def usable(given: str) -> bool:
    """Return whether the file is there, with the library that runs it."""
    path = Path(given).expanduser()
    needs = "onnxruntime" if path.suffix.lower() == ".onnx" else "torch"
    return path.is_file() and importlib.util.find_spec(needs) is not None


def _torchscript(path: Path, device: torch.device) -> Run:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of TorchScript, for new work
            return torch.jit.load(path, map_location=device).eval()
    except (OSError, RuntimeError, ValueError) as error:
        raise UserError(
            f"{path} is not TorchScript ({_first_line(error)}): write it with torch.jit.save"
        ) from None


def _onnx(path: Path) -> Run:
    try:
        onnxruntime = importlib.import_module("onnxruntime")
    except ImportError:
        raise UserError(f"{path} needs onnxruntime: pip install onnxruntime") from None
    try:
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors share no class
        raise UserError(f"{path} is not ONNX ({_first_line(error)}): export it again") from None
    name = session.get_inputs()[0].name

    def run(images: Tensor) -> Tensor:
        return torch.from_numpy(
            np.asarray(session.run(None, {name: images.contiguous().numpy()})[0])
        )

    return run


def _width(run: Run, path: Path) -> int:
    """D, learnt from blank pictures of the usual sides."""
    failure = None
    for side in SIDES:
        try:
            return _checked(run, torch.zeros(2, 3, side, side, dtype=torch.uint8), path).shape[1]
        except UserError as error:
            failure = failure or error
    raise failure or AssertionError


def _checked(run: Run, images: Tensor, path: Path, width: int | None = None) -> Tensor:
    try:
        with torch.inference_mode():
            features = run(images)
    except Exception as error:  # whatever a stranger's network raises
        shape = "x".join(map(str, images.shape))
        raise UserError(
            f"{path} does not take uint8 pictures {shape} ({_first_line(error)}):"
            " it has to map uint8 [N, 3, H, W] to [N, D]"
        ) from None
    if not isinstance(features, Tensor) or features.ndim != 2 or len(features) != len(images):
        shape = list(features.shape) if isinstance(features, Tensor) else type(features).__name__
        raise UserError(
            f"{path} gave {shape} for {len(images)} pictures: it has to map uint8 [N, 3, H, W] to [N, D]"
        )
    if width is not None and features.shape[1] != width:
        raise UserError(
            f"{path} gives {features.shape[1]} features for one size of picture, {width} for"
            " another: it has to pool them"
        )
    return features


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
