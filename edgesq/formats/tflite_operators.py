"""The list of operators that can be read from a .tflite, and the way from a file to a `Graph`."""

import dataclasses
import posixpath
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from edgesq.formats.fold import fold_pads
from edgesq.formats.tflite_check import MAX_EXTENT, graph_problem, operator_problem
from edgesq.formats.tflite_conv import (
    read_conv2d,
    read_depthwise_conv2d,
    read_fully_connected,
)
from edgesq.formats.tflite_elementwise import read_add, read_softmax
from edgesq.formats.tflite_move import (
    read_depth_to_space,
    read_pad,
    read_pad_v2,
    read_resize_nearest,
    read_slice,
    read_space_to_depth,
    read_strided_slice,
)
from edgesq.formats.tflite_pool import read_average_pool2d, read_max_pool2d, read_mean
from edgesq.formats.tflite_reader import Reader
from edgesq.formats.tflite_shape import read_concatenation, read_reshape, read_transpose
from edgesq.graph import Graph, Op


@dataclass(frozen=True)
class Readable:
    """An operator that can be read.

    Attributes:
        read: makes it an operator of the graph; its parts were checked by `operator_problem`.
        options: class of its options in the schema; None where they are not read.
        inputs: how many inputs it may have.
    """

    read: Callable[[Reader, Any], Op]
    options: str | None
    inputs: Collection[int]


OPERATORS = {
    "ADD": Readable(read_add, "AddOptionsT", (2,)),
    "AVERAGE_POOL_2D": Readable(read_average_pool2d, "Pool2DOptionsT", (1,)),
    "CONCATENATION": Readable(read_concatenation, "ConcatenationOptionsT", range(1, MAX_EXTENT)),
    "CONV_2D": Readable(read_conv2d, "Conv2DOptionsT", (2, 3)),
    "DEPTH_TO_SPACE": Readable(read_depth_to_space, "DepthToSpaceOptionsT", (1,)),
    "DEPTHWISE_CONV_2D": Readable(read_depthwise_conv2d, "DepthwiseConv2DOptionsT", (2, 3)),
    "EXPAND_DIMS": Readable(read_reshape, None, (2,)),
    "FULLY_CONNECTED": Readable(read_fully_connected, "FullyConnectedOptionsT", (2, 3)),
    "MAX_POOL_2D": Readable(read_max_pool2d, "Pool2DOptionsT", (1,)),
    "MEAN": Readable(read_mean, "ReducerOptionsT", (2,)),
    "PAD": Readable(read_pad, None, (2,)),
    "PADV2": Readable(read_pad_v2, None, (3,)),
    "RESHAPE": Readable(read_reshape, None, (1, 2)),
    "RESIZE_NEAREST_NEIGHBOR": Readable(read_resize_nearest, "ResizeNearestNeighborOptionsT", (2,)),
    "SLICE": Readable(read_slice, None, (3,)),
    "SOFTMAX": Readable(read_softmax, "SoftmaxOptionsT", (1,)),
    "SPACE_TO_DEPTH": Readable(read_space_to_depth, "SpaceToDepthOptionsT", (1,)),
    "SQUEEZE": Readable(read_reshape, None, (1,)),
    "STRIDED_SLICE": Readable(read_strided_slice, "StridedSliceOptionsT", (4,)),
    "TRANSPOSE": Readable(read_transpose, None, (2,)),
}
"""By the operator's name in the schema."""


def make_graph(reader: Reader, sha256: str) -> Graph:
    """Turn an unpacked .tflite into a graph.

    Args:
        reader: the file; afterwards its `index` leads from its tensors to the graph's.
        sha256: of the file.

    Raises:
        ModelError: the model is not one that the runtime takes.
    """
    source = reader.source
    operators = [(reader.kind(operator), operator) for operator in source.operators]
    _refuse_unknown(reader, operators)
    if len(source.inputs) != 1 or len(source.outputs) != 1:
        raise reader.error("the model must have one input and one output")
    if not operators:
        raise reader.error("the model has no operators")
    for kind, operator in operators:
        known = OPERATORS[kind]
        reader.refuse(operator_problem(kind, operator, known.options, known.inputs))
    first = reader.tensor(source.inputs[0])
    ops = _named(OPERATORS[kind].read(reader, operator) for kind, operator in operators)
    last = reader.tensor(source.outputs[0])
    graph = Graph(tuple(reader.tensors), ops, first, last, sha256)
    reader.refuse(graph_problem(graph))
    return fold_pads(graph)


def _refuse_unknown(reader: Reader, operators: list[tuple[str, Any]]) -> None:
    unknown = [
        f"{words} ({', '.join(map(reader.name, operator.outputs))})"
        for kind, operator in operators
        if (words := _unknown(kind, operator))
    ]
    if unknown:
        raise reader.error(
            f"the runtime does not know {', '.join(unknown)}",
            f"it knows {', '.join(sorted(OPERATORS))}",
        )


def _unknown(kind: str, operator: Any) -> str | None:
    """Return what to call an operator that the runtime does not know, None where it does."""
    if kind not in OPERATORS:
        return kind
    options = operator.builtinOptions
    dilation = [getattr(options, f"dilation{axis}Factor", 1) for axis in "HW"]
    return None if dilation == [1, 1] else f"{kind} dilated by {dilation[0]} x {dilation[1]}"


def _named(ops: Iterable[Op]) -> tuple[Op, ...]:
    """Give each operator its layer's name, short and unique.

    The converter calls a fused convolution "net/conv1_1/Relu;net/conv1_1/BiasAdd;..." and the
    output "StatefulPartitionedCall:0"; these become "conv1" and the operator's kind.
    """
    named: list[Op] = []
    counts: Counter[str] = Counter()
    for op in ops:
        layer = posixpath.dirname(op.name.split(";")[0])
        name = posixpath.basename(layer).removesuffix("_1") or op.kind.lower()
        counts[name] += 1
        number = f"#{counts[name]}" if counts[name] > 1 else ""
        named.append(dataclasses.replace(op, name=name + number))
    return tuple(named)
