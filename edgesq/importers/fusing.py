"""Join two operators of ONNX that are one int8 operator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from edgesq.importers.net import Net, Node
from edgesq.importers.operators.lookup import clip_range
from edgesq.importers.operators.table import ONNX

_TAKES_BIAS = {"Conv": "Conv", "Gemm": "Gemm", "MatMul": "Gemm"}
"""Operators that can have a bias, and what they are called with one."""


def fuse(net: Net) -> None:
    """Join an operator whose result has no scale with the bias, Relu or Clip that reads it.

    A float net has no scales, so all are fused there: do not call it for one.
    """
    _fuse(net, _with_bias)
    _fuse(net, _with_clip)


Join = Callable[[Net, Node, Node], Node | None]


def _fuse(net: Net, join: Join) -> None:
    """Join each operator with the only reader of its result, where that has no scale."""
    readers = net.readers()
    gone: set[str] = set()
    joined = []
    for node in net.nodes:
        if node.name in gone:
            continue
        after = readers.get(node.output, [])
        if len(after) == 1 and node.output not in net.quants and node.output not in net.outputs:
            both = join(net, node, after[0])
            if both is not None:
                gone.add(after[0].name)
                joined.append(both)
                continue
        joined.append(node)
    net.nodes = joined


def _with_clip(net: Net, node: Node, after: Node) -> Node | None:
    if (
        node.kind not in ONNX
        or not ONNX[node.kind].takes_clip
        or after.kind not in ("Relu", "Clip")
    ):
        return None
    if any(name and name not in net.constants for name in after.inputs[1:]):
        return None
    return replace(node, output=after.output, clip=clip_range(net, after))


def _with_bias(net: Net, node: Node, after: Node) -> Node | None:
    if after.kind != "Add" or node.kind not in _TAKES_BIAS or len(node.inputs) != 2:
        return None
    name = next((name for name in after.inputs if name in net.constants), None)
    weights = net.constants.get(node.inputs[1])
    if name is None or weights is None:
        return None
    outputs = weights.values.shape[0 if node.kind == "Conv" else -1]
    if node.kind == "Gemm" and node.attributes.get("transB", 0):
        outputs = weights.values.shape[0]
    constant = net.constants[name].values
    rank = len(net.shapes[node.output])
    shape = (1,) * (rank - constant.ndim) + constant.shape
    channels = 1 if node.kind == "Conv" else rank - 1
    if constant.size != outputs or shape[channels] != outputs:
        return None
    kind = _TAKES_BIAS[node.kind]
    return replace(node, kind=kind, inputs=(*node.inputs, name), output=after.output)
