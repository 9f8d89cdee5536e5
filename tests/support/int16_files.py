"""Make of a network in int8 one with int16 activations, as TensorFlow's converter makes "16x8"."""

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

_FINER = 256
"""Steps of int16 in one of int8."""

_NAMES = {value: name for name, value in vars(schema.BuiltinOperator).items()}
_SHARE, _SHARE_INT16 = 1 / 256, 1 / (1 << 15)
"""The scale of what SOFTMAX and LOGISTIC make, in int8 and in int16."""


def as_int16(content: bytes) -> bytes:
    """Return the network with activations of int16 around zero, and biases of int64.

    Args:
        content: the bytes of an int8 .tflite.
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    graph = model.subgraphs[0]
    kept = _kept(model, graph)
    for index, tensor in enumerate(graph.tensors):
        if tensor.type == schema.TensorType.INT8 and index not in kept:
            tensor.type = schema.TensorType.INT16
            is_share = tensor.quantization.scale[0] == np.float32(_SHARE)
            _scaled(tensor, _SHARE_INT16 / _SHARE if is_share else 1 / _FINER)
    for one in graph.operators:
        kind = _NAMES[model.operatorCodes[one.opcodeIndex].builtinCode]
        if kind in ("ADD", "SUB"):
            one.builtinOptions.potScaleInt16 = False
    for index in set(kept.values()) - {-1}:
        _widen(model, graph.tensors[index])
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _kept(model: Any, graph: Any) -> dict[int, int]:
    """Return what stays int8, with its bias: weights are the second inputs of three kinds."""
    kinds = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
    weighted = [
        one
        for one in graph.operators
        if _NAMES[model.operatorCodes[one.opcodeIndex].builtinCode] in kinds
    ]
    return {int(one.inputs[1]): int(one.inputs[2]) for one in weighted if len(one.inputs) > 2} | {
        int(one.inputs[1]): -1 for one in weighted if len(one.inputs) == 2
    }


def _scaled(tensor: Any, by: float) -> None:
    known = tensor.quantization
    known.scale = np.array(known.scale, np.float32) * np.float32(by)
    known.zeroPoint = np.zeros(len(known.scale), np.int64)


def _widen(model: Any, tensor: Any) -> None:
    """Make a bias int64, on a finer scale."""
    if tensor.type != schema.TensorType.INT32:
        return
    old = np.array(model.buffers[tensor.buffer].data, np.uint8).view(np.int32)
    buffer = schema.BufferT()
    buffer.data = np.frombuffer((old.astype(np.int64) * _FINER).tobytes(), np.uint8)
    tensor.type, tensor.buffer = schema.TensorType.INT64, len(model.buffers)
    model.buffers.append(buffer)
    _scaled(tensor, 1 / _FINER)
