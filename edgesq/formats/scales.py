"""Which activations of an int8 model share a scale, and so can only change it together."""

from __future__ import annotations

from edgesq.graph import Graph, Quantization


def sharing_scales(graph: Graph) -> list[tuple[int, ...]]:
    """Return the activations whose scale may change, in groups that share one."""
    parent = {index: index for index, tensor in enumerate(graph.tensors) if tensor.data is None}

    def root(index: int) -> int:
        while parent[index] != index:
            index = parent[index]
        return index

    for op in graph.ops:
        for index in () if op.rescales else op.inputs:
            same = graph.tensors[index].quantization == graph.tensors[op.output].quantization
            if same and index in parent:
                parent[root(index)] = root(op.output)
    fixed = {root(graph.input)}
    fixed |= {root(op.output) for op in graph.ops if op.output_steps or op.holds_levels}
    found: dict[int, list[int]] = {}
    for index in parent:
        if root(index) not in fixed:
            found.setdefault(root(index), []).append(index)
    return [tuple(members) for members in found.values()]


def roomier_scores(graph: Graph, factor: float) -> dict[int, Quantization]:
    """Return a wider range for the scores and for all that shares their scale, by tensor index.

    A range that cuts off the largest scores makes a model unsure of what it knows best.

    Args:
        graph: the model.
        factor: by which the range becomes wider.
    """
    scores = graph.scores
    old = graph.tensors[scores].quantization
    wide = Quantization((old.scale[0] * factor,), old.zero_point)
    return {index: wide for group in sharing_scales(graph) if scores in group for index in group}
