"""Small float ONNX networks of functions of each value, and of extremes and sums of several."""

from collections.abc import Callable
from typing import Any

import onnx

from support.onnx_models import OnnxNetwork

Build = Callable[[], onnx.ModelProto]
FUNCTION_CASES: dict[str, Build] = {}


def case(build: Build) -> Build:
    FUNCTION_CASES[build.__name__] = build
    return build


@case
def prelu_of_channels() -> onnx.ModelProto:
    net = OnnxNetwork((3, 5, 6))
    slopes = net.floats([[[0.25]], [[-0.1]], [[0.0]], [[1.5]]])
    return net.model(net.node("PRelu", net.conv(net.input, 4), slopes))


_OPSETS = {"Gelu": 20, "Mish": 18}


def _composed(kind: str, how: dict[str, Any]) -> Build:
    def build() -> onnx.ModelProto:
        net = OnnxNetwork((3, 5, 6), opset=_OPSETS.get(kind, 17))
        step = net.conv(net.input, 4)
        if kind in ("Log", "Reciprocal", "Sqrt"):
            step = net.node("Add", net.relu(step), net.floats(0.3))
        given = dict(how)
        rest = [net.floats(given.pop("exponent"))] if "exponent" in given else []
        return net.model(net.conv(net.node(kind, step, *rest, **given), 2))

    return build


_COMPOSED: dict[str, tuple[str, dict[str, Any]]] = {
    **{kind.lower(): (kind, {}) for kind in ("Abs", "Ceil", "Cos", "Exp", "Floor", "Log", "Mish")},
    **{kind.lower(): (kind, {}) for kind in ("Neg", "Reciprocal", "Selu", "Sign", "Sin", "Sqrt")},
    **{kind.lower(): (kind, {}) for kind in ("Softplus", "Softsign", "ThresholdedRelu", "Gelu")},
    "celu_narrow": ("Celu", {"alpha": 0.7}),
    "elu_steep": ("Elu", {"alpha": 1.3}),
    "gelu_by_tanh": ("Gelu", {"approximate": "tanh"}),
    "squared": ("Pow", {"exponent": 2.0}),
    "cubed": ("Pow", {"exponent": 3.0}),
}

FUNCTION_CASES |= {
    f"composed_{name}": _composed(kind, dict(how)) for name, (kind, how) in _COMPOSED.items()
}


@case
def extremes_of_activations() -> onnx.ModelProto:
    net = OnnxNetwork((3, 5, 6))
    one, two, three = (net.conv(net.input, 4) for _ in range(3))
    step = net.node("Max", net.node("Min", one, two), two, three)
    return net.model(net.node("Max", step, net.floats([[[0.1]], [[-0.2]], [[0.0]], [[0.4]]])))


@case
def sums_and_means_of_several() -> onnx.ModelProto:
    net = OnnxNetwork((3, 5, 6))
    parts = [net.conv(net.input, 4) for _ in range(3)]
    return net.model(net.node("Mean", net.node("Sum", *parts), *parts))
