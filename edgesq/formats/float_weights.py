"""The float weights that belong to the operators of an int8 .tflite."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from edgesq.errors import ModelError
from edgesq.formats.tflite import read_stored_graph
from edgesq.graph import Graph
from edgesq.operators import Convolution
from edgesq.quantize import to_float_tflite

if TYPE_CHECKING:
    import keras

Float32Array = NDArray[np.float32]
Activation = Literal["none", "relu", "relu6"]

_ACTIVATIONS: dict[int, Activation] = {0: "none", 1: "relu", 3: "relu6"}
"""schema.fbs, enum ActivationFunctionType."""

_WITH_WEIGHTS = {3: 2, 4: 2, 9: 2, 67: 3}
"""CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, TRANSPOSE_CONV of schema.fbs' BuiltinOperator, and
which of its inputs is the bias."""

_DEPTHWISE = 4

_MAX_STEPS = 1
"""Largest distance of an int8 weight from its float weight divided by the scale, rounded."""


@dataclass(frozen=True, eq=False)
class FloatWeights:
    """What an operator's weights and bias were before they were quantized.

    Attributes:
        kernel: float32, in the shape of the operator's int8 weights (OHWI, or [1, H, W, O] where
            they are depthwise).
        bias: float32 [O]; zeros where the operator has none.
        activation: fused behind the sums.
    """

    kernel: Float32Array
    bias: Float32Array
    activation: Activation


def float_weights(model: keras.Model, content: bytes) -> dict[str, FloatWeights]:
    """Find the float weights of every operator of an int8 .tflite that has some.

    The model goes through the same passes of the converter (batch normalization folded, for
    example), once without quantization. Of the operators there with weights of the right shape the
    one is taken whose weights, divided by the int8 scales, give the int8 weights.

    Args:
        model: what `content` was quantized from.
        content: the bytes of the int8 .tflite, as the converter wrote them.

    Returns:
        by operator name, as in `Graph.ops`.

    Raises:
        ModelError: an operator's weights are not those of the model, or it ends in an activation
            that has no name here.
    """
    return weights_of_float(to_float_tflite(model), content)


def weights_of_float(float_content: bytes, content: bytes) -> dict[str, FloatWeights]:
    """Do the same where the float model is a .tflite in float32.

    Raises:
        ModelError: as above.
    """
    graph = read_stored_graph(content)
    there = list(_read(float_content))
    return {op.name: _take(graph, op, there) for op in graph.ops if isinstance(op, Convolution)}


def _take(graph: Graph, op: Convolution, there: list[FloatWeights]) -> FloatWeights:
    """Remove the float weights of `op` from the list and return them in its shape."""
    weights = graph.tensors[op.weights]
    assert weights.data is not None
    scale = np.asarray(weights.quantization.scale, np.float32)
    if weights.data.shape[0] != 1 or len(scale) == 1:
        scale = scale.reshape(-1, 1, 1, 1)
    for position, found in enumerate(there):
        if (
            found.kernel.size != weights.data.size
            or len(found.bias) != graph.tensors[op.bias].shape[0]
        ):
            continue
        kernel = found.kernel.reshape(weights.data.shape)
        steps = np.clip(np.round(kernel / scale), -127, 127) - weights.data
        if np.abs(steps).max(initial=0) <= _MAX_STEPS:
            del there[position]
            return replace(found, kernel=kernel)
    raise ModelError(
        "no weights of the float model give those of the int8 model",
        where=op.name,
        hint="give the model that this .tflite was quantized from",
    )


def _read(content: bytes) -> Iterator[FloatWeights]:
    """Yield the weights of a float .tflite in the order of its operators."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    graph = model.subgraphs[0]

    def constant(index: int) -> Float32Array:
        tensor = graph.tensors[index]
        raw = np.asarray(model.buffers[tensor.buffer].data, np.uint8)
        return raw.view("<f4").reshape(tuple(tensor.shape))

    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        kind = max(code.builtinCode, code.deprecatedBuiltinCode)
        if kind not in _WITH_WEIGHTS:
            continue
        kernel = constant(operator.inputs[1])
        outputs, place = kernel.shape[-1 if kind == _DEPTHWISE else 0], _WITH_WEIGHTS[kind]
        has_bias = len(operator.inputs) > place and operator.inputs[place] >= 0
        bias = constant(operator.inputs[place]) if has_bias else np.zeros(outputs, np.float32)
        fused = operator.builtinOptions.fusedActivationFunction
        if fused not in _ACTIVATIONS:
            raise ModelError(f"an operator ends in another activation than ReLU or ReLU6 ({fused})")
        yield FloatWeights(kernel, bias, _ACTIVATIONS[fused])
