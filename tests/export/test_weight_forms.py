"""Weights in fewer bytes: what is stored, and that the sums stay those of the graph."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from figment.export.forms import stored_as
from figment.export.measure import session_of

WEIGHT = np.random.default_rng(0).normal(size=(64, 48)).astype(np.float32)
LAST = np.random.default_rng(1).normal(size=(48, 5)).astype(np.float32)  # a small part of the whole
BIAS = np.linspace(-1, 1, 48, dtype=np.float32)


def graph(weight: np.ndarray = WEIGHT) -> onnx.ModelProto:
    arrays = {"weight": weight, "last": LAST, "bias": BIAS}
    nodes = [
        helper.make_node("MatMul", ["x", "weight"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["sum"]),
        helper.make_node("MatMul", ["sum", "last"], ["y"]),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 64])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 5])
    initial = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    whole = helper.make_graph(nodes, "small", [x], [y], initial)
    return helper.make_model(whole, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def drawn(model: onnx.ModelProto) -> np.ndarray:
    onnx.checker.check_model(model)
    return session_of(model).run(None, {"x": np.eye(64, dtype=np.float32)[:8]})[0]


def types(model: onnx.ModelProto) -> dict[str, int]:
    return {one.name: one.data_type for one in model.graph.initializer}


def test_fp32_is_the_graph_itself():
    model = graph()
    assert stored_as(model, "fp32") == model
    assert np.allclose(drawn(model), (WEIGHT[:8] + BIAS) @ LAST, atol=1e-5)


def test_fp16_rounds_weights_and_nothing_else():
    model = stored_as(graph(), "fp16")
    assert types(model) == {
        "weight/fp16": TensorProto.FLOAT16,
        "last": TensorProto.FLOAT,  # 240 numbers are not worth it
        "bias": TensorProto.FLOAT,
    }
    expected = (WEIGHT[:8].astype(np.float16).astype(np.float32) + BIAS) @ LAST
    assert np.allclose(drawn(model), expected, atol=1e-5)


def test_int8_has_a_scale_for_every_sixteen_and_a_quarter_of_the_bytes():
    model = stored_as(graph(), "int8")
    blocks = WEIGHT.reshape(-1, 16)
    scales = (np.abs(blocks).max(1) / 127).astype(np.float16).astype(np.float32)[:, None]
    stored = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    assert stored["weight/int8"].dtype == np.int8
    assert np.array_equal(stored["weight/int8"], np.clip(np.rint(blocks / scales), -127, 127))
    assert any(node.op_type == "DequantizeLinear" for node in model.graph.node)
    rounded = (stored["weight/int8"] * scales).reshape(WEIGHT.shape)
    assert np.abs(rounded - WEIGHT).max() <= scales.max() / 2 * 1.02
    assert np.allclose(drawn(model), (rounded[:8] + BIAS) @ LAST, atol=1e-5)
    assert stored["weight/int8"].nbytes + stored["weight/scales"].nbytes < WEIGHT.nbytes * 0.29


@pytest.mark.parametrize("form", ["fp16", "int8"])
def test_what_float16_cannot_hold_stays_as_it_is(form):
    for odd in (1e6, np.inf, np.nan):
        weight = WEIGHT.copy()
        weight[0, 0] = odd
        assert types(stored_as(graph(weight), form))["weight"] == TensorProto.FLOAT
    nothing = stored_as(graph(np.zeros_like(WEIGHT)), form)
    assert np.allclose(drawn(nothing), BIAS @ LAST, atol=1e-5)
