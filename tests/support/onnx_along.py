"""Small ONNX networks, float and int8, that reduce, gather or transpose along axes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx

from support.onnx_models import OnnxNetwork
from support.onnx_quantized import FINER, QuantNetwork

Build = Callable[[], onnx.ModelProto]
ALONG: dict[str, Build] = {}
INT8_ALONG: dict[str, Build] = {}


def _reduced(kind: str, axes: list[int]) -> Build:
    def build() -> onnx.ModelProto:
        net = OnnxNetwork((4, 6, 5), opset=17)
        step = net.conv(net.input, 6)
        if kind == "ReduceSum":
            return net.model(net.node(kind, step, net.ints(axes), keepdims=1))
        return net.model(net.node(kind, step, axes=axes, keepdims=1))

    return build


ALONG |= {
    "mean_of_channels": _reduced("ReduceMean", [1]),
    "sum_of_rows": _reduced("ReduceSum", [2]),
    "most_of_columns": _reduced("ReduceMax", [3]),
    "least_of_columns": _reduced("ReduceMin", [1, 2]),
}


def case(build: Build) -> Build:
    ALONG[build.__name__] = build
    return build


@case
def shuffled_channels() -> onnx.ModelProto:
    """As ShuffleNet is exported: by way of five axes."""
    net = OnnxNetwork((3, 4, 5), opset=17)
    step = net.node("Reshape", net.conv(net.input, 6), net.ints([1, 2, 3, 4, 5]))
    step = net.node("Transpose", step, perm=[0, 2, 1, 3, 4])
    step = net.node("Reshape", step, net.ints([1, 6, 4, 5]))
    return net.model(net.conv(step, 4))


@case
def rows_become_channels() -> onnx.ModelProto:
    net = OnnxNetwork((3, 4, 5), opset=17)
    step = net.node("Transpose", net.conv(net.input, 6), perm=[0, 2, 1, 3])
    return net.model(net.node("MaxPool", step, kernel_shape=[2, 2]))


@case
def gathered_rows() -> onnx.ModelProto:
    net = OnnxNetwork((3, 4, 5), opset=17)
    step = net.node("Gather", net.conv(net.input, 6), net.ints([3, 0, 0]), axis=2)
    return net.model(net.conv(step, 4))


@case
def rows_below_rows() -> onnx.ModelProto:
    net = OnnxNetwork((3, 4, 5), opset=17)
    one, two = net.conv(net.input, 4), net.conv(net.input, 4)
    return net.model(net.conv(net.node("Concat", one, two, axis=2), 3))


def _quantized(*steps: tuple[str, dict[str, Any]]) -> Build:
    def build() -> onnx.ModelProto:
        net = QuantNetwork((3, 4, 6))
        step = net.qdq_conv(net.image(), 6)
        for kind, how in steps:
            inputs = [net.constant(np.array(how["numbers"], np.int64))] if "numbers" in how else []
            rest = {name: value for name, value in how.items() if name != "numbers"}
            step = net.between(net.node(kind, step, *inputs, **rest), FINER)
        return net.finished(step)

    return build


INT8_ALONG |= {
    "int8_mean_of_channels": _quantized(("ReduceMean", {"axes": [1], "keepdims": 1})),
    "int8_sum_of_rows": _quantized(("ReduceSum", {"numbers": [2], "keepdims": 1})),
    "int8_gathered": _quantized(("Gather", {"numbers": [5, 0, 3], "axis": 1})),
}
