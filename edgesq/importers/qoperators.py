"""The QOperator form of int8 ONNX: each QLinear operator as the float operator it stands for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from edgesq.importers.net import Net, Node
from edgesq.importers.quants import Constant, Quant, read_quant

Quants = dict[str, Quant]

_BIAS_TYPE = np.dtype(np.int32)


def float_form(node: Node, net: Net) -> tuple[Node, Quants]:
    """Return the operator without its scales, and the scales of the values it reads and writes.

    Weights and constants in `net` get theirs.
    """
    form = FORMS.get(node.kind)
    return (node, {}) if form is None else form(_Scales(node, net))


class _Scales:
    """Reads the inputs of one node by position."""

    def __init__(self, node: Node, net: Net) -> None:
        self.node, self.net = node, net

    def quant(self, position: int, axis: int = 0, rank: int = 1) -> Quant:
        """Return the quantization whose scale is input `position`, its zero point the next one."""
        names = [*self.node.inputs, "", ""]
        constants = self.net.constants
        point = constants.get(names[position + 1])
        return read_quant(constants[names[position]], point, np.dtype(np.uint8), axis, rank)

    def value(self, position: int, quants: Quants) -> str:
        """Return the name of input `position`, and note its scale, which is the next input."""
        name = self.node.inputs[position]
        constant = self.net.constants.get(name)
        if constant is None:
            quants[name] = self.quant(position + 1)
        elif constant.quant is None:
            self.net.constants[name] = Constant(constant.values, self.quant(position + 1))
        return name

    def weights(self, position: int, axis: int) -> str:
        name = self.node.inputs[position]
        constant = self.net.constants.get(name)
        if constant is not None and constant.quant is None:
            quant = self.quant(position + 1, axis, constant.values.ndim)
            self.net.constants[name] = Constant(constant.values, quant)
        return name

    def bias(self, position: int, source: Quant, weights: str) -> tuple[str, ...]:
        """Return the bias, if there is one; its scale is the input's times the weights'."""
        name = self.node.inputs[position] if position < len(self.node.inputs) else ""
        if not name:
            return ()
        constant, matrix = self.net.constants[name], self.net.constants[weights]
        if constant.quant is None and constant.values.dtype == _BIAS_TYPE and matrix.quant:
            scale = source.scale * matrix.quant.scale
            quant = Quant(scale, np.zeros(len(scale), np.int64), _BIAS_TYPE)
            self.net.constants[name] = Constant(constant.values.reshape(-1), quant)
        return (name,)

    def made(self, kind: str, inputs: tuple[str, ...], quants: Quants) -> tuple[Node, Quants]:
        return replace(self.node, kind=kind, inputs=inputs), quants


def _conv(of: _Scales) -> tuple[Node, Quants]:
    quants: Quants = {}
    source, weights = of.value(0, quants), of.weights(3, 0)
    bias = of.bias(8, of.quant(1), weights)
    quants[of.node.output] = of.quant(6)
    return of.made("Conv", (source, weights, *bias), quants)


def _matmul(of: _Scales) -> tuple[Node, Quants]:
    quants: Quants = {}
    source, weights = of.value(0, quants), of.weights(3, 1)
    quants[of.node.output] = of.quant(6)
    return of.made("MatMul", (source, weights), quants)


def _gemm(of: _Scales) -> tuple[Node, Quants]:
    quants: Quants = {}
    axis = 0 if of.node.attributes.get("transB", 0) else 1
    source, weights = of.value(0, quants), of.weights(3, axis)
    bias = of.bias(6, of.quant(1), weights)
    if len(of.node.inputs) > 7 and of.node.inputs[7]:
        quants[of.node.output] = of.quant(7)
    return of.made("Gemm", (source, weights, *bias), quants)


def _binary(kind: str) -> Callable[[_Scales], tuple[Node, Quants]]:
    def form(of: _Scales) -> tuple[Node, Quants]:
        quants: Quants = {}
        inputs = (of.value(0, quants), of.value(3, quants))
        quants[of.node.output] = of.quant(6)
        return of.made(kind, inputs, quants)

    return form


def _unary(kind: str) -> Callable[[_Scales], tuple[Node, Quants]]:
    """Return the form of an operator on one value, whose other inputs are scales and points."""

    def form(of: _Scales) -> tuple[Node, Quants]:
        quants: Quants = {}
        inputs = (of.value(0, quants),)
        quants[of.node.output] = of.quant(3)
        return of.made(kind, inputs, quants)

    return form


def _concat(of: _Scales) -> tuple[Node, Quants]:
    quants: Quants = {of.node.output: of.quant(0)}
    inputs = tuple(of.value(position, quants) for position in range(2, len(of.node.inputs), 3))
    return of.made("Concat", inputs, quants)


FORMS: dict[str, Callable[[_Scales], tuple[Node, Quants]]] = {
    "QGemm": _gemm,
    "QLinearAdd": _binary("Add"),
    "QLinearAveragePool": _unary("AveragePool"),
    "QLinearConcat": _concat,
    "QLinearConv": _conv,
    "QLinearGlobalAveragePool": _unary("GlobalAveragePool"),
    "QLinearLeakyRelu": _unary("LeakyRelu"),
    "QLinearMatMul": _matmul,
    "QLinearMul": _binary("Mul"),
    "QLinearReduceMean": _unary("ReduceMean"),
    "QLinearSigmoid": _unary("Sigmoid"),
    "QLinearSoftmax": _unary("Softmax"),
}
