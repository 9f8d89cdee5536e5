"""Float ONNX models through tf2onnx, quiet and deterministic.

tf2onnx numbers its names by a counter of the process and orders nodes by a set, so the same model
gives other bytes each time. What it returns is written anew here: nodes in the order the output
needs them, without Reshapes that change nothing, named by operator and number, batch 1, `input` and
`output` (numbered where there are several).
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import onnx
from onnx import TensorProto, helper

from edgesq.errors import ModelError
from edgesq.quantize import captured_output
from edgesq.version import VERSION

if TYPE_CHECKING:
    import keras

_OPSET, _IR_VERSION = 17, 8


def float_onnx(model: keras.Model) -> onnx.ModelProto:
    """Convert a Keras model to float32 ONNX.

    Returns:
        a model with input `input` float32 [1, H, W, C] and output `output` float32 [1, K], or
        `input0`, `output0` and so on.

    Raises:
        ModelError: tf2onnx cannot convert the model.
    """

    def convert(tf2onnx: Any) -> onnx.ModelProto:
        import tensorflow as tf

        signature = [
            tf.TensorSpec((1, *one.shape[1:]), tf.float32, name=f"input{number}")
            for number, one in enumerate(model.inputs)
        ]
        converted: onnx.ModelProto
        converted, _ = tf2onnx.from_keras(model, input_signature=signature, opset=_OPSET)
        return converted

    return _clean(_quietly(convert))


def _quietly(convert: Callable[[Any], onnx.ModelProto]) -> onnx.ModelProto:
    """Run `convert` with tf2onnx, neither of which may write on the terminal."""
    with captured_output(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tf2onnx import convert as tf2onnx

        try:
            return convert(tf2onnx)
        # tf2onnx passes on whatever TensorFlow or its own asserts raise.
        except Exception as error:
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise ModelError("tf2onnx cannot convert the model to ONNX", hint=reason) from error


def _clean(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the same computation with batch 1, clean names and an order that never varies."""
    graph = model.graph
    sources = dict(zip((one.name for one in graph.input), _names("input", graph), strict=True))
    results = dict(zip((one.name for one in graph.output), _names("output", graph), strict=True))
    names = {**sources, **results, "": ""}
    constants = {constant.name: constant for constant in graph.initializer}
    counts: Counter[str] = Counter()
    nodes, kept = [], []
    idle = _idle_reshapes(model)
    for node in _in_order_of_need(graph, list(results)):
        if node.output[0] in idle and node.output[0] not in results:
            names[node.output[0]] = names[node.input[0]]
            continue
        counts[node.op_type] += 1
        name = f"{node.op_type}_{counts[node.op_type]}"
        for position, value in enumerate(node.output):
            names.setdefault(value, f"{name}/output{position}" if position else name)
        inputs = []
        for position, value in enumerate(node.input):
            if value in constants:  # one each: which nodes share a scale varies
                kept.append(_renamed(constants[value], f"{name}/constant{position}"))
                inputs.append(kept[-1].name)
            else:
                inputs.append(names[value])
        nodes.append(_rewritten(node, name, inputs, [names[value] for value in node.output]))
    ends = (
        [_batch_one(value, names[value.name]) for value in graph.input],
        [_batch_one(value, names[value.name]) for value in graph.output],
    )
    return _checked(nodes, kept, ends)


def _names(end: str, graph: onnx.GraphProto) -> list[str]:
    count = len(getattr(graph, end))
    return [end] if count == 1 else [f"{end}{number}" for number in range(count)]


def _idle_reshapes(model: onnx.ModelProto) -> set[str]:
    """Return the outputs of Reshapes that leave the shape as it is.

    Where height and width are 1, tf2onnx makes Reshapes of the Transposes that it did not cancel;
    how many those are varies from one conversion to the next.
    """
    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    del fixed.graph.value_info[:]
    for value in fixed.graph.input:
        value.CopyFrom(_batch_one(value, value.name))
    for value in fixed.graph.output:
        value.type.tensor_type.ClearField("shape")
    graph = onnx.shape_inference.infer_shapes(fixed).graph
    shapes = {
        value.name: [dimension.dim_value for dimension in value.type.tensor_type.shape.dim]
        for value in (*graph.input, *graph.value_info)
    }
    return {
        node.output[0]
        for node in graph.node
        if node.op_type == "Reshape"
        and all(shapes.get(node.output[0], [0]))
        and shapes[node.output[0]] == shapes.get(node.input[0])
    }


def _in_order_of_need(graph: onnx.GraphProto, wanted: list[str]) -> Iterator[onnx.NodeProto]:
    """Yield the nodes that `wanted` needs, each after the ones it reads, by position of input."""
    makers = {value: node for node in graph.node for value in node.output}
    seen: set[str] = set()
    stack = [(value, False) for value in reversed(wanted)]
    while stack:
        value, inputs_done = stack.pop()
        node = makers.get(value)
        if node is None or (value in seen and not inputs_done):
            continue
        if inputs_done:
            yield node
            continue
        seen.update(node.output)
        stack.append((value, True))
        stack.extend((need, False) for need in reversed(node.input))


def _renamed(constant: TensorProto, name: str) -> TensorProto:
    copy = TensorProto()
    copy.CopyFrom(constant)
    copy.name = name
    return copy


def _rewritten(
    node: onnx.NodeProto, name: str, inputs: list[str], outputs: list[str]
) -> onnx.NodeProto:
    """Return a copy of `node` under another name that reads and writes these values."""
    copy = onnx.NodeProto(op_type=node.op_type, name=name, input=inputs, output=outputs)
    copy.attribute.extend(sorted(node.attribute, key=lambda attribute: attribute.name))
    return copy


def _batch_one(value: onnx.ValueInfoProto, name: str) -> onnx.ValueInfoProto:
    """Return `value` renamed, with its first dimension 1."""
    tensor = value.type.tensor_type
    shape = [1, *(dimension.dim_value for dimension in tensor.shape.dim[1:])]
    return helper.make_tensor_value_info(name, tensor.elem_type, shape)


def _checked(
    nodes: list[onnx.NodeProto],
    constants: list[TensorProto],
    ends: tuple[list[onnx.ValueInfoProto], list[onnx.ValueInfoProto]],
) -> onnx.ModelProto:
    """Put the parts together and let ONNX check them."""
    model = helper.make_model(
        helper.make_graph(nodes, "edgesq_float", *ends, constants),
        producer_name="edgesq",
        producer_version=VERSION,
        ir_version=_IR_VERSION,
        opset_imports=[helper.make_opsetid("", _OPSET)],
    )
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        raise ModelError(
            f"tf2onnx cannot write this model as float ONNX: {str(error).splitlines()[0]}",
            hint="the integer model is exact: use that one",
        ) from error
    return model
