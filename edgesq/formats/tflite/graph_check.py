"""Refuse a graph that the runtime cannot run as it is: what passes is safe to plan and to run."""

import math

from edgesq.formats.tflite.table import FITS, RANGES
from edgesq.graph import Graph
from edgesq.limits import MAX_PRODUCTS, MAX_VALUES_TOGETHER
from edgesq.operators import Op, handler


def graph_problem(graph: Graph) -> str | None:
    """Say why a graph cannot be run as it is, or None."""
    known = {graph.input}
    for op in graph.ops:
        if any(index not in known for index in op.inputs) or op.output in known:
            return f"{op.name}: tensors are not in the order in which they are computed"
        if any(graph.tensors[index].data is not None for index in (*op.inputs, op.output)):
            return f"{op.name}: a constant where an activation must be"
        known.add(op.output)
    if graph.output == graph.input or graph.output not in known:
        return "the output is not computed"
    values = sum(math.prod(graph.tensors[index].shape) for index in known)
    for count, most, what in (
        (values, MAX_VALUES_TOGETHER, "values of activations"),
        (graph.total_macs, MAX_PRODUCTS, "multiplications"),
    ):
        if count > most:
            return f"{count:,} {what}, at most {most:,} are taken"
    for op in graph.ops:
        problem = _problem(graph, op)
        if problem:
            return f"{op.name}: {problem}"
    return None


def _problem(graph: Graph, op: Op) -> str | None:
    if not handler(FITS, type(op))(graph, op):
        height, width, channels = graph.tensors[op.output].hwc
        return f"an output of {height} x {width} x {channels} does not follow"
    return next((RANGES[cls](graph, op) for cls in type(op).__mro__ if cls in RANGES), None)
