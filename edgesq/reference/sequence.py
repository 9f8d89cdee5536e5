"""SVDF and UNIDIRECTIONAL_SEQUENCE_LSTM on int8.

Mirror: firmware/src/ops/esq_svdf.c, esq_lstm.c.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import (
    Int64Array,
    as_int32,
    multiply_by_quantized_multiplier,
    rounding_divide_by_pot,
)
from edgesq.graph import Graph, Int8Array
from edgesq.operators import Gate, Lstm, Stateful, Svdf
from edgesq.reference.kernel import Kernels
from edgesq.sequences import (
    GATE_BITS,
    INT16_MAX,
    INT16_MIN,
    GateNumbers,
    cell_bits,
    gate_numbers,
    logistic_16,
    lstm_output,
    svdf_rescales,
    tanh_16,
)

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


def lstm(graph: Graph, op: Lstm, kept: Kept, image: Int8Array) -> Int8Array:
    """Take int8 [1, T, I], a step a column, to int8 [1, T, U]."""
    numbers = [gate_numbers(graph, op, gate) for gate in op.gates]
    return np.stack([_step(graph, op, numbers, kept, column) for column in image[0]])[np.newaxis]


def _step(
    graph: Graph, op: Lstm, numbers: list[GateNumbers], kept: Kept, column: Int8Array
) -> Int8Array:
    cell, hidden = kept
    made = [
        _gate(graph, gate, number, column, hidden)
        for gate, number in zip(op.gates, numbers, strict=True)
    ]
    entry, forget, exit_ = (logistic_16(made[place]) for place in (0, 1, 3))
    candidate = tanh_16(made[2], GATE_BITS)
    remembered = rounding_divide_by_pot(forget * cell, 15)
    added = rounding_divide_by_pot(entry * candidate, 15 + cell_bits(op))
    sums = np.clip(remembered + added, INT16_MIN, INT16_MAX)
    if op.clip:
        sums = np.clip(sums, -op.clip, op.clip)
    cell[:] = sums
    by = lstm_output(op)
    product = exit_ * tanh_16(sums, cell_bits(op))
    levels = multiply_by_quantized_multiplier(product, by.multiplier, by.shift) + op.product[1]
    hidden[:] = np.clip(levels, -128, 127)
    return hidden.copy()


def _gate(
    graph: Graph, gate: Gate, numbers: GateNumbers, column: Int8Array, hidden: NDArray[Any]
) -> Int64Array:
    """Return a gate before its function, in Q3.12."""
    total: Int64Array = np.zeros(len(hidden), np.int64)
    for index, values, bias, by in (
        (gate.weights, column, numbers.input_bias, numbers.of_input),
        (gate.recurrent, hidden, numbers.recurrent_bias, numbers.of_recurrent),
    ):
        sums = graph.constant(index).astype(np.int64) @ values.astype(np.int64) + bias
        scaled = multiply_by_quantized_multiplier(sums, by.multiplier, by.shift)
        total = np.clip(total + scaled, INT16_MIN, INT16_MAX)
    return total


KERNELS: Kernels = {Lstm: lstm, Svdf: svdf}
