"""Refuse a graph that the runtime cannot run as it is: what passes is safe to plan and to run."""

import math

from edgesq.formats.tflite.table import FITS, RANGES
from edgesq.graph import Graph
from edgesq.limits import MAX_INPUTS, MAX_OBSERVED, MAX_PRODUCTS, MAX_UINT16, MAX_VALUES_TOGETHER
from edgesq.operators import Op, handler


def graph_problem(graph: Graph) -> str | None:
    """Say why a graph cannot be run as it is, or None."""
    problem = _end_problem(graph) or _mixed_problem(graph)
    if problem:
        return problem
    known = set(graph.inputs)
    for op in graph.ops:
        if any(index not in known for index in op.inputs) or op.output in known:
            return f"{op.name}: tensors are not in the order in which they are computed"
        if any(graph.tensors[index].data is not None for index in (*op.inputs, op.output)):
            return f"{op.name}: a constant where an activation must be"
        known.add(op.output)
    for index in graph.outputs:
        if index not in known or index in graph.inputs:
            return f"the output {graph.tensors[index].name} is not computed"
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


def _mixed_problem(graph: Graph) -> str | None:
    made = (*graph.inputs, *(op.output for op in graph.ops))
    sizes = {graph.tensors[index].value_bytes for index in made}
    return "activations of int8 and of int16 in one model" if len(sizes) > 1 else None


def _end_problem(graph: Graph) -> str | None:
    """Say what is wrong with the lists of inputs and outputs, or None."""
    for ends, what in ((graph.inputs, "input"), (graph.outputs, "output")):
        twice = next((index for index in ends if ends.count(index) > 1), None)
        if twice is not None:
            return f"the {what} {graph.tensors[twice].name} is listed twice"
    read = {index for op in graph.ops for index in op.inputs}
    for index in graph.inputs:
        if index not in read:
            return f"the input {graph.tensors[index].name} is read by nothing"
    for count, most, what in (
        (len(graph.inputs), MAX_INPUTS, "inputs"),
        (len(graph.observed), MAX_OBSERVED, "outputs, and logits before a softmax"),
        (len(graph.input_rows), MAX_UINT16, "rows of all inputs"),
    ):
        if count > most:
            return f"{count} {what}, at most {most} are taken"
    return None


def _problem(graph: Graph, op: Op) -> str | None:
    if not handler(FITS, type(op))(graph, op):
        height, width, channels = graph.tensors[op.output].hwc
        return f"an output of {height} x {width} x {channels} does not follow"
    return next((RANGES[cls](graph, op) for cls in type(op).__mro__ if cls in RANGES), None)
