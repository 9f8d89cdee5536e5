"""Operators that take each value by itself, as ONNX nodes. Mirror: edgesq/reference/lookup.py."""

import numpy as np

from edgesq.formats.onnx.real import FloatModel
from edgesq.formats.onnx.scope import UINT8_OFFSET, Scope, Writers
from edgesq.graph import Graph
from edgesq.lookup import lookup_table
from edgesq.operators import (
    HardSwish,
    LeakyRelu,
    Logistic,
    Lookup,
    Op,
    Quantize,
    Relu,
    Relu0To1,
    Relu6,
    ReluN1To1,
    Tanh,
)


def lookup(scope: Scope, graph: Graph, op: Lookup, pixels: str) -> str:
    """Add a table of all 256 answers."""
    table = (lookup_table(graph, op).astype(np.int16) + UINT8_OFFSET).astype(np.uint8)
    return scope.lookup("answer", table, scope.cast("index", pixels, np.int32))


_NODES: dict[type[Op], tuple[str, str]] = {
    HardSwish: ("HardSwish", "swish"),
    Logistic: ("Sigmoid", "logistic"),
    Relu: ("Relu", "relu"),
    Tanh: ("Tanh", "tanh"),
}
"""ONNX's operator, and the label of its node."""

_RANGES: dict[type[Op], tuple[str, int, int]] = {
    Relu0To1: ("relu1", 0, 1),
    Relu6: ("relu6", 0, 6),
    ReluN1To1: ("limited", -1, 1),
}
"""Label, lowest and highest value."""


def _node(scope: Scope, _: FloatModel, op: Lookup, value: str) -> str:
    return scope.node(*_NODES[type(op)], value)


def _clip(scope: Scope, _: FloatModel, op: Lookup, value: str) -> str:
    label, low, high = _RANGES[type(op)]
    return scope.node("Clip", label, value, np.float32(low), np.float32(high))


def _leaky_relu(scope: Scope, _: FloatModel, op: LeakyRelu, value: str) -> str:
    return scope.node("LeakyRelu", "leaky", value, alpha=op.alpha)


def _same(_: Scope, __: FloatModel, ___: Quantize, value: str) -> str:
    return value


INTEGER: Writers = {Lookup: lookup}
FLOAT: Writers = {
    **dict.fromkeys(_NODES, _node),
    **dict.fromkeys(_RANGES, _clip),
    LeakyRelu: _leaky_relu,
    Quantize: _same,
}
