"""Operators that keep the shape, on int8.

Mirror: firmware/src/ops/esq_add.c, esq_mul.c, esq_lookup.c, esq_softmax.c.
"""

from collections.abc import Sequence

import numpy as np

from edgesq.arithmetic import (
    SOFTMAX_SUM_INTEGER_BITS,
    combine,
    doubling_high_mul,
    reciprocal,
    rounding_divide_by_pot,
    softmax_exp_table,
)
from edgesq.graph import Binary, Graph, Int8Array, Lookup, Softmax
from edgesq.lookup import lookup_table


def binary(graph: Graph, op: Binary, inputs: Sequence[Int8Array]) -> Int8Array:
    """Add, subtract or multiply; `inputs` are int8 [H, W, C] or [1, 1, C], without constants."""
    images = iter(inputs)
    operands = [
        next(images) if (data := graph.tensors[index].data) is None else data
        for index in op.operands
    ]
    return np.clip(combine(graph, op, *operands), *op.clamp).astype(np.int8)


def lookup(graph: Graph, op: Lookup, image: Int8Array) -> Int8Array:
    """Take each value by itself, through the operator's table."""
    return lookup_table(graph, op)[image.astype(np.int64) + 128]


def softmax(graph: Graph, op: Softmax, image: Int8Array) -> Int8Array:
    """Softmax over the channels of int8 [H, W, C]; output scale 1/256, zero point -128."""
    values = image.astype(np.int64)
    exp = softmax_exp_table(graph, op)[values.max(axis=-1, keepdims=True) - values]
    terms = rounding_divide_by_pot(exp, SOFTMAX_SUM_INTEGER_BITS)
    mantissa, bits = reciprocal(terms.sum(axis=-1, keepdims=True))
    levels = rounding_divide_by_pot(doubling_high_mul(mantissa, exp), bits + 31 - 8)
    return np.clip(levels - 128, -128, 127).astype(np.int8)
