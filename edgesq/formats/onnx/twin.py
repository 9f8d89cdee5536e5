"""The float twin of an int8 model: its operators in float32, as ONNX.

It has the structure of the .tflite and the weights of the float model, so that each activation has
its counterpart in the int8 model. Any of them can be an output; any may be rounded as int8 rounds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from edgesq.formats.float_weights import FloatWeights
from edgesq.formats.onnx import onnx_session
from edgesq.formats.onnx.real import FloatModel
from edgesq.formats.onnx.scope import TO_NCHW, TO_NHWC, Scope
from edgesq.formats.onnx.table import FLOAT
from edgesq.graph import Graph, Tensor
from edgesq.operators import Op, handler
from edgesq.version import VERSION

Float32Array = NDArray[np.float32]

_OPSET, _IR_VERSION = 17, 8


def float_twin(
    graph: Graph,
    weights: Mapping[str, FloatWeights],
    wanted: Sequence[int],
    rounded: Collection[int] = (),
    ops: Sequence[Op] | None = None,
) -> onnx.ModelProto:
    """Write the operators of an int8 model in float32.

    Args:
        graph: the int8 model.
        weights: by operator name.
        wanted: tensors of the graph to give out.
        rounded: tensors that are rounded and cut as int8 does, and go on as floats.
        ops: those to write; None for all.

    Returns:
        a model of float32 [1, H, W, C] reals: an input for each tensor that no operator written
        makes, and an output for each of `wanted`, named by their numbers.
    """
    written = graph.ops if ops is None else ops
    sources = sorted({i for op in written for i in op.inputs} - {op.output for op in written})
    scope, values, model = Scope(), dict[int, str](), FloatModel(graph, weights)
    for index in sources:
        inner = scope.within(f"in{index}")
        values[index] = inner.node("Transpose", "nchw", str(index), perm=TO_NCHW)
        if index in rounded:
            values[index] = _rounded(inner, graph.tensors[index], values[index])
    for op in written:
        inner = scope.within(op.name)
        write = handler(FLOAT, type(op))
        value = write(inner, model, op, *(values[index] for index in op.inputs))
        if op.output in rounded:
            value = _rounded(inner, graph.tensors[op.output], value)
        values[op.output] = value
    for index in wanted:
        scope.node("Transpose", str(index), values[index], perm=TO_NHWC)
    inputs, outputs = (
        [_described(graph, index) for index in indices] for indices in (sources, wanted)
    )
    body = helper.make_graph(scope.nodes, "edgesq_twin", inputs, outputs, scope.constants)
    return helper.make_model(
        body,
        producer_name="edgesq",
        producer_version=VERSION,
        ir_version=_IR_VERSION,
        opset_imports=[helper.make_opsetid("", _OPSET)],
    )


def twin_activations(
    model: onnx.ModelProto, *inputs: Float32Array
) -> Iterator[tuple[Float32Array, ...]]:
    """Yield the outputs of a twin for each image, float32 [H, W, C] each.

    Args:
        model: from `float_twin`.
        inputs: float32 [n, H, W, C] for each of its inputs, in the order of their numbers.
    """
    session = onnx_session(model)
    names = [value.name for value in session.get_inputs()]
    for images in zip(*inputs, strict=True):
        feed = {name: image[np.newaxis] for name, image in zip(names, images, strict=True)}
        yield tuple(row[0] for row in session.run(None, feed))


def _described(graph: Graph, index: int) -> onnx.ValueInfoProto:
    shape = [1, *graph.tensors[index].hwc]
    return helper.make_tensor_value_info(str(index), TensorProto.FLOAT, shape)


def _rounded(scope: Scope, tensor: Tensor, value: str) -> str:
    """Round to the nearest int8 level, and return the real value of that level."""
    scale, zero_point = np.float32(tensor.scale), np.float32(tensor.zero_point)
    levels = scope.node("Round", "level", scope.node("Div", "steps", value, scale))
    low, high = np.float32(-128) - zero_point, np.float32(127) - zero_point
    return scope.node("Mul", "real", scope.node("Clip", "cut", levels, low, high), scale)
