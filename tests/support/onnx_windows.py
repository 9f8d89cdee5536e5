"""Small float ONNX networks of transposed convolutions, resized images and sequences."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx

from support.onnx_models import OnnxNetwork

Build = Callable[[], onnx.ModelProto]
WINDOWS: dict[str, Build] = {}


def case(build: Build) -> Build:
    WINDOWS[build.__name__] = build
    return build


@case
def max_pool_padded_over_any_values() -> onnx.ModelProto:
    net = OnnxNetwork((3, 9, 10))
    pads: dict[str, Any] = {"kernel_shape": [5, 3], "strides": [2, 1], "pads": [2, 0, 1, 1]}
    return net.model(net.node("MaxPool", net.conv(net.input, 4), **pads))


# Transposed convolutions: kernel, strides, and the rest

_TRANSPOSED: dict[str, tuple[int, int, dict[str, Any]]] = {
    "whole": (3, 2, {}),
    "halves": (4, 2, {"pads": [1, 1, 1, 1]}),
    "one_more": (3, 2, {"pads": [1, 1, 1, 1], "output_padding": [1, 1]}),
    "cut": (3, 2, {"pads": [0, 1, 2, 1]}),
    "same_upper": (3, 2, {"auto_pad": "SAME_UPPER"}),
    "same_lower": (3, 2, {"auto_pad": "SAME_LOWER"}),
    "one_step": (3, 1, {"pads": [1, 1, 1, 1]}),
    "gaps": (2, 3, {}),
}


def _transposed(name: str) -> Build:
    def build() -> onnx.ModelProto:
        net = OnnxNetwork((3, 5, 6))
        size, stride, how = _TRANSPOSED[name]
        kernel = net.constant(net.random.normal(0, 0.3, (4, 5, size, size)).astype(np.float32))
        bias = net.floats(net.random.normal(0, 0.3, 5))
        inputs, strides = (net.conv(net.input, 4), kernel, bias), [stride, stride]
        made = net.node("ConvTranspose", *inputs, channels=5, strides=strides, **how)
        return net.model(net.relu(made))

    return build


WINDOWS |= {f"transposed_{name}": _transposed(name) for name in _TRANSPOSED}

# Resizing: mode, rule for places, rounding, factors

_RESIZED: dict[str, tuple[str, str, str, tuple[float, float]]] = {
    "linear_half_pixel": ("linear", "half_pixel", "", (2, 3)),
    "linear_corners": ("linear", "align_corners", "", (2, 1.5)),
    "linear_asymmetric": ("linear", "asymmetric", "", (2, 2)),
    "linear_torch": ("linear", "pytorch_half_pixel", "", (2, 0.5)),
    "nearest_down": ("nearest", "asymmetric", "floor", (0.5, 0.5)),
    "nearest_up": ("nearest", "asymmetric", "floor", (1.5, 2)),
    "nearest_half_pixel": ("nearest", "half_pixel", "round_prefer_floor", (3, 1)),
    "nearest_of_tensorflow": ("nearest", "tf_half_pixel_for_nn", "floor", (1.5, 0.5)),
}


def _resized(name: str) -> Build:
    def build() -> onnx.ModelProto:
        net = OnnxNetwork((3, 6, 4))
        mode, rule, rounding, factors = _RESIZED[name]
        how: dict[str, Any] = {"nearest_mode": rounding} if rounding else {}
        scales, source = net.floats([1, 1, *factors]), net.conv(net.input, 4)
        how["coordinate_transformation_mode"] = rule
        return net.model(net.node("Resize", source, "", scales, mode=mode, **how))

    return build


WINDOWS |= {f"resize_{name}": _resized(name) for name in _RESIZED}


# Sequences


@case
def sequence() -> onnx.ModelProto:
    net = OnnxNetwork((3, 20))

    def weights(*shape: int) -> str:
        return net.constant(net.random.normal(0, 0.3, shape).astype(np.float32))

    step = net.node("Conv", net.input, weights(6, 3, 3), channels=6, pads=[1, 1], strides=[2])
    step = net.node("MaxPool", net.relu(step), kernel_shape=[2], strides=[2])
    step = net.node("Conv", step, weights(6, 1, 3), channels=6, group=6, dilations=[2], pads=[2, 2])
    step = net.node("AveragePool", net.relu(step), kernel_shape=[5], strides=[5])
    return net.model(net.node("Flatten", step))
