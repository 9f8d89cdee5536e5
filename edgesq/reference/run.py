"""Run a whole graph in numpy."""

import numpy as np

from edgesq.graph import (
    AveragePool2D,
    Binary,
    Concatenation,
    Conv2D,
    DepthToSpace,
    DepthwiseConv2D,
    Graph,
    GroupedConv2D,
    Int8Array,
    Lookup,
    MaxPool2D,
    Mean,
    Op,
    Pick,
    Reshape,
    Softmax,
    SpaceToDepth,
)
from edgesq.reference.conv2d import conv2d, grouped_conv2d
from edgesq.reference.depthwise_conv2d import depthwise_conv2d
from edgesq.reference.elementwise import binary, lookup, softmax
from edgesq.reference.move import depth_to_space, pick, space_to_depth
from edgesq.reference.pool import average_pool2d, max_pool2d, mean


def run(graph: Graph, image: Int8Array) -> dict[int, Int8Array]:
    """Run one image int8 [H, W, C]; return every activation as int8 [H, W, C] by tensor index."""
    values = {graph.input: image.reshape(graph.tensors[graph.input].hwc)}
    for op in graph.ops:
        values[op.output] = _apply(graph, op, [values[index] for index in op.inputs])
    return values


def run_observed(graph: Graph, inputs: Int8Array) -> tuple[Int8Array, ...]:
    """Run int8 [n, H, W, C]; return int8 [n, K] for each tensor of `Graph.observed`."""
    runs = [run(graph, image) for image in inputs]
    return tuple(
        np.stack([values[index].reshape(-1) for values in runs]) for index in graph.observed
    )


def _apply(graph: Graph, op: Op, inputs: list[Int8Array]) -> Int8Array:
    match op:
        case Conv2D():
            return conv2d(graph, op, inputs[0])
        case DepthwiseConv2D():
            return depthwise_conv2d(graph, op, inputs[0])
        case GroupedConv2D():
            return grouped_conv2d(graph, op, inputs[0])
        case MaxPool2D():
            return max_pool2d(graph, op, inputs[0])
        case AveragePool2D():
            return average_pool2d(graph, op, inputs[0])
        case Concatenation():
            return np.concatenate(inputs, axis=-1)
        case Binary():
            return binary(graph, op, inputs)
        case Lookup():
            return lookup(graph, op, inputs[0])
        case Mean():
            return mean(graph, op, inputs[0])
        case Softmax():
            return softmax(graph, op, inputs[0])
        case Pick():
            return pick(op, inputs[0])
        case SpaceToDepth():
            return space_to_depth(op, inputs[0])
        case DepthToSpace():
            return depth_to_space(op, inputs[0])
        case Reshape():
            return inputs[0].reshape(graph.tensors[op.output].hwc)
    raise TypeError(f"no reference kernel for {op.kind}")
