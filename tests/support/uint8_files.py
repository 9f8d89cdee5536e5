"""Make of a network in int8 one that computes in uint8, as TensorFlow 1 quantized them."""

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

_AXES = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0}
_NAMES = {value: name for name, value in vars(schema.BuiltinOperator).items()}


def as_uint8(content: bytes, seed: int = 0, *, wide: bool = True) -> bytes:
    """Return the network with activations, operands and weights of uint8.

    Weights get one scale and a zero point; some of theirs need nine bits without it.

    Args:
        content: the bytes of an int8 .tflite.
        seed: of the zero points, and of which channels have weights that need nine bits.
        wide: whether any do.
    """
    random = np.random.default_rng(seed)
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    graph = model.subgraphs[0]
    weighted = {int(one.inputs[1]): one for one in graph.operators if _kind(model, one) in _AXES}
    for index, tensor in enumerate(graph.tensors):
        if tensor.type != schema.TensorType.INT8:
            continue
        tensor.type = schema.TensorType.UINT8
        if index in weighted:
            axis = _AXES[_kind(model, weighted[index])]
            _weights(model, tensor, random, axis, wide=wide)
            continue
        tensor.quantization.zeroPoint = np.array(tensor.quantization.zeroPoint) + 128
        data = model.buffers[tensor.buffer].data
        if data is not None:
            _set(model, tensor, np.array(data, np.uint8) ^ 0x80)
    for one in weighted.values():
        _bias(graph, one)
    for code in model.operatorCodes:
        if _NAMES[code.builtinCode] in _AXES:
            code.version = 1
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _kind(model: Any, operator: Any) -> str:
    return str(_NAMES[model.operatorCodes[operator.opcodeIndex].builtinCode])


def _weights(
    model: Any, tensor: Any, random: np.random.Generator, axis: int, *, wide: bool
) -> None:
    old = np.array(model.buffers[tensor.buffer].data, np.uint8).view(np.int8)
    shape = [int(extent) for extent in tensor.shape]
    point = int(random.integers(90, 160))
    low, high = (0, 255) if wide else (max(point - 128, 0), min(point + 127, 255))
    made = np.clip(old.astype(int) + point, low, high).reshape(shape)
    if wide:
        channels = np.moveaxis(made, axis, 0)
        some = random.random(len(channels)) < 0.3
        channels[some] = np.where(random.random(channels[some].shape) < 0.3, 255, channels[some])
        channels[some] = np.where(random.random(channels[some].shape) < 0.2, 0, channels[some])
    _set(model, tensor, made.astype(np.uint8))
    known = tensor.quantization
    known.scale, known.zeroPoint = np.array(known.scale[:1], np.float32), np.array([point])
    known.quantizedDimension = 0


def _set(model: Any, tensor: Any, data: Any) -> None:
    buffer = schema.BufferT()
    buffer.data = data.reshape(-1)
    tensor.buffer = len(model.buffers)
    model.buffers.append(buffer)


def _bias(graph: Any, operator: Any) -> None:
    source, weights = (graph.tensors[index].quantization for index in operator.inputs[:2])
    if len(operator.inputs) > 2 and operator.inputs[2] >= 0:
        scale = float(np.float32(source.scale[0])) * float(np.float32(weights.scale[0]))
        bias = graph.tensors[operator.inputs[2]].quantization
        bias.scale, bias.zeroPoint = np.array([scale], np.float32), np.array([0])
