"""Small int8 ONNX networks in both forms, one difficulty each: name to model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from support.onnx_along import INT8_ALONG
from support.onnx_quantized import FINER, PIXELS, RECTIFIED, SIGNED, USUAL, Quant, QuantNetwork

Build = Callable[[], onnx.ModelProto]


CASES: dict[str, Build] = {**INT8_ALONG}


def case(build: Build) -> Build:
    CASES[build.__name__] = build
    return build


# Weights and biases


def _weighted(values: NDArray[Any], points: Any, bias: str | None = None) -> onnx.ModelProto:
    net = QuantNetwork()
    kernel = net.stored(values, net.random.uniform(0.004, 0.01, 5), points)
    inputs = [kernel]
    if bias == "float":
        inputs.append(net.constant(net.random.normal(0, 0.2, 5).astype(np.float32)))
    elif bias == "other":
        inputs.append(net.bias(5, 0.001))
    return net.finished(net.between(net.node("Conv", net.image(), *inputs, channels=5)))


def _seeded(low: int, high: int, dtype: type[Any]) -> NDArray[Any]:
    return np.random.default_rng(8).integers(low, high, (5, 3, 3, 3)).astype(dtype)


CASES |= {
    "weights_to_the_lowest": lambda: _weighted(_seeded(-128, 128, np.int8), 0),
    "weights_uint8": lambda: _weighted(_seeded(0, 256, np.uint8), 128),
    "weights_with_zero_points": lambda: _weighted(
        _seeded(-110, 111, np.int8), np.array([3, -7, 0, 11, -17])
    ),
    "bias_in_float": lambda: _weighted(_seeded(-127, 128, np.int8), 0, "float"),
    "bias_in_other_steps": lambda: _weighted(_seeded(-127, 128, np.int8), 0, "other"),
}


@case
def activations_int8() -> onnx.ModelProto:
    net = QuantNetwork(signed=True)
    return net.finished(net.qdq_conv(net.image(), quant=SIGNED))


def _windowed(**how: Any) -> Build:
    def build() -> onnx.ModelProto:
        net = QuantNetwork((4, 8, 9))
        group = how.get("group", 1)
        kernel = net.kernel(8, 4 // group, 3, 3)
        step = net.node("Conv", net.image(), kernel, net.bias(8), channels=8, **how)
        return net.finished(net.between(net.relu(step), RECTIFIED))

    return build


CASES |= {
    "conv_stride_2": _windowed(strides=[2, 2], pads=[1, 1, 1, 1]),
    "conv_same_upper": _windowed(strides=[2, 2], auto_pad="SAME_UPPER"),
    "conv_depthwise": _windowed(group=4, pads=[1, 1, 1, 1]),
    "conv_groups": _windowed(group=2),
    "conv_dilated": _windowed(dilations=[2, 3], pads=[2, 3, 2, 3]),
}


def _transposed(**how: Any) -> Build:
    def build() -> onnx.ModelProto:
        net = QuantNetwork((4, 5, 6))
        scales = net.random.uniform(0.004, 0.01, 8)
        kernel = net.stored(net.integers((4, 8, 3, 3)), scales, axis=1)
        inputs = (net.image(), kernel, net.bias(8))
        step = net.node("ConvTranspose", *inputs, channels=8, **how)
        return net.finished(net.between(net.relu(step), RECTIFIED))

    return build


CASES |= {
    "transposed": _transposed(strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1]),
    "transposed_whole": _transposed(strides=[2, 1]),
}


@case
def dense_after_a_map() -> onnx.ModelProto:
    net = QuantNetwork()
    step = net.node("Flatten", net.qdq_conv(net.image()), channels=210)
    matrix = net.stored(net.integers((6, 210)), net.random.uniform(0.001, 0.003, 6))
    step = net.node("Gemm", net.between(step), matrix, net.bias(6), transB=1)
    return net.finished(net.between(step, FINER))


@case
def matmul_by_turned_weights() -> onnx.ModelProto:
    net = QuantNetwork((3, 1, 4))
    step = net.node("Reshape", net.image(), net.ints([1, 12]))
    matrix = net.node("Transpose", net.stored(net.integers((6, 12)), 0.005), perm=[1, 0])
    return net.finished(net.between(net.node("MatMul", step, matrix)))


# Functions and their scales


def _function(kind: str, to: Quant, **how: Any) -> Build:
    def build() -> onnx.ModelProto:
        net = QuantNetwork()
        return net.finished(net.between(net.node(kind, net.qdq_conv(net.image()), **how), to))

    return build


CASES |= {
    "relu_of_its_own": _function("Relu", (0.013, 0)),
    "leaky_relu": _function("LeakyRelu", (0.015, 40), alpha=0.3),
    "sigmoid": _function("Sigmoid", (0.005, 3)),
    "hard_swish": _function("HardSwish", (0.012, 30)),
    "tanh": _function("Tanh", (0.01, 128)),
    "elu": _function("Elu", (0.012, 80)),
    "selu": _function("Selu", (0.012, 100)),
    "celu": _function("Celu", (0.012, 80), alpha=0.7),
    "softplus": _function("Softplus", (0.012, 0)),
    "softsign": _function("Softsign", (0.007, 128)),
    "thresholded": _function("ThresholdedRelu", (0.012, 0), alpha=0.4),
    "exp": _function("Exp", (0.02, 0)),
    "sin": _function("Sin", (0.02, 128)),
    "abs": _function("Abs", (0.01, 0)),
    "neg": _function("Neg", (0.02, 128)),
    "requantized": _function("Identity", FINER),
}


def _clipped(low: float, high: float, to: Quant) -> Build:
    def build() -> onnx.ModelProto:
        net = QuantNetwork()
        step = net.qdq_conv(net.image(), quant=None)
        step = net.node("Clip", step, net.floats(low), net.floats(high))
        return net.finished(net.between(step, to))

    return build


CASES |= {
    "relu6_fused": _clipped(0, 6, (0.03, 10)),
    "clip_to_other_bounds": _clipped(-0.3, 0.5, (0.01, 100)),
    "clip_beyond_int8": _clipped(-1.1, 1.1, (2 / 255, 128)),
}


@case
def softmax_in_float() -> onnx.ModelProto:
    net = QuantNetwork()
    step = net.node("GlobalAveragePool", net.qdq_conv(net.image(), 9, (0.05, 128)))
    return net.finished(net.node("Softmax", net.between(step, (0.01, 128)), axis=1))


@case
def mean_and_softmax_in_float() -> onnx.ModelProto:
    net = QuantNetwork()
    step = net.node("GlobalAveragePool", net.qdq_conv(net.image(), 9, FINER))
    return net.finished(net.node("Softmax", step, axis=1))


@case
def quantized_for_each_reader() -> onnx.ModelProto:
    """As other quantizers write it: a pair of nodes for every edge, here one with another scale."""
    net = QuantNetwork()
    step = net.relu(net.qdq_conv(net.image(), 4, None))
    sides = [net.between(step, quant) for quant in (RECTIFIED, RECTIFIED, (0.04, 0))]
    made = [net.node("Conv", side, net.kernel(4, 4, 1, 1), channels=4) for side in sides]
    joined = net.node("Add", *(net.between(value) for value in made[:2]))
    return net.finished(net.between(net.concat(net.between(joined), net.between(made[2]))))


@case
def without_zero_points() -> onnx.ModelProto:
    """QuantizeLinear then makes uint8 with zero point 0."""
    net = QuantNetwork()
    step = net.qdq_conv(net.image(), quant=None)
    scale = net.floats(0.03)
    step = net.node("QuantizeLinear", net.relu(step), scale)
    return net.finished(net.node("DequantizeLinear", step, scale))


# Two operands


def _operands(kind: str) -> Build:
    def build() -> onnx.ModelProto:
        net = QuantNetwork()
        sides = [net.qdq_conv(net.image(), quant=quant) for quant in (USUAL, FINER)]
        return net.finished(net.between(net.node(kind, *sides), (0.03, 125)))

    return build


CASES |= {f"{kind.lower()}_of_two": _operands(kind) for kind in ("Add", "Sub", "Mul")}


@case
def concat_of_other_scales() -> onnx.ModelProto:
    net = QuantNetwork()
    sides = [net.qdq_conv(net.image(), count, quant) for count, quant in ((3, USUAL), (4, FINER))]
    return net.finished(net.between(net.concat(*sides), USUAL))


@case
def constant_operands() -> onnx.ModelProto:
    net = QuantNetwork()
    step = net.qdq_conv(net.image())
    offsets = net.stored(net.integers((1, 5, 1, 1)), 0.01)
    step = net.between(net.node("Add", step, offsets), (0.03, 120))
    step = net.between(net.node("Mul", step, net.floats(0.37)), FINER)
    return net.finished(net.between(net.node("Sub", net.floats(0.5), step, channels=5), FINER))


@case
def gate_per_channel() -> onnx.ModelProto:
    net = QuantNetwork()
    step = net.qdq_conv(net.image())
    gate = net.between(net.node("GlobalAveragePool", step), FINER)
    gate = net.between(net.node("Sigmoid", gate), (1 / 256, 0))
    return net.finished(net.between(net.node("Mul", step, gate), FINER))


# Windows and moves


def _moved(kind: str, *constants: Any, quant: Quant = USUAL, **how: Any) -> Build:
    def build() -> onnx.ModelProto:
        net = QuantNetwork((3, 6, 8))
        inputs = [net.constant(values) if values is not None else "" for values in constants]
        step = net.node(kind, net.qdq_conv(net.image(), 4, quant), *inputs, **how)
        return net.finished(net.between(step, quant))

    return build


CASES |= {
    "max_pool": _moved("MaxPool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
    "max_pool_padded": _moved("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
    "max_pool_padded_rectified": _moved(
        "MaxPool", quant=RECTIFIED, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]
    ),
    "average_pool": _moved("AveragePool", kernel_shape=[2, 2], strides=[2, 2]),
    "pad": _moved("Pad", np.array([0, 0, 1, 2, 0, 0, 0, 1])),
    "slice": _moved("Slice", np.array([1]), np.array([4]), np.array([2])),
    "enlarge": _moved("Resize", None, np.array([1, 1, 2, 2], np.float32), mode="nearest"),
    "space_to_depth": _moved("SpaceToDepth", blocksize=2),
    "depth_to_space": _moved("DepthToSpace", blocksize=2),
}


# QOperator


@case
def q_chain() -> onnx.ModelProto:
    """Convolution, max pool of integers, average pool, flattened, QGemm."""
    net = QuantNetwork((3, 8, 8))
    source, quant = net.pixels()
    step = net.q_conv(source, quant, 4)
    step = net.max_pool(step, 2, 1)
    ends = [*net.scale(USUAL), *net.scale(USUAL)]
    size = [2, 2]
    step = net.micro("QLinearAveragePool", step, *ends, kernel_shape=size, strides=size)
    step = net.node("Flatten", step)
    inputs = [step, *net.scale(USUAL), net.constant(net.integers((6, 36)))]
    inputs += [net.floats(0.005), net.constant(np.int8(0))]
    inputs.append(net.constant(net.random.integers(-2000, 2000, 6).astype(np.int32)))
    step = net.micro("QGemm", *inputs, *net.scale(FINER), transB=1)
    return net.real(step, FINER)


@case
def q_matmul() -> onnx.ModelProto:
    net = QuantNetwork((12,))
    source, quant = net.pixels()
    weights = net.constant(net.integers((12, 6)))
    scales = net.floats([0.004, 0.005, 0.006, 0.007, 0.003, 0.002])
    inputs = [source, *net.scale(quant), weights, scales, net.constant(np.zeros(6, np.int8))]
    return net.real(net.node("QLinearMatMul", *inputs, *net.scale(USUAL)), USUAL)


def _q_function(kind: str, to: Quant, **how: Any) -> Build:
    def build() -> onnx.ModelProto:
        net = QuantNetwork()
        source, quant = net.pixels()
        ends = [*net.scale(USUAL), *net.scale(to)]
        step = net.micro(kind, net.q_conv(source, quant), *ends, **how)
        return net.real(step, to)

    return build


CASES |= {
    "q_sigmoid": _q_function("QLinearSigmoid", (0.004, 0)),
    "q_leaky_relu": _q_function("QLinearLeakyRelu", (0.015, 40), alpha=0.1),
    "q_global_average": _q_function("QLinearGlobalAveragePool", (0.004, 125), channels_last=0),
    "q_softmax": _q_function("QLinearSoftmax", (1 / 255, 0), axis=1, opset=17),
}


def _q_operands(kind: str) -> Build:
    def build() -> onnx.ModelProto:
        net = QuantNetwork()
        source, quant = net.pixels()
        inputs: list[str] = []
        for to in (USUAL, FINER):
            inputs += [net.q_conv(source, quant, to=to), *net.scale(to)]
        return net.real(net.micro(kind, *inputs, *net.scale((0.03, 125))), (0.03, 125))

    return build


CASES |= {"q_add": _q_operands("QLinearAdd"), "q_mul": _q_operands("QLinearMul")}


@case
def q_concat() -> onnx.ModelProto:
    net = QuantNetwork()
    source, quant = net.pixels()
    inputs = net.scale(USUAL)
    for count, to in ((3, USUAL), (4, FINER)):
        inputs += [net.q_conv(source, quant, count, to), *net.scale(to)]
    return net.real(net.micro("QLinearConcat", *inputs, channels=7, axis=1), USUAL)


@case
def q_signed() -> onnx.ModelProto:
    net = QuantNetwork(signed=True)
    source, quant = net.pixels()
    return net.real(net.q_conv(source, quant, to=SIGNED), SIGNED)


@case
def q_from_and_to_integers() -> onnx.ModelProto:
    """Neither QuantizeLinear nor DequantizeLinear: the user's program does that."""
    net = QuantNetwork()
    step = net.q_conv(net.input, PIXELS)
    model = net.finished(step)
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.UINT8
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.UINT8
    return model
