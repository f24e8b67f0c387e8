"""The weights of an ONNX graph in fewer bytes: as float16, or as int8 with a scale for every few.

Only how weights are stored changes: nodes before the graph's own (Cast, DequantizeLinear) make them
float32, so every sum is float32 in any runtime, on any processor. Dynamic quantisation of activations is
left alone: it does not cover transposed convolutions, most of what a generator is.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

Form = Literal["fp32", "fp16", "int8"]
FORMS: tuple[Form, ...] = get_args(Form)
SMALLEST = 256
"""Numbers of a tensor that is worth nodes of its own."""
BLOCK = 16
"""Weights, neighbours in memory, that share a scale in int8."""
LITTLE = 0.02
"""Share of all weights below which a tensor is not worth int8: the layer that makes the picture is one."""


def stored_as(model: ModelProto, form: Form) -> ModelProto:
    """Return a copy of a graph with float32 weights that stores them in this form.

    Tensors of one axis (biases, gains, statistics) and small ones stay float32, as do those with numbers
    beyond float16. int8 is symmetric, by blocks of 16; a tensor that has no whole number of them, or is a
    small part of the whole, is fp16.
    """
    import onnx

    found = onnx.ModelProto()
    found.CopyFrom(model)
    if form == "fp32":
        return found
    total = sum(math.prod(tensor.dims) for tensor in found.graph.initializer)
    kept: list[TensorProto] = []
    made: list[NodeProto] = []
    for tensor in found.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        small = values.ndim < 2 or values.size < SMALLEST
        if small or values.dtype != np.float32 or not np.abs(values).max() <= HALF_MOST:
            kept.append(tensor)
            continue
        blocks = form == "int8" and values.size % BLOCK == 0 and values.size >= LITTLE * total
        tensors, nodes = (_int8 if blocks else _fp16)(tensor.name, values)
        kept += tensors
        made += nodes
    nodes = [*made, *found.graph.node]
    del found.graph.initializer[:], found.graph.node[:]
    found.graph.initializer.extend(kept)
    found.graph.node.extend(nodes)
    return found


HALF_MOST = float(np.finfo(np.float16).max)


def _fp16(name: str, values: np.ndarray) -> tuple[list[TensorProto], list[NodeProto]]:
    """Return the tensor in float16, and the node that makes ``name`` of it."""
    from onnx import TensorProto, helper, numpy_helper

    half = numpy_helper.from_array(values.astype(np.float16), f"{name}/fp16")
    return [half], [helper.make_node("Cast", [half.name], [name], to=TensorProto.FLOAT)]


def _int8(name: str, values: np.ndarray) -> tuple[list[TensorProto], list[NodeProto]]:
    """Return the tensor in int8 [K, 16] with its scales [K], and the nodes that make ``name`` of them."""
    from onnx import TensorProto, helper, numpy_helper

    rows = values.reshape(-1, BLOCK)
    # The scales are float16 in the file; numbers are divided by what is read there.
    scales = (np.abs(rows).max(1) / 127).astype(np.float16)
    scales = np.maximum(scales, np.finfo(np.float16).smallest_subnormal)
    steps = scales.astype(np.float32)[:, None]
    small = np.clip(np.rint(rows / steps), -127, 127).astype(np.int8)
    parts = {
        f"{name}/int8": small,
        f"{name}/scales": scales,
        f"{name}/shape": np.array(values.shape, np.int64),
    }
    data, scale, shape = parts
    nodes = [
        helper.make_node("Cast", [scale], [f"{name}/steps"], to=TensorProto.FLOAT),
        helper.make_node("DequantizeLinear", [data, f"{name}/steps"], [f"{name}/rows"], axis=0),
        helper.make_node("Reshape", [f"{name}/rows", shape], [name]),
    ]
    return [numpy_helper.from_array(array, key) for key, array in parts.items()], nodes
