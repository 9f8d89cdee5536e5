"""SVDF on int8. Mirror: firmware/src/ops/esq_svdf.c."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import as_int32, multiply_by_quantized_multiplier
from edgesq.graph import Graph, Int8Array
from edgesq.operators import Stateful, Svdf
from edgesq.reference.kernel import Kernels
from edgesq.sequences import svdf_rescales

Kept = tuple[NDArray[Any], ...]
"""An operator's states, int16 or int8 [count] each."""

_DTYPES: dict[int, type[np.signedinteger[Any]]] = {1: np.int8, 2: np.int16}


class Memory:
    """What the operators of a graph keep from one image to the next.

    Attributes:
        kept: by the operator's output; each call of a kernel changes them.
    """

    def __init__(self, graph: Graph) -> None:
        self.kept: dict[int, Kept] = {op.output: _fresh(op) for op in graph.stateful}


def _fresh(op: Stateful) -> Kept:
    return tuple(
        np.full(state.count, state.zero_point, _DTYPES[state.value_bytes]) for state in op.states
    )


def svdf(graph: Graph, op: Svdf, kept: Kept, image: Int8Array) -> Int8Array:
    """Take int8 [1, 1, I] into what is kept, and filter that in time to int8 [1, 1, F / rank]."""
    of_input, of_kept = svdf_rescales(graph, op)
    features, times = (graph.constant(index).astype(np.int64) for index in (op.features, op.times))
    newest = kept[0].reshape(times.shape)
    sums = features @ (image.reshape(-1).astype(np.int64) - graph.tensors[op.inputs[0]].zero_point)
    made = multiply_by_quantized_multiplier(sums, of_input.multiplier, of_input.shift)
    bounds = np.iinfo(newest.dtype)
    newest[:, :-1] = newest[:, 1:].copy()
    newest[:, -1] = np.clip(made, bounds.min, bounds.max)
    filtered = (newest * times).sum(axis=1)
    total = filtered.reshape(-1, op.rank).sum(axis=1) + graph.constant(op.bias)
    levels = multiply_by_quantized_multiplier(as_int32(total), of_kept.multiplier, of_kept.shift)
    shown = np.clip(levels + graph.tensors[op.output].zero_point, -128, 127)
    return shown.astype(np.int8).reshape(1, 1, -1)


KERNELS: Kernels = {Svdf: svdf}
