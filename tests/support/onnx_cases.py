"""Small float ONNX networks, one difficulty each: name to model."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import helper

from support.onnx_along import ALONG
from support.onnx_function_cases import FUNCTION_CASES
from support.onnx_models import OnnxNetwork
from support.onnx_windows import WINDOWS

Build = Callable[[], onnx.ModelProto]
CASES: dict[str, Build] = {**FUNCTION_CASES, **WINDOWS, **ALONG}


def case(build: Build) -> Build:
    CASES[build.__name__] = build
    return build


# Windows: what a convolution or pool over an image of 9 x 9 or 10 x 10 does at its border

_CONVS: dict[str, dict[str, Any]] = {
    "padded": {"kernel": 3, "pad": 1},
    "stride_2_even": {"kernel": 3, "stride": 2, "pad": 1},
    "same_upper": {"kernel": 3, "stride": 2, "auto_pad": "SAME_UPPER"},
    "same_lower": {"kernel": 3, "stride": 2, "auto_pad": "SAME_LOWER"},
    "auto_valid": {"kernel": 3, "auto_pad": "VALID"},
    "depthwise": {"kernel": 3, "pad": 1, "group": 4, "outputs": 4},
    "depthwise_twice": {"kernel": 3, "pad": 1, "group": 4, "outputs": 8},
    "two_groups": {"kernel": 3, "pad": 1, "group": 2},
    "dilated": {"kernel": 3, "pad": 2, "dilations": [2, 2]},
    "dilated_stride_2": {"kernel": 3, "stride": 2, "pad": 2, "dilations": [2, 2]},
    "dilated_depthwise": {"kernel": 3, "pad": 1, "group": 4, "outputs": 4, "dilations": [3, 2]},
    "no_bias": {"kernel": 1, "bias": False},
    "wide_border": {"kernel": 3, "pad": 4},
}


def _conv(name: str, size: int) -> Build:
    def build() -> onnx.ModelProto:
        net = OnnxNetwork((4, size, size + 3))
        how: dict[str, Any] = {"outputs": 6, **_CONVS[name]}
        return net.model(net.conv(net.input, **how))

    return build


CASES |= {f"conv_{name}_{size}": _conv(name, size) for name in _CONVS for size in (9, 10)}

_POOLS: dict[str, tuple[str, dict[str, Any]]] = {
    "ceil": ("MaxPool", {"ceil_mode": 1}),
    "floor": ("MaxPool", {}),
    "padded": ("MaxPool", {"pads": [1, 1, 1, 1]}),
    "same_upper": ("MaxPool", {"auto_pad": "SAME_UPPER"}),
    "average": ("AveragePool", {}),
    "average_ceil": ("AveragePool", {"ceil_mode": 1}),
    "average_same": ("AveragePool", {"auto_pad": "SAME_UPPER"}),
    "average_counting_its_border": ("AveragePool", {"pads": [1, 1, 1, 1], "count_include_pad": 1}),
}


def _pool(name: str, size: int) -> Build:
    def build() -> onnx.ModelProto:
        net = OnnxNetwork((3, size, size + (name != "average_ceil")))
        step = net.relu(net.conv(net.input, 4))
        kind, how = _POOLS[name]
        return net.model(net.node(kind, step, kernel_shape=[3, 3], strides=[2, 2], **how))

    return build


CASES |= {f"pool_{name}_{size}": _pool(name, size) for name in _POOLS for size in (9, 10)}


# Functions of each value

_FUNCTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "relu": ("Relu", {}),
    "leaky": ("LeakyRelu", {"alpha": 0.2}),
    "leaky_by_default": ("LeakyRelu", {}),
    "hard_swish": ("HardSwish", {}),
    "hard_sigmoid": ("HardSigmoid", {}),
    "hard_sigmoid_of_torch": ("HardSigmoid", {"alpha": 1 / 6}),
    "hard_sigmoid_of_any_slope": ("HardSigmoid", {"alpha": 0.31, "beta": 0.62}),
    "sigmoid": ("Sigmoid", {}),
    "tanh": ("Tanh", {}),
    "identity": ("Identity", {}),
}


def _function(name: str) -> Build:
    def build() -> onnx.ModelProto:
        net = OnnxNetwork((3, 5, 6))
        kind, how = _FUNCTIONS[name]
        return net.model(net.node(kind, net.conv(net.input, 4), **how))

    return build


CASES |= {f"function_{name}": _function(name) for name in _FUNCTIONS}


def _clip(low: float | None, high: float | None) -> Build:
    def build() -> onnx.ModelProto:
        net = OnnxNetwork((3, 5, 6))
        ends = ["" if end is None else net.floats(end) for end in (low, high)]
        return net.model(net.node("Clip", net.conv(net.input, 4), *ends))

    return build


CASES |= {
    "clip_0_to_6": _clip(0, 6),
    "clip_below": _clip(-0.5, None),
    "clip_above": _clip(None, 0.5),
    "clip_both": _clip(-0.3, 0.4),
    "clip_hardtanh": _clip(-1, 1),
    "clip_0_to_1": _clip(0, 1),
    "clip_0_to_4": _clip(0, 4),
    "clip_above_0": _clip(0.2, 0.9),
}


@case
def clip_of_opset_6() -> onnx.ModelProto:
    net = OnnxNetwork((3, 5, 6), opset=9)
    return net.model(net.node("Clip", net.conv(net.input, 4), min=0.0, max=1.0))


@case
def bounds_by_max_and_min() -> onnx.ModelProto:
    net = OnnxNetwork((3, 5, 6))
    step = net.node("Max", net.conv(net.input, 4), net.floats(-0.2))
    return net.model(net.node("Min", net.floats([[0.6]]), step, channels=4))


@case
def prelu_of_one_slope() -> onnx.ModelProto:
    net = OnnxNetwork((3, 5, 6))
    return net.model(net.node("PRelu", net.conv(net.input, 4), net.floats([[[0.25]]])))


# Sums and products


@case
def constants_of_many_shapes() -> onnx.ModelProto:
    net = OnnxNetwork((3, 5, 6))
    step = net.node("Add", net.input, net.floats([[[[0.1]], [[0.2]], [[-0.3]]]]))
    step = net.node("Mul", step, net.floats([[[2]], [[-1]], [[0.5]]]))
    step = net.node("Sub", net.floats(1), step, channels=3)
    step = net.node("Div", step, net.floats([4]))
    return net.model(net.node("Sub", net.conv(step, 4), net.constant(np.ones((1, 4, 1, 1), "f"))))


@case
def squeeze_and_excite() -> onnx.ModelProto:
    net = OnnxNetwork((3, 5, 6))
    step = net.conv(net.input, 4)
    gate = net.node("GlobalAveragePool", step)
    gate = net.node("Sigmoid", net.conv(net.relu(net.conv(gate, 2)), 4))
    return net.model(net.node("Mul", gate, step))


@case
def swish() -> onnx.ModelProto:
    net = OnnxNetwork((3, 5, 6))
    step = net.conv(net.input, 4)
    return net.model(net.node("Mul", step, net.node("Sigmoid", step)))


@case
def two_maps() -> onnx.ModelProto:
    net = OnnxNetwork((3, 5, 6))
    sides = net.conv(net.input, 4), net.conv(net.input, 4, 3, pad=1)
    return net.model(net.node("Sub", net.node("Add", *sides), sides[1]))


@case
def norm_first_and_after_relu() -> onnx.ModelProto:
    net = OnnxNetwork((3, 5, 6))
    step = net.norm(net.relu(net.conv(net.norm(net.input), 4)))
    return net.model(net.norm(net.conv(step, 5)))


# Rows: what follows a map, and how weights follow it


@case
def flattened_map() -> onnx.ModelProto:
    net = OnnxNetwork((3, 5, 6))
    step = net.relu(net.node("Flatten", net.conv(net.input, 4), channels=120))
    return net.model(net.dense(step, 120, 7))


@case
def matmul_and_add() -> onnx.ModelProto:
    net = OnnxNetwork((3, 5, 6))
    step = net.node("Reshape", net.conv(net.input, 4), net.ints([1, -1]))
    matrix = net.constant(net.random.normal(0, 0.1, (120, 7)).astype("f"))
    step = net.node("MatMul", step, matrix)
    return net.model(net.node("Add", step, net.constant(np.arange(7, dtype="f"))))


@case
def scaled_rows_before_a_dense_layer() -> onnx.ModelProto:
    """A batch normalization of flattened values cannot be one per channel of the map."""
    net = OnnxNetwork((3, 1, 6))
    step = net.node("Flatten", net.conv(net.input, 4), channels=24)
    return net.model(net.dense(net.norm(step), 24, 5))


@case
def squeezed_and_back() -> onnx.ModelProto:
    net = OnnxNetwork((3, 5, 6))
    step = net.node("GlobalAveragePool", net.conv(net.input, 4))
    step = net.node("Squeeze", step, net.ints([2, 3]), channels=4)
    step = net.node("Unsqueeze", net.relu(step), net.ints([2, 3]), channels=4)
    return net.model(net.conv(step, 5))


@case
def joined_rows() -> onnx.ModelProto:
    net = OnnxNetwork((3, 5, 6))
    rows = [net.node("Flatten", net.conv(net.input, count)) for count in (2, 3)]
    step = net.node("Concat", *rows, axis=1)
    return net.model(net.dense(step, 150, 5))


@case
def softmax_of_opset_12_over_one_pixel() -> onnx.ModelProto:
    net = OnnxNetwork((3, 5, 6), opset=12)
    step = net.node("GlobalAveragePool", net.conv(net.input, 4))
    return net.model(net.node("Softmax", step, axis=1))


@case
def softmax_over_channels() -> onnx.ModelProto:
    net = OnnxNetwork((3, 5, 6))
    return net.model(net.node("Softmax", net.conv(net.input, 4), axis=1))


@case
def largest_of_a_map() -> onnx.ModelProto:
    net = OnnxNetwork((3, 5, 6))
    step = net.conv(net.input, 4)
    largest = net.node("ReduceMax", step, axes=[2, 3], keepdims=0)
    flat = net.node("Flatten", net.node("GlobalMaxPool", step))
    return net.model(net.dense(net.node("Sum", largest, flat), 4, 3))


@case
def mean_kept() -> onnx.ModelProto:
    net = OnnxNetwork((3, 5, 6))
    step = net.node("ReduceMean", net.conv(net.input, 4), axes=[-1, -2], keepdims=1)
    return net.model(net.conv(step, 3))


# Pixels moved


@case
def bordered() -> onnx.ModelProto:
    net = OnnxNetwork((3, 5, 6))
    step = net.node("Pad", net.input, net.ints([0, 0, 1, 2, 0, 0, 0, 3]), channels=3)
    step = net.conv(step, 4, 3)
    pads = net.ints([0, 1, 0, 1, 0, 2, 1, 0])
    return net.model(net.node("Pad", step, pads, net.floats(0.5)))


@case
def bordered_by_opset_10() -> onnx.ModelProto:
    net = OnnxNetwork((3, 5, 6), opset=10)
    step = net.node("Pad", net.input, pads=[0, 0, 1, 1, 0, 0, 1, 1])
    return net.model(net.max_pool(net.relu(net.conv(step, 4, 3))))


def _enlarged(how: dict[str, Any], factor: int) -> Build:
    def build() -> onnx.ModelProto:
        net = OnnxNetwork((3, 4, 5))
        scales = net.floats([1, 1, factor, factor])
        step = net.node("Resize", net.conv(net.input, 4), "", scales, mode="nearest", **how)
        return net.model(net.conv(step, 3))

    return build


CASES |= {
    "enlarged": _enlarged({}, 2),
    "enlarged_by_pytorch": _enlarged(
        {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}, 3
    ),
}


@case
def blocks() -> onnx.ModelProto:
    net = OnnxNetwork((3, 4, 6))
    step = net.node("SpaceToDepth", net.input, blocksize=2, channels=12)
    step = net.node("DepthToSpace", net.conv(step, 16), blocksize=2, channels=4)
    return net.model(net.conv(step, 3))


@case
def blocks_of_one_pixel() -> onnx.ModelProto:
    net = OnnxNetwork((3, 4, 6))
    step = net.node("SpaceToDepth", net.input, blocksize=1, channels=3)
    step = net.node("DepthToSpace", net.conv(step, 4), blocksize=1, channels=4)
    return net.model(net.conv(step, 3))


@case
def cropped() -> onnx.ModelProto:
    net = OnnxNetwork((3, 7, 8))
    ends = [net.ints(values) for values in ([1, 1], [4, 1 << 40], [1, 3], [2, 3])]
    return net.model(net.node("Slice", net.conv(net.input, 5), *ends))


@case
def split_and_joined() -> onnx.ModelProto:
    net = OnnxNetwork((3, 5, 6))
    step = net.conv(net.input, 6)
    sides = [f"side_{number}" for number in range(3)]
    sizes = net.ints([1, 2, 3])
    net.nodes.append(helper.make_node("Split", [step, sizes], sides, name="split", axis=1))
    return net.model(net.node("Concat", *reversed(sides), axis=1))


# Layouts


@case
def channels_last() -> onnx.ModelProto:
    """As tf2onnx writes it: NHWC outside, NCHW inside."""
    net = OnnxNetwork((5, 6, 3))
    step = net.node("Transpose", net.input, perm=[0, 3, 1, 2], channels=3)
    step = net.relu(net.conv(step, 4, 3, pad=1))
    step = net.node("Transpose", step, perm=[0, 2, 3, 1])
    step = net.node("Add", step, net.floats([0.1, 0.2, 0.3, 0.4]))
    step = net.node("Reshape", step, net.ints([1, 120]))
    return net.model(net.dense(step, 120, 5))


@case
def channels_last_mean() -> onnx.ModelProto:
    net = OnnxNetwork((5, 6, 3))
    step = net.node("Transpose", net.input, perm=[0, 3, 1, 2], channels=3)
    step = net.node("Transpose", net.conv(step, 4), perm=[0, 2, 3, 1])
    step = net.node("ReduceMean", step, axes=[1, 2], keepdims=0)
    return net.model(net.dense(step, 4, 5))


@case
def one_row() -> onnx.ModelProto:
    """A dense autoencoder's input has no rows or columns."""
    net = OnnxNetwork((12,))
    step = net.relu(net.dense(net.input, 12, 4))
    return net.model(net.dense(step, 4, 12))
