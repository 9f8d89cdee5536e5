"""Read an ONNX file into a `Net`: batch 1, every shape known, constants computed."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.inliner
from onnx import TensorProto, helper, numpy_helper

from edgesq.errors import ModelError
from edgesq.importers.net import Array, Constant, Net, Node, Quant
from edgesq.importers.supported import KNOWN, PASSED, QUANTIZED, refusal
from edgesq.quantize import captured_output

_DOMAINS = ("", "ai.onnx", "com.microsoft")
_INPUT_TYPES: dict[int, np.dtype[Any]] = {
    TensorProto.FLOAT: np.dtype(np.float32),
    TensorProto.UINT8: np.dtype(np.uint8),
    TensorProto.INT8: np.dtype(np.int8),
}
_SEED = 20261126


def read_model(path: Path) -> onnx.ModelProto:
    """Return a file's model with its local functions inlined and its input's batch set to 1.

    Raises:
        ModelError: the file is missing or damaged, has several inputs or outputs, an input of
            another type or size than an image, or operators that are not known (all are named).
    """
    where = str(path)
    model = _load(path, external=True)
    if model.functions:
        model = onnx.inliner.inline_local_functions(model)
    _prune(model.graph)
    _refuse_unknown(model.graph, where)
    _fix_input(model.graph, where)
    return model


def is_int8(path: Path) -> bool:
    """Say whether a file's activations are integers.

    Raises:
        ModelError: the file is damaged.
    """
    return is_quantized(_load(path, external=False))


def _load(path: Path, *, external: bool) -> onnx.ModelProto:
    where = str(path)
    try:
        model = onnx.load(path, load_external_data=external)
    # protobuf, onnx and the file system each have exceptions of their own.
    except Exception as error:
        raise ModelError(
            f"cannot be read as ONNX: {' '.join(str(error).split())[:160]}",
            where=where,
            hint="the file is damaged, or its external data is not beside it; export it again",
        ) from error
    if not model.graph.node or not model.graph.output:
        raise ModelError("this is not an ONNX model", where=where, hint="export it again")
    return model


def is_quantized(model: onnx.ModelProto) -> bool:
    """Say whether activations are integers."""
    makers = QUANTIZED - {"DequantizeLinear"}
    constants = {constant.name for constant in model.graph.initializer}
    types = {
        value.type.tensor_type.elem_type
        for value in model.graph.input
        if value.name not in constants
    }
    return bool(types & {TensorProto.INT8, TensorProto.UINT8}) or any(
        node.op_type in makers for node in model.graph.node
    )


def _prune(graph: onnx.GraphProto) -> None:
    """Drop nodes that the outputs do not need."""
    wanted = {value.name for value in graph.output}
    kept = []
    for node in reversed(graph.node):
        if wanted.intersection(node.output):
            kept.append(node)
            wanted.update(name for name in node.input if name)
    del graph.node[:]
    graph.node.extend(reversed(kept))


def _refuse_unknown(graph: onnx.GraphProto, where: str) -> None:
    problems = []
    for node in graph.node:
        if node.domain not in _DOMAINS:
            problems.append((f"{node.domain}.{node.op_type}", _place(node), ""))
        elif node.op_type not in KNOWN:
            problems.append((node.op_type, _place(node), ""))
    if problems:
        raise refusal(problems, where)


def _place(node: onnx.NodeProto) -> str:
    return str(node.name or node.output[0])


def _fix_input(graph: onnx.GraphProto, where: str) -> None:
    """Set the image's batch to 1, and forget what other shapes the file tells."""
    constants = {constant.name for constant in graph.initializer}
    inputs = [value for value in graph.input if value.name not in constants]
    if len(inputs) != 1 or len(graph.output) != 1:
        raise ModelError(
            f"{len(inputs)} inputs and {len(graph.output)} outputs",
            where=where,
            hint="one image in and one result out are supported",
        )
    kind = inputs[0].type.tensor_type
    if kind.elem_type not in _INPUT_TYPES:
        name = helper.tensor_dtype_to_np_dtype(kind.elem_type) if kind.elem_type else "no tensor"
        raise ModelError(
            f"the input {inputs[0].name} is {name}",
            where=where,
            hint="float32, uint8 and int8 are supported; convert float16 models to float32",
        )
    dims = kind.shape.dim
    shape = [dim.dim_value if dim.HasField("dim_value") else 0 for dim in dims]
    if len(shape) < 2 or min(shape[1:]) < 1 or shape[0] > 1:
        shown = [dim.dim_value or dim.dim_param or "?" for dim in dims]
        raise ModelError(
            f"the input shape {shown} is not one image of fixed size",
            where=where,
            hint="export the model with batch 1 and the input size that the board will see",
        )
    dims[0].ClearField("dim_param")
    dims[0].dim_value = 1
    del graph.value_info[:]
    for dim in graph.output[0].type.tensor_type.shape.dim:
        dim.ClearField("dim_value")
        dim.ClearField("dim_param")


def read_net(model: onnx.ModelProto, where: str) -> Net:
    """Turn a model of `read_model` into a `Net`, with ONNX's operators as they are.

    Shapes and what is computed beforehand come from one run in ONNX Runtime.

    Raises:
        ModelError: ONNX Runtime cannot run the model.
    """
    graph = model.graph
    constants = {
        tensor.name: Constant(numpy_helper.to_array(tensor)) for tensor in graph.initializer
    }
    source = next(value for value in graph.input if value.name not in constants)
    values = _run(model, source, where)
    shapes = {name: tuple(value.shape) for name, value in values.items()}
    floats = frozenset(name for name, value in values.items() if value.dtype == np.float32)
    result = graph.output[0].name
    net = Net([], constants, shapes, floats, {}, source.name, result, _opset(model))
    names = _Names()
    aliases: dict[str, str] = {}
    for node in graph.node:
        inputs = tuple(aliases.get(name, name) for name in node.input)
        output = node.output[0]
        if all(not name or name in constants for name in inputs) or node.op_type in (
            "Shape",
            "Size",
        ):
            constants[output] = _folded(node, inputs, constants, values[output])
        elif node.op_type in PASSED:
            aliases[output] = inputs[0]
        else:
            attributes = {item.name: _attribute(item) for item in node.attribute}
            first = values.get(node.input[0])
            integers = first is not None and first.dtype != np.float32
            made = Node(node.op_type, names.make(node), inputs, output, attributes)
            net.nodes.append(replace(made, on_integers=integers))
    net.output = aliases.get(net.output, net.output)
    if net.output == net.input or net.output in constants:
        raise ModelError("the model computes nothing", where=where)
    return net


def _opset(model: onnx.ModelProto) -> int:
    versions = [item.version for item in model.opset_import if item.domain in ("", "ai.onnx")]
    return max(versions, default=1)


class _Names:
    """Short unique names of nodes, usable in C, Keras and .tflite."""

    def __init__(self) -> None:
        self.taken: set[str] = set()

    def make(self, node: onnx.NodeProto) -> str:
        raw = str(node.name or f"{node.op_type}_{node.output[0]}").removesuffix("_quant")
        clean = re.sub(r"[^A-Za-z0-9_]+", "_", raw).strip("_") or "layer"
        if not clean[0].isalpha():
            clean = f"{node.op_type.lower()}_{clean}"
        name, number = clean, 1
        while name in self.taken:
            number += 1
            name = f"{clean}_{number}"
        self.taken.add(name)
        return name


def _attribute(item: onnx.AttributeProto) -> Any:
    value = helper.get_attribute_value(item)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, TensorProto):
        return numpy_helper.to_array(value)
    return list(value) if isinstance(value, (list, tuple)) or item.ints else value


def _folded(
    node: onnx.NodeProto, inputs: tuple[str, ...], constants: dict[str, Constant], value: Array
) -> Constant:
    """Return what a node of constants gives; integers keep their quantization where it follows."""
    first = constants.get(inputs[0]) if inputs else None
    if node.op_type == "DequantizeLinear" and first is not None:
        attributes = {item.name: _attribute(item) for item in node.attribute}
        quant = read_quant(
            constants[inputs[1]],
            constants.get(inputs[2]) if len(inputs) > 2 else None,
            first.values.dtype,
            int(attributes.get("axis", 1)),
            first.values.ndim,
        )
        return Constant(first.values, quant)
    if node.op_type in PASSED and first is not None:
        return first
    if first is not None and first.quant is not None:
        if node.op_type == "Transpose":
            order = next((_attribute(item) for item in node.attribute), None)
            order = order or list(range(first.values.ndim))[::-1]
            axis = order.index(first.quant.axis)
            quant = Quant(first.quant.scale, first.quant.zero_point, first.quant.dtype, axis)
            return Constant(first.values.transpose(order), quant)
        if node.op_type in ("Reshape", "Squeeze", "Unsqueeze") and len(first.quant.scale) == 1:
            return Constant(first.values.reshape(value.shape), first.quant)
    return Constant(value)


def read_quant(
    scale: Constant, zero_point: Constant | None, dtype: np.dtype[Any], axis: int, rank: int
) -> Quant:
    """Return the quantization that a scale and a zero point of the file say."""
    scales = scale.real().astype(np.float32).reshape(-1)
    points = np.zeros(len(scales), np.int64)
    if zero_point is not None:
        points = points + zero_point.values.astype(np.int64).reshape(-1)
        dtype = zero_point.values.dtype
    return Quant(scales, points, dtype, axis % max(rank, 1))


def _run(model: onnx.ModelProto, source: onnx.ValueInfoProto, where: str) -> dict[str, Array]:
    """Return every value of one run on noise."""
    import onnxruntime

    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    names = [name for node in probe.graph.node for name in node.output if name]
    del probe.graph.output[:]
    probe.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    kind = source.type.tensor_type
    shape = [dim.dim_value for dim in kind.shape.dim]
    noise = np.random.default_rng(_SEED).random(shape) * (1 if kind.elem_type == 1 else 100)
    image = noise.astype(_INPUT_TYPES[kind.elem_type])
    try:
        with captured_output():
            session = onnxruntime.InferenceSession(
                probe.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
            found = session.run(names, {source.name: image})
    # ONNX Runtime raises exceptions of its own, without a common parent.
    except Exception as error:
        raise ModelError(
            f"ONNX Runtime cannot run it: {' '.join(str(error).split())[:200]}",
            where=where,
            hint="onnx.checker.check_model may say more; export it again",
        ) from error
    return {source.name: image, **dict(zip(names, found, strict=True))}
